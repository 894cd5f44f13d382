import Testing
import TocsinCore
import TocsinDecode

/// What is kept of a refused part of a message gives the same reading alone.
@Suite struct MessageExcerptTests {
    private static let point =
        #"{"attributes":[{"key":"state","value":{"stringValue":"idle"}}],"timeUnixNano":"1700000000000000000","asDouble":1.5}"#
    private static let json = """
        {"resourceMetrics": [{"resource": {"attributes": [{"key": "host.name", "value": {"stringValue": "a\\u00e4"}}]},
          "scopeMetrics": [{"scope": {"name": "x"}, "metrics": [
            {"name": "load", "unit": "%", "gauge": {"dataPoints": [\(point), {"timeUnixNano": "1700000000000000001", "asInt": "7"}]}},
            {"name": "wait", "histogram": {"dataPoints": [{"timeUnixNano": 1700000000000000002, "count": "3", "sum": 4.5}]}}]}]},
         {"resource": {"attributes": [{"key": "host.name", "value": {"stringValue": "b"}}]}, "scopeMetrics": [
            {"metrics": [{"name": "load", "sum": {"dataPoints": [{"timeUnixNano": "1700000000000000003", "asInt": 8}]}}]}]}]}
        """
    private static let protobuf: [UInt8] = {
        func text(_ key: String, _ value: String) -> [UInt8] {
            field(1, text: key) + field(2, bytes: field(1, text: value))
        }
        func time(_ number: UInt64) -> [UInt8] { field(3, fixed: 1_700_000_000_000_000_000 + number) }
        let idle = field(7, bytes: text("state", "idle"))
        let load =
            field(1, text: "load") + field(3, text: "%")
            + field(
                5,
                bytes: field(1, bytes: idle + time(0) + field(4, double: 1.5))
                    + field(1, bytes: time(1) + field(6, fixed: 7)))
        let wait =
            field(9, bytes: field(1, bytes: time(2) + field(4, fixed: 3) + field(5, double: 4.5)))
            + field(1, text: "wait")
        let more =
            field(1, text: "load")
            + field(7, bytes: field(1, bytes: time(3) + field(6, fixed: 8)) + field(2, varint: 2))
        // The resource may stand behind its metrics.
        let first =
            field(2, bytes: field(2, bytes: load) + field(2, bytes: wait))
            + field(1, bytes: field(1, bytes: text("host.name", "aä")))
        let second = field(1, bytes: field(1, bytes: text("host.name", "b"))) + field(2, bytes: field(2, bytes: more))
        return field(1, bytes: first) + field(1, bytes: second)
    }()

    private func excerpts(
        _ result: DecodedMessages, _ parts: [ByteRange], _ form: PayloadForm, left: Int = 1 << 20
    ) -> [PartExcerpt] {
        let batch = result.batch
        var left = left
        return MessageExcerpt.of(
            parts, in: batch.messages?.payloads.first ?? ByteRange(offset: 0, length: 0), batch.bytes, form: form,
            topic: "t", hasHeader: false, readings: { _ in [] }, left: &left)
    }

    @Test(arguments: [PayloadForm.otlpJSON, .otlpProtobuf])
    func `a data point comes with its metric and resource`(form: PayloadForm) throws {
        let body = form == .otlpJSON ? Array(Self.json.utf8) : Self.protobuf
        let whole = decode(messages([body]), form)
        #expect(whole.reasons == [])
        #expect(whole.readings.count == 5)
        let kept = excerpts(whole, whole.batch.payloads, form)
        var readings: [String] = []
        var times: [Int64] = []
        for excerpt in kept {
            guard case .own(let bytes) = excerpt else {
                Issue.record("\(excerpt)")
                continue
            }
            let alone = decode(messages([bytes]), form)
            #expect(alone.reasons == [])
            #expect(alone.batch.eventCount == 1)
            readings += alone.readings
            times += alone.times
        }
        #expect(readings == whole.readings)
        #expect(times == whole.times)
        #expect(whole.readings.first == "aä.load{state=idle}=1.5")
    }

