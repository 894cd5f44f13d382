import TocsinCore

/// A store of plain lists that obeys every part of a query.
struct ListStore: Store {
    var eventList: [StoredEvent] = []
    var anomalyList: [Anomaly] = []
    var alarmList: [Alarm] = []
    var windowList: [StoredWindow] = []
    var modelList: [ModelRecord] = []
    var feedbackList: [Feedback] = []

    private func cut<Row>(
        _ rows: [Row], _ query: RecordQuery, sensor: (Row) -> String, time: (Row) -> Timestamp,
        has: (Row, String) -> Bool
    ) -> [Row] {
        let found = rows.filter { row in
            (query.sensor ?? sensor(row)) == sensor(row) && (query.metric.map { has(row, $0) } ?? true)
                && (query.start.map { time(row) >= $0 } ?? true) && (query.end.map { time(row) < $0 } ?? true)
        }.sorted { time($0) > time($1) }
        return Array(found.dropFirst(query.offset).prefix(query.limit))
    }

    func events(_ query: RecordQuery) async throws -> [StoredEvent] {
        cut(eventList, query, sensor: \.sensor, time: \.time) { event, metric in
            event.readings.contains { $0.metric == metric }
        }
    }
    func anomalies(_ query: RecordQuery) async throws -> [Anomaly] {
        cut(anomalyList, query, sensor: \.sensor, time: \.time) { $0.metric == $1 }
    }
    func alarms(_ query: RecordQuery, state: Alarm.State?) async throws -> [Alarm] {
        cut(alarmList.filter { state == nil || $0.state == state }, query, sensor: \.sensor, time: \.raised) {
            $0.metric == $1
        }
    }
    func alarm(id: String) async throws -> Alarm? { alarmList.first { $0.id == id } }
    func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int
    ) async throws -> [AlarmAction] { [] }
    func feedback(since: Timestamp) async throws -> [Feedback] { feedbackList.filter { $0.given >= since } }
    func windows(_ query: RecordQuery) async throws -> [StoredWindow] {
        cut(windowList, query, sensor: \.sensor, time: \.start) { $0.metric == $1 }
    }
    func models(name: String?) async throws -> [ModelRecord] {
        modelList.filter { name == nil || $0.name == name }.sorted { $0.version > $1.version }
    }

    func write(_ outcomes: [BatchOutcome]) async throws -> [HeldReadings] { [] }
    func openAlarms() async throws -> [Alarm] { [] }
    func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter] { [] }
    func deadLetter(id: Int64) async throws -> DeadLetter? { nil }
    func removeDeadLetters(ids: [Int64]) async throws {}
    func lastDeadLetterID() async throws -> Int64 { 0 }
    func removeDeadLetters(after id: Int64) async throws {}
    func saveJob(_ job: JobRecord) async throws {}
    func jobs(name: String?, limit: Int) async throws -> [JobRecord] { [] }
    func saveQualityReport(_ report: QualityReport) async throws {}
    func qualityReports(subject: String?, limit: Int) async throws -> [QualityReport] { [] }
    func saveCheckpoint(_ checkpoint: CheckpointRecord) async throws {}
    func checkpoint(name: String) async throws -> CheckpointRecord? { nil }
    func deadLetterCounts() async throws -> [DeadLetterReason: Int] { [:] }
    func saveModel(_ model: ModelRecord) async throws {}
    func applyRetention(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] { [:] }
    func statistics() async throws -> StoreStatistics { StoreStatistics(bytes: 0, rows: [:]) }
    func close() async throws {}
}

/// A pump whose pressure drops at second 280 and whose temperature jumps at second 300, in a plant of five.
enum PumpStory {
    static func time(_ second: Int) -> Timestamp {
        Timestamp(nanoseconds: (1_759_276_800 + Int64(second)) * 1_000_000_000)
    }

    static func anomaly(
        _ id: String, sensor: String = "pump-1", metric: String? = "temperature", at second: Int = 300,
        kind: AnomalyKind = .spike, alarm: String? = "00000000000000a1"
    ) -> Anomaly {
        Anomaly(
            id: id, alarmID: alarm, sensor: sensor, metric: metric, kind: kind, detector: .bank, model: "bank",
            start: time(second), time: time(second), value: 95, expectedLow: 19, expectedHigh: 23, score: 0.97,
            pValue: 2e-8, contributions: [.init(name: "temperature", share: 0.8), .init(name: "pressure", share: 0.1)],
            sentence: "temperature of \(sensor) jumped to 95 °C")
    }

    static let alarm = Alarm(
        id: "00000000000000a1", sensor: "pump-1", metric: "temperature", kind: .spike, state: .open,
        severity: .critical, raised: time(200), lastSeen: time(300), verdicts: 2, score: 0.97, pValue: 2e-8,
        sentence: "temperature of pump-1 jumped")

    static let anomalies = [
        anomaly("abcd000000000001"), anomaly("abcd000000000002", at: 200),
        anomaly("abff000000000003", sensor: "pump-2", at: 290, alarm: nil),
        anomaly("1234000000000004", metric: "pressure", at: 285, kind: .drift, alarm: nil),
    ]

    /// A small unrest that is the same in every run.
    private static func unrest(_ second: Int, _ pump: Int) -> Double { Double((second * 7919 + pump * 31) % 13) / 13 }

    static func events() -> [StoredEvent] {
        var events: [StoredEvent] = []
        for second in 0..<400 {
            for pump in 1...5 {
                var temperature = 20 + unrest(second, pump)
                var pressure = 5 + unrest(second, pump + 9) / 10
                if pump == 1, second == 300 { temperature = 95 }
                if pump == 1, second == 200 { temperature = 90 }
                if pump == 1, second >= 280 { pressure = 3 }
                events.append(
                    StoredEvent(
                        sensor: "pump-\(pump)", time: time(second), received: time(second), source: "test",
                        isLate: false,
                        readings: [
                            (metric: "temperature", value: temperature, unit: "celsius"),
                            (metric: "pressure", value: pressure, unit: "bar"),
                            (metric: "vibration", value: 1 + unrest(second, pump + 3), unit: nil),
                        ], payload: []))
            }
        }
        return events
    }

    /// Of ten seconds each, made of the events.
    static func windows() -> [StoredWindow] {
        var groups: [String: [Double]] = [:]
        for event in events() {
            let slot = event.time.since(time(0)).nanoseconds / 10_000_000_000
            for reading in event.readings {
                groups["\(event.sensor) \(reading.metric) \(slot)", default: []].append(reading.value)
            }
        }
        return groups.map { key, values in
            let parts = key.split(separator: " ").map(String.init)
            let second = (Int(parts[2]) ?? 0) * 10
            var statistics = Array(repeating: Double.nan, count: WindowStatistic.columns)
            statistics[WindowStatistic.count.rawValue] = Double(values.count)
            statistics[WindowStatistic.mean.rawValue] = values.reduce(0, +) / Double(values.count)
            statistics[WindowStatistic.minimum.rawValue] = values.min() ?? .nan
            statistics[WindowStatistic.maximum.rawValue] = values.max() ?? .nan
            return StoredWindow(
                sensor: parts[0], metric: parts[1], start: time(second), end: time(second + 10),
                statistics: statistics, score: .nan)
        }
    }

    static func store(events hasEvents: Bool = true, windows hasWindows: Bool = true) -> ListStore {
        ListStore(
            eventList: hasEvents ? events() : [], anomalyList: anomalies, alarmList: [alarm],
            windowList: hasWindows ? windows() : [])
    }
}
