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
        let record = OutcomeRecords.record(
            of: AlarmChange(step: .raised, alarm: alarm), occasion: "x", topic: "iot.alerts")
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

    /// Whoever does the same again says so again; what is sent again is the same.
    @Test func whatPeopleDoTwiceIsTwoSteps() {
        let alarm = Alarm(
            id: "00000000000000bb", sensor: "s1", metric: "temperature", kind: .spike, state: .open,
            severity: .warning, raised: time, lastSeen: time, verdicts: 1, score: 0.75, pValue: 0.001, sentence: "x")
        func id(_ step: AlarmChange.Step, at seconds: Int64, by person: String?) -> String? {
            let now = time.advanced(by: .seconds(seconds))
            let origin = Origin(source: SourceID(0), sourceName: "people", position: seconds, received: now)
            let action = person.map {
                AlarmAction(.assign, on: alarm, person: $0, text: "Bob", given: now, wallTime: now)
            }
            let outcome = BatchOutcome(
                batch: Batch(origin: origin), fates: [], accepted: [],
                alarmChanges: [AlarmChange(step: step, alarm: alarm)], actions: action.map { [$0] } ?? [])
            let records = OutcomeRecords(.all).records(of: outcome, table: SeriesTable())
            return text(records.first?.value).split(separator: "\"").dropFirst(3).first.map(String.init)
        }
        for step in [
            AlarmChange.Step.acknowledged, .assigned, .commented, .shelved, .unshelved, .outOfService, .inService,
        ] {
            let ids = [id(step, at: 1, by: "Ida"), id(step, at: 2, by: "Ida"), id(step, at: 1, by: "Cy")]
            // The end of a shelf, by time alone.
            let untouched = [id(step, at: 1, by: nil), id(step, at: 2, by: nil)]
            #expect(Set(ids + untouched).count == 5, "\(step): \(ids + untouched)")
            #expect(ids.first == id(step, at: 1, by: "Ida") && untouched.first == id(step, at: 1, by: nil))
        }
        #expect(id(.raised, at: 1, by: nil) == "00000000000000bb-raised-1")
        #expect(id(.cleared, at: 1, by: "Ida") == id(.cleared, at: 2, by: nil))
    }

    private var letter: DeadLetter {
        DeadLetter(
            reason: .notANumber, detail: "field `v` is \"x\"", source: "plant:t/3", position: 4711, received: time,
            payload: [0x7B, 0xFF, 0x00], readings: 2)
    }

    @Test func deadLettersHaveIDsOfTheirOwn() {
        let changes: [(inout DeadLetter) -> Void] = [
            { $0.source = "plant:t/4" }, { $0.position += 1 }, { $0.reason = .malformed }, { $0.detail = "" },
            { $0.payload[2] = 1 },
        ]
        var ids = [header(OutcomeRecords.record(of: letter, topic: "iot.dlq"), "event_id")]
        #expect(ids.first??.count == 16)
        for change in changes {
            var other = letter
            change(&other)
            ids.append(header(OutcomeRecords.record(of: other, topic: "iot.dlq"), "event_id"))
        }
        #expect(Set(ids).count == 6)
        // It came again: the same.
        var again = letter
        again.received = time.advanced(by: .seconds(60))
        #expect(header(OutcomeRecords.record(of: again, topic: "iot.dlq"), "event_id") == ids.first)
    }

    @Test func aDeadLetterIsTheMessageItself() {
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

    /// As the stores tell them apart: by the device's own id, or by all that was read.
    @Test func eventsOfOneMomentHaveIDsOfTheirOwn() {
        let ids = [
            eventID(["usage_idle": 90]), eventID(["used_percent": 90]), eventID(["usage_idle": 91]),
            eventID(["usage_idle": 90], sensor: "web2"), eventID(["usage_idle": 90], second: 1),
            eventID(["usage_idle": 90], key: 7), eventID(["usage_idle": 90], key: 8),
        ]
        #expect(Set(ids).count == ids.count, "\(ids)")
        #expect(ids[0] == eventID(["usage_idle": 90]) && ids[0].count == 16)
        #expect(ids[5] == eventID(["usage_idle": 12], key: 7))
        // A rule that refuses a reading now does not make it another event.
        #expect(eventID(["a": 1, "b": 2]) == eventID(["a": 1, "b": 2], accepted: [true, false]))
    }

    private func eventID(
        _ readings: KeyValuePairs<String, Double>, sensor: String = "web1", second: Int64 = 0, key: UInt64 = 0,
        accepted: [Bool]? = nil
    ) -> String {
        let table = SeriesTable()
        var batch = Batch(origin: Origin(source: SourceID(0), sourceName: "http", position: 0, received: time))
        let series = table.withIndex { index -> (SensorID, [SeriesID])? in
            guard let sensor = index.sensor(sensor.utf8.span) else { return nil }
            return (sensor, readings.compactMap { index.metric($0.key.utf8.span).flatMap { index.series(sensor, $0) } })
        }
        guard let series else { return "" }
        batch.series = series.1
        batch.values = readings.map(\.value)
        batch.appendEvent(
            sensor: series.0, time: time.advanced(by: .seconds(second)), key: key,
            payload: ByteRange(offset: 0, length: 0), label: .none)
        let outcome = BatchOutcome(
            batch: batch, fates: [.stored], accepted: accepted ?? readings.map { _ in true })
        let records = OutcomeRecords(.all).records(of: outcome, table: table)
        return text(records.first?.value).split(separator: "\"").dropFirst(3).first.map(String.init) ?? ""
    }
}
