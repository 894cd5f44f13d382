import Testing
import TocsinCore
import TocsinDecode

/// Whatever stands between good messages, the good ones are all there.
struct JSONGarbageTests {
    static let garbage: [[UInt8]] =
        [
            "x", "{", "}", "[", "]", "\"", "\\", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":\"",
            "{\"a\":\"b\\",
            #"{"sensor_id":"x","timestamp":"2025-10-01T10:00:"#, #"{"sensor_id":"x","t":"abc\"}"#, #"{"a":tru"#, "nul",
            #"sor_id":"x","timestamp":1,"t":1}"#, "\"\"\"", "{]", "[}", "{\"a\":[[[[", "a,b,c", "1.5", "null",
            "{{{{}}}}",
            String(repeating: "[", count: 500), String(repeating: "{\"a\":", count: 500), "\u{1}\u{2}", "{\"a\":\u{0}}",
        ].map { Array($0.utf8) } + [[0xff, 0xfe, 0x7b], [0x7b, 0x22, 0xc3, 0x28, 0x22], [0x80], [0xed, 0xa0, 0x80]]

    static func good(_ number: Int) -> String { #"{"sensor_id":"s","ts":\#(number),"t":\#(number)}"# }

    @Test(arguments: garbage)
    func keepsTheGoodLinesAround(bad: [UInt8]) {
        var text: [UInt8] = []
        var expected: [String] = []
        for number in 0..<40 {
            text += Array(Self.good(number).utf8) + [10]
            expected.append("s.t=\(number).0")
            if number % 7 == 3 { text += bad + [10] }
        }
        let decoded = decode(text)
        #expect(decoded.readings == expected)
        // Brackets alone are the frame of an array of messages.
        let isFrame = bad.allSatisfy { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }
        #expect(decoded.refusals.count == (isFrame ? 0 : 6), "\(decoded.details)")
        #expect(decoded.reasons.allSatisfy { $0 == .malformed || $0 == .missingField })
    }

    @Test(arguments: garbage)
    func keepsTheGoodLinesBehindAGarbageStart(bad: [UInt8]) {
        let decoded = decode(bad + Array("\n\(Self.good(1))\n\(Self.good(2))\n".utf8))
        #expect(decoded.readings.contains("s.t=2.0"))
        #expect(decoded.readings.contains("s.t=1.0"))
    }

    @Test func keepsTheGoodElementsOfAnArray() {
        let bad = [#"{"a":}"#, #"{"a" 1}"#, "7", #"{"b":[1,}"#, #"{"c":"\x"}"#, "true"]
        for bad in bad {
            let decoded = decode("[\(Self.good(1)),\(bad),\(Self.good(2)),\(Self.good(3))]")
            #expect(decoded.readings == ["s.t=1.0", "s.t=2.0", "s.t=3.0"], "\(bad)")
            #expect(decoded.reasons == [.malformed], "\(bad)")
        }
    }

    @Test func keepsWhatFollowsATruncatedPrettyMessage() {
        let pretty = Self.good(1).replacing(",", with: ",\n").replacing("{", with: "{\n")
        let decoded = decode("\(pretty)\n{\n\"sensor_id\": \"x\",\n\"ts\":\n\(pretty)\n\(Self.good(2))\n")
        #expect(decoded.readings.first == "s.t=1.0")
        #expect(decoded.readings.last == "s.t=2.0")
    }

    @Test func rejectsDeepNestingWithoutRecursion() {
        for depth in [60, 64, 65, 1000, 200_000] {
            let text =
                #"{"sensor_id":"s","ts":1,"t":1,"x":"# + String(repeating: "[", count: depth)
                + String(repeating: "]", count: depth) + "}"
            let decoded = decode("\(text)\n\(Self.good(2))")
            #expect(decoded.readings == (depth < 64 ? ["s.t=1.0", "s.t=2.0"] : ["s.t=2.0"]), "\(depth)")
        }
    }

    @Test func clipsMessagesThatAreTooLong() {
        let limits = DecodeLimits(maximumMessageBytes: 200, clippedBytes: 50)
        let long = #"{"sensor_id":"s","ts":9,"t":9,"pad":""# + String(repeating: "x", count: 1000) + "\"}"
        let lines = decode("\(Self.good(1))\n\(long)\n\(Self.good(2))\n", limits: limits)
        #expect(lines.readings == ["s.t=1.0", "s.t=2.0"])
        #expect(lines.refusals == [.init(reason: .tooLong, payload: String(long.prefix(50)))])
        let array = decode("[\(Self.good(1)),\(long),\(Self.good(2))]", limits: limits)
        #expect(array.readings == ["s.t=1.0", "s.t=2.0"])
        #expect(array.refusals == [.init(reason: .tooLong, payload: String(long.prefix(50)))])
    }

    @Test func holdsAHundredMegabyteLineInBoundedMemory() {
        var assembler = ChunkAssembler(format: .json)
        var decoder = EventDecoder(format: .json)
        let table = SeriesTable(seed: 1)
        var decoded = Decoded()
        var largest = 0
        func feed(_ bytes: [UInt8]) {
            for run in assembler.append(bytes) {
                decoded.add(decoder.decode(run, origin: testOrigin, table: table), table)
            }
            largest = max(largest, assembler.pendingBytes)
        }
        feed(Array((Self.good(1) + "\n{\"sensor_id\":\"").utf8))
        let block = [UInt8](repeating: 0x61, count: 1 << 18)
        for _ in 0..<400 { feed(block) }
        feed(Array("\",\"ts\":1}\n\(Self.good(2))\n".utf8))
        #expect(largest <= 2 << 20)
        #expect(decoded.readings == ["s.t=1.0", "s.t=2.0"])
        #expect(decoded.reasons == [.tooLong])
        #expect(decoded.refusals.first?.payload.utf8.count == 4096)
    }

    @Test func limitsNames() {
        let long = String(repeating: "n", count: 300)
        #expect(decode(#"{"sensor_id":"\#(long)","ts":1,"t":1}"#).reasons == [.tooLong])
        #expect(decode(#"{"sensor_id":"s","ts":1,"\#(long)":1}"#).reasons == [.tooLong])
        #expect(decode(#"{"sensor_id":"s","ts":1,"metric":"\#(long)","value":1}"#).reasons == [.tooLong])
    }

    @Test func countsReadingsBeyondTheCap() {
        let table = SeriesTable(maxSeries: 3, seed: 1)
        let text = (0..<5).map { #"{"sensor_id":"s\#($0)","ts":1,"t":1}"# }.joined(separator: "\n")
        let decoded = decode(text, table: table)
        #expect(decoded.readings.count == 3)
        #expect(decoded.reasons == [.cardinality, .cardinality])
        let wide = decode(#"{"sensor_id":"s0","ts":1,"a":1,"b":2,"t":3}"#, table: table)
        #expect(wide.readings == ["s0.t=3.0"])
        #expect(wide.reasons == [.cardinality, .cardinality])
    }

    @Test func survivesMoreFieldNamesThanItKeeps() {
        var decoder = EventDecoder(format: .json)
        let table = SeriesTable(seed: 1)
        var decoded = Decoded()
        for block in 0..<70 {
            let fields = (0..<1000).map { #""k\#(block * 1000 + $0)":1"# }.joined(separator: ",")
            let text = #"{"sensor_id":"s\#(block)","ts":1,\#(fields)}"#
            decoded.add(decoder.decode(chunk: Array(text.utf8), origin: testOrigin, table: table), table)
        }
        #expect(decoded.readings.count + decoded.refusals.count == 70_000)
        #expect(decoded.readings.count > 65_000)
        #expect(decoded.reasons.allSatisfy { $0 == .cardinality })
    }

    @Test func decodesNothingFromNothing() {
        for text in ["", "\n", "   \r\n\t", "[]", "[\n]", "\u{feff}"] {
            let decoded = decode(text, format: .json)
            #expect(decoded == Decoded(), "\(text)")
            #expect(decode(chunks: [Array(text.utf8)]).events == [])
        }
    }
}
