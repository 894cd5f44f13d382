import Testing
import TocsinCore
import TocsinDecode

/// Bodies of nonsense: what is refused of them is counted to the last line, and takes little.
@Suite struct ManyRejectsTests {
    private static let single = 100
    private let limits = DecodeLimits(singleRejects: Self.single)

    private func text(_ batch: Batch, _ range: ByteRange) -> String {
        String(decoding: batch.bytes[range.range], as: UTF8.self)
    }

    private func decode(_ text: String, format: InputFormat) -> Batch {
        var decoder = EventDecoder(format: format, limits: limits)
        return decoder.decode(chunk: Array(text.utf8), origin: testOrigin, table: SeriesTable(seed: 1))
    }

    private func influx(_ text: String) -> Batch {
        let settings = MessageDecoderSettings(form: .influx, limits: limits)
        var decoder = MessageDecoder(settings)
        return decoder.decode(
            MessageBatch(body: Array(text.utf8)), origin: testOrigin, table: SeriesTable(seed: 1))
    }

    @Test func badLinesOfOneReasonBecomeOne() {
        let bad = String(repeating: "{}\n", count: 5000)
        let batch = decode(bad, format: .json)
        #expect(batch.rejects.count == Self.single)
        #expect(batch.rejectCount == 5000)
        #expect(batch.inputCount == 5000)
        #expect(batch.rejects.last?.count == 4901)
        // From the first to the last of them, so that they can be sent again.
        #expect(batch.rejects.last.map { text(batch, $0.payload).count } == 4901 * 3 - 1)
    }

    @Test func rowsAndLinesOfOtherForms() {
        let rows = decode("sensor_id,timestamp,v\n" + String(repeating: "x\n", count: 3000), format: .csv)
        #expect(rows.rejects.count == Self.single)
        #expect(rows.rejectCount == 3000)
        let lines = influx(String(repeating: "x\n", count: 3000))
        #expect(lines.rejects.count == Self.single)
        #expect(lines.rejectCount == 3000)
        #expect(lines.rejects.last.map { text(lines, $0.payload).count } == 2901 * 2 - 1)
    }

    @Test func reasonsThatTakeTurns() {
        var body = ""
        for number in 0..<3000 { body += number % 2 == 0 ? "{}\n" : "{\"sensor_id\":\"a\",\"timestamp\":[]}\n" }
        let batch = decode(body, format: .json)
        #expect(batch.rejects.count <= Self.single + 3)
        #expect(batch.rejectCount == 3000)
        let late = batch.rejects.filter { $0.reason == .badTime }.reduce(0) { $0 + $1.count }
        #expect(late == 1500)
    }

    /// A field that was refused counts, also where it is put together with others: the message is no empty one.
    @Test func badFieldsAreCountedOnce() {
        let body = String(
            repeating: "{\"sensor_id\":\"a\",\"timestamp\":1759312800,\"v\":1e999}\n", count: 1000)
        let batch = decode(body, format: .json)
        #expect(batch.rejectCount == 1000)
        #expect(batch.rejects.allSatisfy { $0.reason == .notANumber })
    }

    @Test func whatLiesFarApartStaysApart() {
        let note = String(repeating: "n", count: 40_000)
        let good = "{\"sensor_id\":\"a\",\"timestamp\":1759312800,\"note\":\"\(note)\",\"v\":1}\n"
        let batch = decode(
            String(repeating: "{}\n", count: Self.single) + String(repeating: good + "{}\n", count: 6), format: .json)
        #expect(batch.eventCount == 6)
        #expect(batch.rejectCount == Self.single + 6)
        #expect(batch.rejects.allSatisfy { $0.payload.length <= 64 << 10 })
    }

    /// Long bodies are parsed in pieces: the same comes of them as of their parts.
    @Test(arguments: [false, true])
    func aLongBodyIsDecodedWhole(isArray: Bool) {
        let note = String(repeating: "n", count: 500)
        let messages = (0..<8000).map { number in
            if number % 10 == 3 { return "{\"sensor_id\":\"s\",\"note\":\"x\(number)\"}" }
            let time = 1_759_312_800 + number
            return "{\"sensor_id\":\"s\(number % 7)\",\"timestamp\":\(time),\"note\":\"\(note)\",\"v\":\(number)}"
        }
        let body = isArray ? "[" + messages.joined(separator: ",\n") + "]" : messages.joined(separator: "\n")
        #expect(body.utf8.count > 3 << 20)
        var decoder = EventDecoder(format: .json)
        let batch = decoder.decode(chunk: Array(body.utf8), origin: testOrigin, table: SeriesTable(seed: 1))
        #expect(batch.eventCount == 7200)
        #expect(batch.rejects.count == 800)
        #expect(batch.values == (0..<8000).filter { $0 % 10 != 3 }.map(Double.init))
        let kept = batch.payloads.map { text(batch, $0) }
        #expect(kept == messages.indices.filter { $0 % 10 != 3 }.map { messages[$0] })
        #expect(
            batch.rejects.map { text(batch, $0.payload) }
                == messages.indices.filter { $0 % 10 == 3 }.map { messages[$0] })
        let last = batch.rejects.last
        #expect(
            last?.detail.hasPrefix("The message at byte \(last?.payload.offset ?? 0) ") == true, "\(last?.detail ?? "")"
        )
    }

    @Test func aBadTimeIsShown() {
        let batch = influx("m v=1 -9223372036854775808\nm v=1 12 x\nm v=1 99999999999999999999\n")
        #expect(
            batch.rejects.map { String($0.detail.split(separator: ",")[0].split(separator: "time ")[1]) } == [
                "\"-9223372036854775808\"", "\"12 x\"", "\"99999999999999999999\"",
            ])
    }
}