    @Test(arguments: [PayloadForm.otlpJSON, .otlpProtobuf])
    func pointsOfOneEventComeWithTheirMessage(form: PayloadForm) throws {
        let body: [UInt8]
        if form == .otlpJSON {
            let point = #"{"timeUnixNano":"1700000000000000000","asInt":"7"}"#
            body = Array(
                (#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"h"}}]},"#
                    + #""scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[\#(point)]}},"#
                    + #"{"name":"b","gauge":{"dataPoints":[\#(point)]}}]}]}]}"#).utf8)
        } else {
            let point = field(1, bytes: field(3, fixed: 1_700_000_000_000_000_000) + field(6, fixed: 7))
            let metrics = ["a", "b"].flatMap { field(2, bytes: field(1, text: $0) + field(5, bytes: point)) }
            let host = field(1, bytes: field(1, text: "host.name") + field(2, bytes: field(1, text: "h")))
            body = field(1, bytes: field(1, bytes: host) + field(2, bytes: metrics))
        }
        let whole = decode(messages([body]), form)
        #expect(whole.readings == ["h.a=7.0", "h.b=7.0"])
        #expect(whole.batch.eventCount == 1)
        #expect(excerpts(whole, whole.batch.payloads, form) == [.whole])
    }

    @Test func recordsOfSenMLComeWithThoseBeforeThem() {
        let pack = #"[{"bn":"a:","bt":1700000000,"n":"t","v":1},{"n":"u","v":2}]"#
        for form in [PayloadForm.auto, .senmlJSON] {
            let whole = decode(messages([pack]), form)
            #expect(whole.batch.payloads.count == 1)
            let part = ByteRange(offset: 40, length: 5)
            #expect(excerpts(whole, whole.batch.payloads + [part], form) == [.whole, .whole])
        }
    }

    @Test func rowsComeWithTheirMessage() {
        let result = decode(messages(["sensor_id,timestamp,v\na,1700000000,1\nb,1700000000,2\n"]), .csv)
        #expect(excerpts(result, result.batch.payloads, .csv) == [.whole, .whole])
    }

    /// Many points of a long resource: what is kept of them must not be many times the message.
    @Test(arguments: [PayloadForm.otlpJSON, .otlpProtobuf])
    func excerptsHaveABudget(form: PayloadForm) throws {
        for (resource, budget, own) in [
            (300_000, 1 << 30, 0), (20_000, 1 << 20, 52), (20_000, 0, 0), (20, 1 << 20, 2000),
        ] {
            let name = String(repeating: "x", count: resource)
            let body: [UInt8]
            if form == .otlpJSON {
                let points = (0..<2000).map { #"{"timeUnixNano":"\#(1_700_000_000_000_000_000 + $0)","asInt":"7"}"# }
                body = Array(
                    (#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"h"}},"#
                        + #"{"key":"d","value":{"stringValue":"\#(name)"}}]},"scopeMetrics":[{"metrics":[{"name":"t","#
                        + #""gauge":{"dataPoints":[\#(points.joined(separator: ","))]}}]}]}]}"#).utf8)
            } else {
                func text(_ key: String, _ value: String) -> [UInt8] {
                    field(1, bytes: field(1, text: key) + field(2, bytes: field(1, text: value)))
                }
                let points = (0..<2000).flatMap {
                    field(1, bytes: field(3, fixed: 1_700_000_000_000_000_000 + UInt64($0)) + field(6, fixed: 7))
                }
                let metric = field(1, text: "t") + field(5, bytes: points)
                body = field(
                    1,
                    bytes: field(1, bytes: text("host.name", "h") + text("d", name))
                        + field(2, bytes: field(2, bytes: metric)))
            }
            let whole = decode(messages([body]), form)
            #expect(whole.batch.payloads.count == 2000)
            let kept = excerpts(whole, whole.batch.payloads, form, left: budget)
            let sizes = kept.compactMap { excerpt -> Int? in
                if case .own(let bytes) = excerpt { bytes.count } else { nil }
            }
            #expect(sizes.reduce(0, +) <= budget)
            #expect(own - 2...own ~= sizes.count)
            #expect(kept.count(where: { $0 == .whole }) == 2000 - sizes.count)
        }
    }

    @Test func metricsOfSparkplugThatTheirBirthNamesSayItAlone() throws {
        let time = Timestamp(nanoseconds: 1_759_312_800_000_000_000)
        let given = [
            NamedReading(metric: "temp", time: time, value: 500.5), NamedReading(metric: "n", time: time, value: -2),
        ]
        func kept(_ metric: [UInt8], left: Int = 1000) -> PartExcerpt {
            let payload = field(1, varint: 1_759_312_800_000) + field(2, bytes: metric)
            let part = ByteRange(offset: 0, length: payload.count)
            var left = left
            return MessageExcerpt.of(
                [part], in: part, payload, form: .auto, topic: "spBv1.0/g/NDATA/e", hasHeader: false,
                readings: { $0 == part ? given : [] }, left: &left
            ).first ?? .itself
        }
        let value = field(13, double: 500.5)
        let number = field(11, varint: 7)
        #expect(kept(field(1, text: "temp") + value) == .itself)
        #expect(kept(field(1, text: "n") + field(4, varint: 4) + number) == .itself)
        #expect(kept(field(2, varint: 1) + value, left: 10) == .whole)
        for metric in [field(2, varint: 1) + value, field(1, text: "n") + number] {
            guard case .own(let bytes) = kept(metric) else {
                Issue.record("nothing is written")
                continue
            }
            let alone = decode(messages([bytes], [MessageEnvelope(topic: "spBv1.0/g/NDATA/e")]))
            #expect(alone.readings == ["g/e.temp=500.5", "g/e.n=-2.0"])
            #expect(Set(alone.times) == [time.nanoseconds])
        }
    }

    @Test func whatStandsForItselfIsLeft() {
        let lines = "a v=1 5\nb v=2 6\n"
        let result = decode(messages([lines]), .influx)
        #expect(excerpts(result, result.batch.payloads, .influx) == [.itself, .itself])
        let array = #"[{"sensor_id":"s","timestamp":1700000000,"v":1}]"#
        let objects = decode(messages([array]))
        #expect(excerpts(objects, objects.batch.payloads, .auto) == [.itself])
    }

    @Test func brokenAndForeignBytesNeverTrap() {
        for form in PayloadForm.allCases {
            for body in [Array(Self.json.utf8), Self.protobuf, [0x5b], [0x0a, 0xff, 0xff, 0x7f], []] {
                for length in stride(from: 0, through: body.count, by: 7) {
                    let message = ByteRange(offset: 0, length: length)
                    let parts = [ByteRange(offset: 3, length: 2), ByteRange(offset: 0, length: 0)]
                    var left = 100
                    let found = MessageExcerpt.of(
                        parts, in: message, Array(body[..<length]), form: form, topic: "", hasHeader: false,
                        readings: { _ in [NamedReading(metric: "m", time: Timestamp(nanoseconds: 1), value: 1)] },
                        left: &left)
                    #expect(left >= 0)
                    #expect(found.count == 2)
                }
            }
        }
        let outside = ByteRange(offset: 5, length: 9)
        var left = 100
        let found = MessageExcerpt.of(
            [outside], in: outside, [1], form: .auto, topic: "", hasHeader: true, readings: { _ in [] }, left: &left)
        #expect(found == [.itself])
    }

    @Test func envelopesOfOtherMessagesAreNotKept() {
        var batch = MessageBatch()
        for number in 0..<3 { batch.payloads.append(ByteRange(offset: number, length: 1)) }
        batch.envelopes = (0..<100).map { MessageEnvelope(topic: "t\($0)") }
        batch.envelopeOfMessage = [70, 2, 70]
        let notes = batch.withoutBytes
        #expect(notes.envelopes.map(\.topic) == ["t70", "t2"])
        #expect((0..<4).map { notes.envelope(of: $0)?.topic } == ["t70", "t2", "t70", nil])
        let part = batch.part(1..<3, from: 1)
        #expect(part?.payloads == [ByteRange(offset: 0, length: 1), ByteRange(offset: 1, length: 1)])
        #expect(part?.envelope(of: 0)?.topic == "t2")
        #expect(batch.part(1..<4, from: 1) == nil)
    }
}
