internal import Synchronization
internal import TocsinCore
internal import TocsinMeasure

/// Fills a store and times every kind of listing, one by one.
struct ListingBench {
    let settings: StoreBenchSettings
    let folder: String
    let progress: ProgressLine?
    /// Of the queries: each opens the store anew.
    private static let coldShare = 10
    private static let leastCold = 20

    func run() async throws -> [ListingRun] {
        try await StorePlace.lend(settings, in: folder, name: "listings") { place in
            let fleet = try await fill(place)
            let listings = Listings(fleet, stored: settings.stored)
            var runs: [ListingRun] = []
            runs.append(try await warm(place, fleet, listings))
            if place.forgetPages() { runs.append(try await cold(place, fleet, listings)) }
            if let rate = settings.ingest { runs.append(try await beside(rate, place, fleet, listings)) }
            return runs
        }
    }

    private func fill(_ place: StorePlace) async throws -> EventFleet {
        var fleet = EventFleet(sensors: StoreBenchSettings.sensors, total: settings.stored)
        let store = try await place.open(fleet.table)
        var done = 0
        while done < settings.stored {
            let size = min(settings.rowsPerWrite, settings.stored - done)
            try await store.write(
                fleet.next(size, batch: StoreBenchSettings.batchRows, eventsPerAnomaly: Listings.eventsPerAnomaly))
            done += size
            progress?("filling the store, \(Figure.grouped(done)) of \(Figure.grouped(settings.stored))")
        }
        try await store.close()
        return fleet
    }

    // MARK: Ways of asking

    private func warm(_ place: StorePlace, _ fleet: EventFleet, _ listings: Listings) async throws -> ListingRun {
        let store = try await place.open(fleet.table, isReadOnly: true)
        var run = ListingRun(name: "warm", countsCPU: settings.engine == .sqlite)
        try await ask(store, listings, &run)
        try await store.close()
        return run
    }

    /// Nothing of the store is in memory, neither this process's nor the system's.
    private func cold(_ place: StorePlace, _ fleet: EventFleet, _ listings: Listings) async throws -> ListingRun {
        var run = ListingRun(
            name: "cold", countsCPU: settings.engine == .sqlite)
        let count = min(settings.queries, max(Self.leastCold, settings.queries / Self.coldShare))
        for (table, filter) in Self.kinds {
            progress?("cold, \(table.rawValue): \(filter.rawValue)")
            var figure = ListingFigure(table: table, filter: filter)
            for query in listings.queries(filter, of: table, count: count) {
                let store = try await place.open(fleet.table, isReadOnly: true)
                // Opens the reading connection, which reads the schema.
                _ = try await store.deadLetterCounts()
                _ = place.forgetPages()
                try await Self.ask(store, query, &figure, &run.total)
                try await store.close()
            }
            run.figures.append(figure)
        }
        return run
    }

    private func beside(
        _ rate: Int, _ place: StorePlace, _ fleet: EventFleet, _ listings: Listings
    ) async throws -> ListingRun {
        let store = try await place.open(fleet.table)
        let ingest = Ingest(store: store, fleet: fleet, rate: rate, rowsPerWrite: settings.rowsPerWrite)
        // The processor's time is that of writer and reader together: it says nothing of a query.
        var run = ListingRun(name: "warm, beside writing", countsCPU: false)
        async let written = ingest.run()
        do {
            try await ask(store, listings, &run)
        } catch {
            ingest.stop()
            _ = try? await written
            throw error
        }
        ingest.stop()
        run.written = try await written
        try await store.close()
        return run
    }

    // MARK: Asking

    private static let kinds = Listings.Table.allCases.flatMap { table in
        Listings.Filter.allCases.map { (table, $0) }
    }

    private func ask(_ store: any Store, _ listings: Listings, _ run: inout ListingRun) async throws {
        for (table, filter) in Self.kinds {
            progress?("\(run.name), \(table.rawValue): \(filter.rawValue)")
            var figure = ListingFigure(table: table, filter: filter)
            for query in listings.queries(filter, of: table, count: settings.queries) {
                try await Self.ask(store, query, &figure, &run.total)
            }
            run.figures.append(figure)
        }
    }

    private static func ask(
        _ store: any Store, _ query: RecordQuery, _ figure: inout ListingFigure, _ total: inout ListingTimes
    ) async throws {
        var watch = StopWatch()
        watch.start()
        switch figure.table {
        case .events: figure.rows += try await store.events(query).count
        case .anomalies: figure.rows += try await store.anomalies(query).count
        }
        watch.stop()
        figure.times.record(watch.cost)
        total.record(watch.cost)
    }
}

/// Writes what comes in at a fixed rate until it is stopped.
final class Ingest: Sendable {
    private let store: any Store
    private let fleet: EventFleet
    private let rate: Int
    private let rowsPerWrite: Int
    private let isStopped = Atomic(false)
    /// What waits at a moderate load: as much as comes in so often a second.
    private static let writesPerSecond = 20

    init(store: any Store, fleet: EventFleet, rate: Int, rowsPerWrite: Int) {
        self.store = store
        self.fleet = fleet
        self.rate = rate
        self.rowsPerWrite = max(1, min(rowsPerWrite, rate / Self.writesPerSecond))
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// - Returns: what it came to.
    func run() async throws -> IngestFigure {
        var fleet = fleet
        var figure = IngestFigure()
        let started = MachineClock.monotonic()
        while !isStopped.load(ordering: .relaxed) {
            let outcomes = fleet.next(
                rowsPerWrite, batch: StoreBenchSettings.batchRows, eventsPerAnomaly: Listings.eventsPerAnomaly)
            let begun = MachineClock.monotonic()
            try await store.write(outcomes)
            let now = MachineClock.monotonic()
            figure.slowestWrite = max(figure.slowestWrite, now - begun)
            figure.rows += outcomes.reduce(0) { $0 + $1.batch.eventCount }
            figure.nanoseconds = now - started
            // By the rows that are due, not those written: silent sensors send nothing.
            figure.due += rowsPerWrite
            let ahead = Double(figure.due) / Double(rate) * 1e9 - Double(figure.nanoseconds)
            if ahead > 0 { try await Task.sleep(for: .nanoseconds(Int64(min(ahead, 1e10)))) }
        }
        return figure
    }
}
