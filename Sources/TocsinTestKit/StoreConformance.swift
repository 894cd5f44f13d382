internal import Testing
public import TocsinCore

/// What every `Store` must do, whatever holds its rows.
///
/// ```swift
/// @Test(arguments: StoreConformance.Check.allCases)
/// func conforms(_ check: StoreConformance.Check) async throws {
///     try await StoreConformance { table in try MyStore(table) }.run(check)
/// }
/// ```
/// Each check gets an empty store of its own.
public struct StoreConformance: Sendable {
    public enum Check: String, Sendable, CaseIterable {
        case replay, narrowEvents, fates, eventListing, eventPaging, unevenPaging, oddContent, names
        case held, filters, paging, statistics
        case windows, anomalies, alarms, decisions, actions, deadLetters, models, jobs, qualityReports, checkpoints
        case retentionByAge, retentionBySize, retentionByThinning, retentionOfJobs
        case atomicity, readingWhileWriting, close
    }

    let make: @Sendable (SeriesTable) async throws -> any Store

    /// - Parameter make: an empty store on the given names.
    public init(_ make: @escaping @Sendable (SeriesTable) async throws -> any Store) { self.make = make }

    public func run(_ check: Check) async throws {
        let table = SeriesTable(seed: 1)
        let store = try await make(table)
        switch check {
        case .replay: try await replay(store, table)
        case .narrowEvents: try await narrowEvents(store, table)
        case .fates: try await fates(store, table)
        case .eventListing: try await eventListing(store, table)
        case .eventPaging: try await eventPaging(store, table)
        case .unevenPaging: try await unevenPaging(store, table)
        case .oddContent: try await oddContent(store, table)
        case .names: try await names(store, table)
        case .windows: try await windows(store, table)
        case .anomalies: try await anomalies(store, table)
        case .alarms: try await alarms(store, table)
        case .deadLetters: try await deadLetters(store, table)
        case .decisions: try await decisions(store, table)
        case .actions: try await actions(store, table)
        case .models: try await models(store)
        case .jobs: try await jobs(store)
        case .qualityReports: try await qualityReports(store)
        case .checkpoints: try await checkpoints(store)
        case .held: try await held(store, table)
        case .filters: try await filters(store, table)
        case .paging: try await paging(store, table)
        case .statistics: try await statistics(store, table)
        case .atomicity: try await atomicity(store, table)
        case .retentionByAge: try await retentionByAge(store, table)
        case .retentionBySize: try await retentionBySize(store, table)
        case .retentionByThinning: try await retentionByThinning(store, table)
        case .retentionOfJobs: try await retentionOfJobs(store)
        case .readingWhileWriting: try await readingWhileWriting(store, table)
        case .close: try await close(store, table)
        }
        try await store.close()
    }

    /// One of everything, written three times: the rows are those of the first time.
    private func replay(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        input.event("a", at: 1, [("temperature", 21.5), ("humidity", 40)], unit: "C")
        input.event("b", at: 1, [("temperature", 22.5)], key: 77, fate: .late)
        input.window("a", "temperature", start: 0, base: 1)
        input.deadLetter(.malformed, position: 10)
        input.outcome.anomalies = [StoreInput.anomaly("00000000000000f1", sensor: "a", at: 1)]
        input.outcome.alarmChanges = [
            AlarmChange(step: .raised, alarm: StoreInput.alarm("00000000000000a1", sensor: "a", raised: 1))
        ]
        try await store.write([input.outcome])
        let first = try await contents(of: store)
        #expect(first.count == 7)
        try await store.write([input.outcome])
        try await store.write([input.outcome, input.outcome])
        #expect(try await contents(of: store) == first)
    }

