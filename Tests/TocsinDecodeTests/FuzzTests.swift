import Testing
import TocsinCore
import TocsinDecode

/// Random and damaged input: no trap, and everything adds up.
struct FuzzTests {
    private static let templates: [[UInt8]] = [
        #"{"event_id":"e1","sensor_id":"s","timestamp":"2025-10-01T10:00:00Z","metric":"t","value":25.5,"meta":{"unit":"C","location":"z"}}"#,
        #"{"device_id":"s","ts":1759312800,"a":1,"b":"2","c":null,"d":true,"e":[1,{"f":"\u00e4"}],"anomaly_injected":true}"#,
        "ts,device,t,note\n1,s,1.5,\"a \"\"b\"\"\"\n2,s,2,x\n3,s,,\n",
        "ts;device;t\n1;s;1,5\n",
    ].map { Array($0.utf8) }
    private static let spice =
        Array("{}[]\",:;\\\n\r\t 0123456789.eE+-truefalsnN\u{0}".utf8) + [0xff, 0xc3, 0xef, 0xbb, 0xbf]

    private func check(_ bytes: [UInt8], _ random: inout SplitMix) {
        let format = InputFormat.allCases[random.below(InputFormat.allCases.count)]
        let limits = DecodeLimits(maximumMessageBytes: 1 + random.below(400), clippedBytes: random.below(50))
        let mapping = InputMapping(
            values: random.below(4) == 0 ? ["meta.*", "e.1.f", "a"] : [],
            defaultSensor: random.below(2) == 0 ? "d" : nil,
            timeFromReceipt: random.below(2) == 0)
        let whole = decode(chunks: [bytes], format: format, mapping: mapping, limits: limits)
        let split = decode(
            chunks: pieces(bytes, of: 1 + random.below(40)), format: format, mapping: mapping, limits: limits)
        #expect(whole == split, "\(bytes) \(format) \(limits)")
        _ = decode(bytes, format: format, mapping: mapping, limits: limits)
    }

    @Test func survivesRandomBytes() {
        var random = SplitMix(seed: 11)
        for _ in 0..<3000 {
            let bytes = (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            check(bytes, &random)
        }
    }

    @Test func survivesRandomSyntax() {
        var random = SplitMix(seed: 12)
        for _ in 0..<6000 {
            let bytes = (0..<random.below(200)).map { _ in Self.spice[random.below(Self.spice.count)] }
            check(bytes, &random)
        }
    }

    @Test func survivesDamagedMessages() {
        var random = SplitMix(seed: 13)
        for _ in 0..<8000 {
            var bytes: [UInt8] = []
            for _ in 0...random.below(6) {
                bytes += Self.templates[random.below(Self.templates.count)]
                if random.below(4) > 0 { bytes.append(10) }
            }
            for _ in 0..<random.below(8) {
                let place = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[place] = Self.spice[random.below(Self.spice.count)]
                case 1: bytes.insert(Self.spice[random.below(Self.spice.count)], at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(20)))
                }
                if bytes.isEmpty { break }
            }
            check(bytes, &random)
        }
    }
}
