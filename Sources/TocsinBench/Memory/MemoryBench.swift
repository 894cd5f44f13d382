internal import TocsinApp
public import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine
public import TocsinMeasure
internal import TocsinServer
internal import TocsinStore

/// `tocsin bench memory`: any number of sensors through the real engine; what it holds for each series, and what a
/// reading costs then.
public struct MemoryBench: Sendable {
    private let settings: MemorySettings
    private let configuration: TocsinConfiguration
    private let progress: ProgressLine?
    private static let largestBatch = 5000
    /// Paced: a batch holds what comes in a twentieth of a second.
    private static let batchesPerSecond = 20
    private static let inFlight = 16

    public init(
        settings: MemorySettings, configuration: TocsinConfiguration, progress: ProgressLine?
    ) {
        self.settings = settings
        self.configuration = configuration
        self.progress = progress
    }

    /// - Throws: `TocsinError` when the settings make no sense or the engine fails.
    public func run() async throws -> MemoryReport {
        try settings.validate()
        guard settings.persists else { return try await measure(DiscardingStore(), table: table) }
        let folder = try DataFolder.temporary()
        defer { DataFolder.removeTemporary(folder) }
        let table = table
        let store = try SQLiteStore(
            path: folder + "/bench.sqlite", table: table,
            settings: SQLiteSettings(storesEvents: false, windows: configuration.windows))
        let report = try await measure(store, table: table)
        try await store.close()
        return report
    }

    private var table: SeriesTable {
        SeriesTable(maxSeries: max(settings.sensors, configuration.engine.maxSeries), seed: 1)
    }

    private var batchReadings: Int {
        settings.isPaced
            ? max(1, min(Self.largestBatch, settings.sensors / Self.batchesPerSecond)) : Self.largestBatch
    }

    private func measure(_ store: any Store, table: SeriesTable) async throws -> MemoryReport {
        var report = MemoryReport(settings: settings)
        report.before = ProcessUsage.current()?.residentBytes ?? 0
        let clock = SystemClock()
        let engine = Engine(
            settings: try EngineSettings(configuration, isLive: settings.isPaced), table: table, store: store,
            clock: clock)
        let fleet = try ColumnFleet(
            sensors: settings.sensors, start: clock.now().advanced(by: .seconds(1)), table: table)
        async let work: Void = engine.run()
        do {
            report = try await drive(engine, fleet, report)
        } catch {
            engine.finish()
            try await work
            throw error
        }
        engine.finish()
        try await work
        return report
    }

    /// Sends warm-up and measurement, and takes stock when all of it is through.
    private func drive(_ engine: Engine, _ start: ColumnFleet, _ begun: MemoryReport) async throws -> MemoryReport {
        var (fleet, report) = (start, begun)
        var pending: [any DeliveryReceipt] = []
        let total = settings.warmUp + settings.seconds
        var told = 0
        var watch = StopWatch()
        var isMeasuring = false
        func settle(_ limit: Int) async throws {
            while pending.count > limit { _ = try await pending.removeFirst().wait() }
        }
        while fleet.ticks < total {
            if !isMeasuring, fleet.ticks >= settings.warmUp {
                try await settle(0)
                isMeasuring = true
                watch.start()
            }
            // Whole seconds only where it matters: few sensors would make tiny batches.
            let endsWithSecond = settings.isPaced || settings.sensors >= Self.largestBatch
            let batch = fleet.batch(readings: batchReadings, endsWithSecond: endsWithSecond)
            if settings.isPaced { try await Self.wait(until: batch.origin.received) }
            pending.append(try await engine.enqueue(batch))
            try await settle(Self.inFlight)
            if settings.isPaced {
                let lag = MachineClock.wall() - batch.origin.received.nanoseconds
                report.lag.record(lag)
                report.lastLag = lag
            }
            if isMeasuring { report.readings += batch.readingCount }
            if fleet.ticks >= told + max(1, total / 200) {
                told = fleet.ticks
                progress?("\(Figure.grouped(told)) of \(Figure.grouped(total)) s of event time")
            }
        }
        try await settle(0)
        watch.stop()
        report.cost = watch.cost
        let usage = ProcessUsage.current()
        report.after = usage?.residentBytes ?? 0
        report.peak = usage?.peakResidentBytes ?? 0
        // What the engine does not name is shown as "rest".
        report.parts = engine.memory.map { MemoryPart(name: $0.part, bytes: $0.bytes) }
        return report
    }

    private static func wait(until time: Timestamp) async throws {
        let left = time.nanoseconds - MachineClock.wall()
        if left > 0 { try await Task.sleep(for: .nanoseconds(left)) }
    }
}