    /// What a redelivery finds already there is said for each outcome by itself, also within one write.
    private func held(_ store: any Store, _ table: SeriesTable) async throws {
        var first = StoreInput(table: table)
        first.event("a", at: 1, [("t", 1), ("u", 2), ("v", 3)], refused: ["u"])
        first.event("a", at: 2, [("t", 4)], fate: .late)
        first.event("a", at: 3, [("t", 5)], fate: .duplicate)
        var second = StoreInput(table: table)
        second.event("a", at: 2, [("t", 4)], fate: .late)
        second.event("b", at: 1, [("t", 6)])
        #expect(try await store.write([first.outcome, second.outcome]) == [HeldReadings(), HeldReadings(late: 1)])
        #expect(
            try await store.write([second.outcome, first.outcome])
                == [HeldReadings(stored: 1, late: 1), HeldReadings(stored: 2, late: 1)])
        // One that brings more readings of the same event than are there is no repetition.
        var more = StoreInput(table: table)
        more.event("a", at: 1, [("t", 1), ("u", 2), ("v", 3)])
        #expect(try await store.write([more.outcome]) == [HeldReadings()])
        #expect(try await store.events(RecordQuery(sensor: "a")).last?.readings.map(\.metric) == ["t", "u", "v"])
        #expect(try await store.write([more.outcome]) == [HeldReadings(stored: 3)])
        #expect(try await store.events(RecordQuery()).count == 3)
        #expect(try await store.write([]) == [])
    }

    /// Everything that can be listed, as text that can be compared.
    func contents(of store: any Store) async throws -> [String] {
        let everything = RecordQuery(limit: 100_000)
        return try await store.events(everything).map { "\($0)" } + store.windows(everything).map { "\($0)" }
            + store.anomalies(everything).map { "\($0)" } + store.alarms(everything, state: nil).map { "\($0)" }
            + store.openAlarms().map { "\($0)" }
            + store.deadLetters(reason: nil, limit: 100_000, offset: 0).map { "\($0)" }
    }

    /// A transaction that fails leaves nothing, and does not harm the next one.
    private func atomicity(_ store: any Store, _ table: SeriesTable) async throws {
        var good = StoreInput(table: table)
        good.event("a", at: 1, [("temperature", 1)])
        var bad = StoreInput(table: table)
        bad.event("b", at: 1, [("pressure", 2)])
        bad.window("b", "pressure", start: 0, base: 1, definition: 200)
        await #expect(throws: TocsinError.self) { try await store.write([good.outcome, bad.outcome]) }
        #expect(try await contents(of: store).isEmpty)
        try await store.write([good.outcome])
        bad.outcome.windows = WindowBatch()
        try await store.write([bad.outcome])
        #expect(try await store.events(RecordQuery()).map(\.sensor).sorted() == ["a", "b"])
    }

    /// A listing sees whole transactions only: every write adds one event of each of two sensors.
    private func readingWhileWriting(_ store: any Store, _ table: SeriesTable) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for second in 0..<100 {
                    var input = StoreInput(table: table)
                    input.event("a", at: Int64(second), [("x", 1)])
                    input.event("b", at: Int64(second), [("x", 2)])
                    try await store.write([input.outcome])
                }
            }
            group.addTask {
                for _ in 0..<50 {
                    let events = try await store.events(RecordQuery(limit: 1000))
                    #expect(events.count(where: { $0.sensor == "a" }) == events.count(where: { $0.sensor == "b" }))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.events(RecordQuery(limit: 1000)).count == 200)
        #expect(try await store.events(RecordQuery(sensor: "b", limit: 1000)).count == 100)
    }

    private func close(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        input.event("a", at: 1, [("temperature", 1)])
        try await store.write([input.outcome])
        try await store.close()
        await #expect(throws: TocsinError.self) { try await store.write([input.outcome]) }
        await #expect(throws: TocsinError.self) { try await store.write([]) }
        await #expect(throws: TocsinError.self) { _ = try await store.events(RecordQuery()) }
        await #expect(throws: TocsinError.self) { _ = try await store.statistics() }
        await #expect(throws: TocsinError.self) {
            _ = try await store.applyRetention(RetentionPolicy(), now: .init(nanoseconds: 0))
        }
    }
}
