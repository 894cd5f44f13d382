internal import TocsinCore
internal import TocsinMeasure

/// How long one kind of listing took.
struct ListingFigure: Sendable {
    let table: Listings.Table
    let filter: Listings.Filter
    var times = ListingTimes()
    /// Of all answers.
    var rows = 0

    init(table: Listings.Table, filter: Listings.Filter) {
        self.table = table
        self.filter = filter
    }
}

/// Nanoseconds of queries.
struct ListingTimes: Sendable {
    private(set) var wall = HdrHistogram(lowest: 1000, highest: 600_000_000_000)
    /// Of this process: a server's time is its own.
    private(set) var cpu = HdrHistogram(lowest: 1000, highest: 600_000_000_000)

    mutating func record(_ cost: Cost) {
        wall.record(cost.wallNanoseconds)
        cpu.record(cost.cpuNanoseconds)
    }
}

/// All kinds of listings, asked in one way.
struct ListingRun: Sendable {
    let name: String
    /// False where the process did other work meanwhile, or a server did the work.
    let countsCPU: Bool
    var figures: [ListingFigure] = []
    /// Of every query of every kind, all kinds weighing the same.
    var total = ListingTimes()
    /// What was written meanwhile.
    var written: IngestFigure?

    init(name: String, countsCPU: Bool) {
        self.name = name
        self.countsCPU = countsCPU
    }

    /// The kind with the greatest p99 by wall time.
    var worst: ListingFigure? {
        figures.max { $0.times.wall.value(atQuantile: 0.99) < $1.times.wall.value(atQuantile: 0.99) }
    }
}

/// What was written beside the listings.
struct IngestFigure: Sendable {
    var rows = 0
    /// Rows that should have been written by then.
    var due = 0
    var nanoseconds: Int64 = 0
    var slowestWrite: Int64 = 0

    var rowsPerSecond: Double { nanoseconds > 0 ? Double(rows) / Double(nanoseconds) * 1e9 : 0 }
}
