internal import Testing
internal import TocsinCore

// Every filter of every listing, alone and together, against the same choice made by hand; and their pages.
extension StoreConformance {
    private static let sensors = ["a", "b", "c"]
    private static let metrics = ["temperature", "pressure"]
    private static let seconds: Range<Int64> = 0..<30

    /// Sensors, metrics and ranges of time, with some that match nothing.
    private static var queries: [RecordQuery] {
        var queries: [RecordQuery] = []
        for sensor in [nil, "b", "nobody"] {
            for metric in [nil, "pressure", "nothing"] {
                for (start, end) in [(nil, nil), (10, nil), (nil, 20), (10, 20), (20, 10), (29, 30)]
                    as [(Int64?, Int64?)]
                {
                    queries.append(
                        RecordQuery(
                            sensor: sensor, metric: metric, start: start.map(StoreInput.second),
                            end: end.map(StoreInput.second), limit: 1000))
                }
            }
        }
        return queries
    }

    func filters(_ store: any Store, _ table: SeriesTable) async throws {
        try await store.write([Self.everything(table).outcome])
        for query in Self.queries {
            let expected = Self.rows(query)
            let events = try await store.events(query)
            #expect(events.map { Row($0.sensor, $0.readings.first?.metric, $0.time) }.sorted() == expected, "\(query)")
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.time >= $1.time })
            let windows = try await store.windows(query)
            #expect(windows.map { Row($0.sensor, $0.metric, $0.start) }.sorted() == expected, "\(query)")
            let anomalies = try await store.anomalies(query)
            #expect(anomalies.map { Row($0.sensor, $0.metric, $0.time) }.sorted() == expected, "\(query)")
            #expect(zip(anomalies, anomalies.dropFirst()).allSatisfy { $0.time >= $1.time })
            for state in [nil, Alarm.State.open, .cleared] {
                let alarms = try await store.alarms(query, state: state)
                let wanted = expected.filter { state == nil || Self.state(at: $0.time) == state }
                #expect(alarms.map { Row($0.sensor, $0.metric, $0.raised) }.sorted() == wanted, "\(query)")
                #expect(zip(alarms, alarms.dropFirst()).allSatisfy { $0.raised >= $1.raised })
            }
        }
    }

    /// Pages put together are the whole: nothing twice, nothing missing, in one order.
    func paging(_ store: any Store, _ table: SeriesTable) async throws {
        var input = Self.everything(table)
        for position in 0..<50 as Range<Int64> {
            input.deadLetter(.malformed, position: position, received: position / 4)
        }
        try await store.write([input.outcome])
        for filter in [RecordQuery(), RecordQuery(sensor: "b"), RecordQuery(metric: "pressure")] {
            try await Self.page { limit, offset in
                try await store.events(Self.page(filter, limit, offset)).map { "\($0)" }
            }
            try await Self.page { limit, offset in
                try await store.windows(Self.page(filter, limit, offset)).map { "\($0)" }
            }
            try await Self.page { limit, offset in
                try await store.anomalies(Self.page(filter, limit, offset)).map { "\($0)" }
            }
            try await Self.page { limit, offset in
                try await store.alarms(Self.page(filter, limit, offset), state: .cleared).map { "\($0)" }
            }
        }
        for reason in [nil, DeadLetterReason.malformed] {
            try await Self.page { limit, offset in
                try await store.deadLetters(reason: reason, limit: limit, offset: offset).map { "\($0)" }
            }
        }
        #expect(try await store.deadLetters(reason: nil, limit: -1, offset: 0).isEmpty)
        #expect(try await store.deadLetters(reason: nil, limit: 10, offset: 50).isEmpty)
        #expect(try await store.deadLetters(reason: .future, limit: 10, offset: 0).isEmpty)
    }

    /// What the store says of its rows and bytes.
    func statistics(_ store: any Store, _ table: SeriesTable) async throws {
        let empty = try await store.statistics()
        #expect(empty.rows.values.allSatisfy { $0 == 0 })
        var input = Self.everything(table)
        input.deadLetter(.malformed, position: 1)
        try await store.write([input.outcome])
        try await store.saveModel(
            ModelRecord(
                name: "m", version: 1, origin: .trained, created: StoreInput.second(0), format: "f/1", summary: "{}",
                data: [1]))
        let full = try await store.statistics()
        let rows = Self.rows(RecordQuery()).count
        let counts = [
            "sensors": 3, "series": 6, "sensor_events": rows, "windows": rows, "anomalies": rows, "alarms": rows,
            "dead_letters": 1, "model_registry": 1, "jobs": 0, "quality_reports": 0, "checkpoints": 0,
        ]
        for (table, count) in counts { #expect(full.rows[table] == count, "\(table)") }
        #expect(full.bytes > 0)
    }

    // MARK: Parts

    private struct Row: Equatable, Comparable {
        var sensor: String
        var metric: String
        var time: Timestamp
        init(_ sensor: String, _ metric: String?, _ time: Timestamp) {
            self.sensor = sensor
            self.metric = metric ?? ""
            self.time = time
        }
        static func < (left: Row, right: Row) -> Bool {
            (left.sensor, left.metric, left.time) < (right.sensor, right.metric, right.time)
        }
    }

    /// Of every sensor, metric and second one event, one window, one anomaly and one alarm.
    private static func everything(_ table: SeriesTable) -> StoreInput {
        var input = StoreInput(table: table)
        for (number, second) in seconds.shuffledByHand.enumerated() {
            for sensor in sensors {
                for metric in metrics {
                    let id = "\(sensor)\(metric.first ?? " ")\(second)"
                    input.event(sensor, at: second, [(metric, Double(second))])
                    input.window(sensor, metric, start: second, base: Double(number))
                    input.outcome.anomalies.append(
                        StoreInput.anomaly("n\(id)", sensor: sensor, metric: metric, at: second))
                    let cleared = state(at: StoreInput.second(second)) == .cleared ? second + 5 : nil
                    var alarm = StoreInput.alarm("l\(id)", sensor: sensor, raised: second, cleared: cleared)
                    alarm.metric = metric
                    input.outcome.alarmChanges.append(AlarmChange(step: .raised, alarm: alarm))
                }
            }
        }
        return input
    }

    private static func state(at time: Timestamp) -> Alarm.State {
        time.nanoseconds / 1_000_000_000 % 3 == 0 ? .open : .cleared
    }

    private static func rows(_ query: RecordQuery) -> [Row] {
        seconds.flatMap { second in
            sensors.flatMap { sensor in metrics.map { Row(sensor, $0, StoreInput.second(second)) } }
        }.filter { row in
            (query.sensor == nil || query.sensor == row.sensor) && (query.metric == nil || query.metric == row.metric)
                && query.start.map { row.time >= $0 } != false && query.end.map { row.time < $0 } != false
        }.sorted()
    }

    private static func page(_ filter: RecordQuery, _ limit: Int, _ offset: Int) -> RecordQuery {
        var query = filter
        query.limit = limit
        query.offset = offset
        return query
    }

    private static func page(_ list: (_ limit: Int, _ offset: Int) async throws -> [String]) async throws {
        let whole = try await list(10_000, 0)
        #expect(!whole.isEmpty)
        #expect(Set(whole).count == whole.count)
        var pages: [String] = []
        while true {
            let next = try await list(7, pages.count)
            #expect(next.count <= 7)
            if next.isEmpty { break }
            pages += next
        }
        #expect(pages == whole)
    }
}

extension Range<Int64> {
    /// Each number once, in no simple order.
    fileprivate var shuffledByHand: [Int64] { map { lowerBound + ($0 - lowerBound) * 7 % Int64(count) } }
}
