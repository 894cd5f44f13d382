import Testing
import TocsinCore
import TocsinKafka

struct OutcomeRecordsTests {
    private let time = Timestamp(nanoseconds: 1_760_000_000_500_000_000)

    private func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }
    private func header(_ record: KafkaRecord?, _ name: String) -> String? {
        record?.headers.first { $0.name == name }.map { text($0.value) }
    }

    private var anomaly: Anomaly {
        Anomaly(
            id: "00000000000000aa", alarmID: "00000000000000bb", sensor: "s1", metric: "temperature", kind: .spike,
            detector: .bank, model: "bank", start: time, time: time, value: 99.5, expectedLow: 20,
            expectedHigh: .nan, score: 0.75, pValue: 0.001,
            contributions: [Contribution(name: "temperature", share: 1)], sentence: "s1 \"jumped\".")
    }

    @Test func anAnomaly() {
        let record = OutcomeRecords.record(of: anomaly, topic: "anomalies")
        #expect(record.topic == "anomalies")
        #expect(text(record.key) == "s1")
        #expect(record.time == time)
        #expect(
            text(record.value) == #"{"event_id":"00000000000000aa","sensor_id":"s1","metric":"temperature","#
                + #""window_start":"2025-10-09T08:53:20.500Z","window_end":"2025-10-09T08:53:20.500Z","anomaly_score":0.75,"#
                + #""is_anomaly":true,"p_value":0.001,"features":{"value":99.5,"expected_low":20,"expected_high":null,"#
                + #""contributions":{"temperature":1}},"kind":"spike","detector":"bank","explanation":"s1 \"jumped\".","#
                + #""model":"bank","alarm_id":"00000000000000bb","note":null}"#)
        #expect(header(record, "schema-version") == "anomaly/1")
        #expect(header(record, "content-type") == "application/json")
        let parent = header(record, "traceparent") ?? ""
        #expect(parent.count == 55 && parent.hasPrefix("00-") && parent.hasSuffix("-01"))
        #expect(parent == header(OutcomeRecords.record(of: anomaly, topic: "x"), "traceparent"))
        var excused = anomaly
        excused.note = "maintenance"
        #expect(text(OutcomeRecords.record(of: excused, topic: "x").value).contains(#""is_anomaly":false"#))
    }

    @Test func anAlarmSharesTheTraceOfItsAnomalies() {
        let alarm = Alarm(
            id: "00000000000000bb", sensor: "s1", metric: "temperature", kind: .spike, state: .open,
            severity: .warning, raised: time, lastSeen: time, verdicts: 1, score: 0.75, pValue: 0.001, sentence: "x")
        let record = OutcomeRecords.record(of: AlarmChange(step: .raised, alarm: alarm), topic: "iot.alerts")
        #expect(
            text(record.value).hasPrefix(
                #"{"event_id":"00000000000000bb-raised-1","sensor_id":"s1","step":"raised","is_told":true,"alarm":{"id":"00000000000000bb""#
            ))
        let trace = (header(record, "traceparent") ?? "").split(separator: "-")
        let other = (header(OutcomeRecords.record(of: anomaly, topic: "x"), "traceparent") ?? "").split(separator: "-")
        #expect(trace.count == 4 && other.count == 4)
        #expect(
            trace.dropFirst().first == other.dropFirst().first && trace.dropFirst(2).first != other.dropFirst(2).first)
    }

    @Test func aDeadLetterIsTheMessageItself() {
        let letter = DeadLetter(
            reason: .notANumber, detail: "field `v` is \"x\"", source: "plant:t/3", position: 4711, received: time,
            payload: [0x7B, 0xFF, 0x00], readings: 2)
        let record = OutcomeRecords.record(of: letter, topic: "iot.dlq")
        #expect(record.value == [0x7B, 0xFF, 0x00])
        #expect(header(record, "reason") == "not_a_number")
        #expect(header(record, "detail") == "field `v` is \"x\"")
        #expect(header(record, "source") == "plant:t/3")
        #expect(header(record, "position") == "4711")
        #expect(header(record, "readings") == "2")
        #expect(header(record, "received") == "2025-10-09T08:53:20.500Z")
    }

    @Test func processedEvents() {
        let table = SeriesTable()
        var batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: "plant:t/3", position: 100, received: time))
        batch.bytes = Array("{a}\n{b}\n{c}\n".utf8)
        batch.messageStarts = [0, 4, 8]
        let ids = table.withIndex { index -> (SensorID?, SeriesID?, SeriesID?) in
            let sensor = index.sensor("s1".utf8.span)
            guard let sensor, let one = index.metric("temperature".utf8.span),
                let two = index.metric("humidity".utf8.span)
            else { return (nil, nil, nil) }
            index.setZone("hall", of: sensor)
            let (first, second) = (index.series(sensor, one), index.series(sensor, two))
            if let first { index.setUnit("C", of: first) }
            return (sensor, first, second)
        }
        guard let sensor = ids.0, let one = ids.1, let two = ids.2 else { return #expect(Bool(false)) }
        for event in 0..<3 {
            batch.series += [one, two]
            batch.values += [99.5, Double(event)]
            batch.appendEvent(
                sensor: sensor, time: time.advanced(by: .seconds(Int64(event))), key: 7,
                payload: ByteRange(offset: event * 4, length: 3), label: .none)
        }
        let outcome = BatchOutcome(
            batch: batch, fates: [.stored, .duplicate, .late], accepted: [true, true, true, true, false, true],
            anomalies: [anomaly])
        let records = OutcomeRecords(.all).records(of: outcome, table: table)
        #expect(records.map(\.topic) == ["iot.processed", "iot.processed", "anomalies"])
        let first = text(records.first?.value)
        #expect(
            first.hasSuffix(
                #""sensor_id":"s1","timestamp":"2025-10-09T08:53:20.500Z","received":"2025-10-09T08:53:20.500Z","source":"plant:t/3","#
                    + #""position":100,"zone":"hall","is_late":false,"is_anomaly":true,"readings":{"temperature":99.5,"humidity":0},"units":{"temperature":"C"}}"#
            ))
        #expect(
            text(records[1].value).hasSuffix(
                #""position":102,"zone":"hall","is_late":true,"is_anomaly":false,"readings":{"humidity":2},"units":{}}"#
            ))
        #expect(records.map { text($0.key) } == ["s1", "s1", "s1"])
        let nothing = KafkaTopics(anomalies: nil, alerts: nil, deadLetters: nil)
        #expect(OutcomeRecords(nothing).records(of: outcome, table: table).isEmpty)
    }
}
