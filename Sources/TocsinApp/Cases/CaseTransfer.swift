public import TocsinCore

/// Copies a range of time from one store to another: rows keep their keys, so that copying again changes nothing.
struct CaseTransfer: Sendable {
    let source: any Store
    let target: any Store
    /// Of the target.
    let table: SeriesTable
    let windows: [WindowDefinition]
    let clock: any WallClock
    /// Told what is being copied, and how many rows so far.
    let progress: @Sendable (String, Int) -> Void
    private static let page = 10_000

    func run(_ selection: CaseSelection) async throws -> CaseCounts {
        var counts = CaseCounts()
        if selection.withEvents { try await events(selection, &counts) }
        try await windows(selection, &counts)
        try await anomalies(selection, &counts)
        try await alarms(selection, &counts)
        for model in try await source.models(name: nil).reversed() {
            let known = try await target.models(name: model.name)
            guard !known.contains(where: { $0.version == model.version }) else { continue }
            try await target.saveModel(model)
            counts.models += 1
        }
        return counts
    }

    private func newBuilder() -> OutcomeBuilder { OutcomeBuilder(table: table, windows: windows, now: clock.now()) }

    private func events(_ selection: CaseSelection, _ counts: inout CaseCounts) async throws {
        try await pages(selection, time: { $0.time }, read: { [source] in try await source.events($0) }) { rows in
            var builder = newBuilder()
            for row in rows { try builder.add(row) }
            try await target.write([builder.outcome])
            counts.events += rows.count
            progress("events", counts.events)
        }
    }

    private func windows(_ selection: CaseSelection, _ counts: inout CaseCounts) async throws {
        try await pages(selection, time: { $0.start }, read: { [source] in try await source.windows($0) }) { rows in
            var builder = newBuilder()
            for row in rows where try !builder.add(row) { counts.unknownWindows += 1 }
            try await target.write([builder.outcome])
            counts.windows += rows.count
            progress("windows", counts.windows)
        }
        counts.windows -= counts.unknownWindows
    }

    private func anomalies(_ selection: CaseSelection, _ counts: inout CaseCounts) async throws {
        try await pages(selection, time: { $0.time }, read: { [source] in try await source.anomalies($0) }) { rows in
            var builder = newBuilder()
            for row in rows { builder.add(row) }
            try await target.write([builder.outcome])
            counts.anomalies += rows.count
            progress("anomalies", counts.anomalies)
        }
    }

    private func alarms(_ selection: CaseSelection, _ counts: inout CaseCounts) async throws {
        var ids: Set<String> = []
        try await pages(selection, time: { $0.raised }, read: { [source] in try await source.alarms($0, state: nil) }) {
            rows in
            var builder = newBuilder()
            for row in rows { builder.add(row) }
            try await target.write([builder.outcome])
            ids.formUnion(rows.map(\.id))
            counts.alarms = ids.count
            progress("alarms", counts.alarms)
        }
        let words = try await source.feedback(since: Timestamp(nanoseconds: 0)).filter { ids.contains($0.alarmID) }
        guard !words.isEmpty else { return }
        var builder = newBuilder()
        for word in words { builder.add(word) }
        try await target.write([builder.outcome])
    }

    private func pages<Row: Sendable>(
        _ selection: CaseSelection, time: @escaping @Sendable (Row) -> Timestamp,
        read: @escaping @Sendable (RecordQuery) async throws -> [Row], take: ([Row]) async throws -> Void
    ) async throws {
        let query = RecordQuery(
            sensor: selection.sensor, start: selection.start, end: selection.end, limit: Self.page)
        var pages = RecordPages(query, time: time, read: read)
        while true {
            let rows = try await pages.next()
            if rows.isEmpty { return }
            try await take(rows)
        }
    }
}

/// Which part of a store.
public struct CaseSelection: Sendable {
    /// Event times, the end excluded; nil = from the first, to the last.
    public var start: Timestamp?
    public var end: Timestamp?
    public var sensor: String?
    public var withEvents: Bool

    public init(start: Timestamp? = nil, end: Timestamp? = nil, sensor: String? = nil, withEvents: Bool = true) {
        self.start = start
        self.end = end
        self.sensor = sensor
        self.withEvents = withEvents
    }
}

/// How many rows went over.
public struct CaseCounts: Sendable {
    public var events = 0
    public var windows = 0
    public var anomalies = 0
    public var alarms = 0
    public var models = 0
    /// Windows of a length that is not configured: left out.
    public var unknownWindows = 0

    public init() {}
}
