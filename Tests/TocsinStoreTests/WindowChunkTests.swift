import GRDB
import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

/// Windows come back from their chunks as they were written: every bit, and every window that a query asks for.
@Suite struct WindowChunkTests {
    /// Chunks of one row, full ones, and one row more.
    @Test(arguments: [1, 2, 255, 256, 257, 700])
    func everyBitComesBack(_ count: Int) async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        var generator = Generator(state: UInt64(count))
        for flavour in Flavour.allCases {
            var input = StoreInput(table: table)
            for row in 0..<count {
                input.window("\(flavour)", "m\(row)", start: Int64(row), base: 0, score: generator.fraction())
                input.set(row, flavour.statistics(&generator))
            }
            try await store.write([input.outcome])
            let windows = try await store.windows(RecordQuery(sensor: "\(flavour)", limit: 1000))
            #expect(windows.count == count)
            for (row, window) in windows.reversed().enumerated() {
                let expected = input.outcome.windows.statistics[
                    row * WindowStatistic.columns..<(row + 1) * WindowStatistic.columns]
                let differs = zip(window.statistics, expected).contains { left, right in
                    // Not-a-number is not-a-number, whatever its payload.
                    left.bitPattern != right.bitPattern && !(left.isNaN && right.isNaN)
                }
                #expect(!differs, "\(flavour) \(row): \(window.statistics) instead of \(Array(expected))")
                #expect(window.score == input.outcome.windows.scores[row])
            }
        }
        try await store.close()
    }

    /// Against a plain list, with groups of every size, windows written again, and chunks put together.
    @Test(arguments: [(512, 40), (512, 700), (1_000_000, 40), (1_000_000, 700)])
    func queriesFindWhatAPlainListHolds(_ unindexed: Int, _ group: Int) async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table, settings: SQLiteSettings(unindexedRows: unindexed))
        var generator = Generator(state: UInt64(group))
        var expected: [Key: (count: Double, score: Double)] = [:]
        for batch in 0..<(8000 / group) {
            var input = StoreInput(table: table)
            for row in 0..<group {
                let key = Key(
                    start: Int64(batch * group / 60 + generator.below(3)), sensor: "s\(generator.below(30))",
                    metric: generator.below(4) == 0 ? "h" : "t", definition: UInt8(generator.below(5) / 4))
                let count = Double(1 + generator.below(3))
                let score = Double(batch * group + row)
                input.window(
                    key.sensor, key.metric, start: key.start, base: count, definition: key.definition, score: score)
                if let known = expected[key], known.count > count { continue }
                expected[key] = (count, score)
            }
            try await store.write([input.outcome])
        }
        let seconds = 8000 / 60 + 3
        for round in 0..<60 {
            let first = Int64(generator.below(seconds))
            let query = RecordQuery(
                sensor: round % 3 == 0 ? nil : "s\(generator.below(30))",
                metric: round % 4 < 2 ? nil : (round % 4 == 2 ? "h" : "t"),
                start: round % 5 == 0 ? nil : StoreInput.second(first),
                end: round % 5 < 2 ? nil : StoreInput.second(first + Int64(1 + generator.below(40))),
                limit: [1, 7, 100, 10_000][generator.below(4)], offset: [0, 0, 5, 120][generator.below(4)])
            let wanted = expected.filter { key, _ in key.matches(query) }
            let found = try await store.windows(query)
            #expect(found.count == max(0, min(query.limit, wanted.count - query.offset)), "\(query)")
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.start >= $1.start })
            let newest = wanted.keys.map(\.start).sorted(by: >).dropFirst(query.offset).prefix(query.limit)
            #expect(found.map(\.start) == newest.map(StoreInput.second))
            for window in found {
                let value = wanted[Key(window)]
                #expect(value?.count == window.statistics[0])
                // Among windows of as many readings the last written counts, unless chunks were put together.
                if unindexed == 1_000_000 { #expect(value?.score == window.score, "\(query)") }
            }
            #expect(Set(found.map(Key.init)).count == found.count)
        }
        let pages = try await store.windows(RecordQuery(limit: 100_000))
        #expect(Set(pages.map(Key.init)) == Set(expected.keys))
        try await store.close()
    }

    @Test func smallChunksArePutTogether() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table, settings: SQLiteSettings(unindexedRows: 4096))
        for second in 0..<400 as Range<Int64> {
            var input = StoreInput(table: table)
            for sensor in 0..<10 { input.window("s\(sensor)", "t", start: second, base: 1, score: 0.5) }
            try await store.write([input.outcome])
        }
        let chunks = try await store.text("SELECT count(*) FROM window_chunks").first.flatMap(Int.init)
        #expect((16...60).contains(chunks ?? 0), "\(chunks ?? 0) chunks")
        #expect(try await store.text("SELECT sum(rows) FROM window_chunks") == ["4000"])
        #expect(try await store.windows(RecordQuery(sensor: "s3", limit: 1000)).count == 400)
        try await store.close()
    }

    /// The view that people read with a shell says what the listing says.
    @Test func theViewAgreesWithTheListing() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        var generator = Generator(state: 5)
        for flavour in Flavour.allCases {
            var input = StoreInput(table: table)
            for row in 0..<40 {
                input.window(
                    "\(flavour)", "t", start: Int64(row), base: 0, score: row % 7 == 0 ? .nan : generator.fraction())
                input.set(row, flavour.statistics(&generator))
            }
            try await store.write([input.outcome])
        }
        for flavour in Flavour.allCases {
            let listed = try await store.windows(RecordQuery(sensor: "\(flavour)", limit: 100))
            for statistic in [WindowStatistic.mean, .minimum, .maximum, .standardDeviation] {
                let shown = try await Self.shown(statistic.name, of: "\(flavour)", store)
                let wanted = listed.map { $0.statistics[statistic.rawValue] }
                #expect(shown.count == 40)
                #expect(zip(shown, wanted).allSatisfy(Self.isSame), "\(flavour) \(statistic): \(shown), \(wanted)")
            }
            let scores = try await Self.shown("score", of: "\(flavour)", store)
            #expect(zip(scores, listed.map(\.score)).allSatisfy(Self.isSame))
            let starts = try await Self.shown("start", of: "\(flavour)", store)
            #expect(starts == listed.map { Double($0.start.nanoseconds) })
        }
        try await store.close()
    }

    private static func isSame(_ left: Double, _ right: Double) -> Bool { left == right || left.isNaN && right.isNaN }

    /// A column of the view for one sensor, newest first.
    private static func shown(_ column: String, of sensor: String, _ store: SQLiteStore) async throws -> [Double] {
        // SQL's own text of a number has fewer digits than the number.
        var configuration = Configuration()
        configuration.readonly = true
        let reader = try DatabaseQueue(path: store.path, configuration: configuration)
        defer { try? reader.close() }
        return try await reader.read { database in
            try Double?.fetchAll(
                database,
                sql: """
                    SELECT w.\(column) FROM windows w
                    JOIN series q ON q.id = w.series_id JOIN sensors s ON s.id = q.sensor_id
                    WHERE s.name = ? ORDER BY w.start DESC
                    """, arguments: [sensor])
        }.map { $0 ?? .nan }
    }

    @Test func aWindowOfManyRepeatsIsShownOnce() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        // The first statistic is the count: 5 readings, then the rest of the window after a restart, then all of it.
        for (process, count) in [5.0, 2, 9, 9, 1].enumerated() {
            let table = SeriesTable()
            let store = try SQLiteStore(path: path, table: table)
            var input = StoreInput(table: table)
            for other in 0..<process { input.window("other\(other)", "t", start: 0, base: 1) }
            input.window("a", "t", start: 0, base: count, score: Double(process))
            try await store.write([input.outcome])
            try await store.close()
        }
        let store = try SQLiteStore(path: path, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        let windows = try await store.windows(RecordQuery(sensor: "a"))
        #expect(windows.map { $0.statistics[0] } == [9])
        #expect(windows.map(\.score) == [3])
        #expect(try await store.windows(RecordQuery()).count == 5)
        #expect(try await store.text("SELECT count(*) || ' ' || max(count) FROM windows") == ["5 9"])
        try await store.close()
    }

    /// The same input in the same batches takes no more room.
    @Test func theSameChunksAreWrittenOverThemselves() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        var input = StoreInput(table: table)
        for sensor in 0..<1000 { input.window("s\(sensor)", "t", start: 0, base: Double(sensor)) }
        for _ in 0..<3 { try await store.write([input.outcome]) }
        #expect(try await store.statistics().rows["windows"] == 1000)
        #expect(try await store.windows(RecordQuery(limit: 5000)).count == 1000)
        try await store.close()
    }
}

private struct Key: Hashable {
    var start: Int64
    var sensor: String
    var metric: String
    var definition: UInt8

    init(start: Int64, sensor: String, metric: String, definition: UInt8) {
        self.start = start
        self.sensor = sensor
        self.metric = metric
        self.definition = definition
    }

    init(_ window: StoredWindow) {
        let length = window.end.nanoseconds - window.start.nanoseconds
        self.init(
            start: window.start.nanoseconds / 1_000_000_000 - StoreInput.epoch, sensor: window.sensor,
            metric: window.metric, definition: length > 60_000_000_000 ? 1 : 0)
    }

    func matches(_ query: RecordQuery) -> Bool {
        let time = StoreInput.second(start)
        return (query.sensor ?? sensor) == sensor && (query.metric ?? metric) == metric
            && (query.start.map { time >= $0 } ?? true) && (query.end.map { time < $0 } ?? true)
    }
}

/// Kinds of numbers, each of which is packed in another way.
private enum Flavour: CaseIterable {
    case decimals, random, constant, odd, huge, mixed

    func statistics(_ generator: inout Generator) -> [Double] {
        if self == .decimals { return Self.engineLike(&generator) }
        return (0..<WindowStatistic.columns).map { column in
            switch self {
            case .constant: Double(column) + 0.5
            case .random: (generator.fraction() - 0.5) * 1e3
            case .odd:
                [.nan, 0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, 1, 0.1][generator.below(8)]
            case .huge: [.greatestFiniteMagnitude, -1e300, 1e15, 9_007_199_254_740_992, 4.5e15][generator.below(5)]
            default: column % 2 == 0 ? Double(generator.below(1000)) / 100 : generator.fraction()
            }
        }
    }

    /// Statistics that hang together as the engine's do, of readings with two digits.
    private static func engineLike(_ generator: inout Generator) -> [Double] {
        let values = (0..<60).map { _ in Double(1000 + generator.below(3000)) / 100 }
        let sorted = values.sorted()
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let moment = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        var row = (0..<WindowStatistic.columns).map { _ in generator.fraction() }
        func set(_ statistic: WindowStatistic, _ value: Double) { row[statistic.rawValue] = value }
        set(.count, count)
        set(.sum, values.reduce(0, +))
        set(.mean, mean)
        set(.variance, moment / (count - 1))
        set(.standardDeviation, (moment / (count - 1)).squareRoot())
        set(.minimum, sorted[0])
        set(.maximum, sorted[59])
        set(.range, sorted[59] - sorted[0])
        set(.p25, sorted[14] + 0.75 * (sorted[15] - sorted[14]))
        set(.p75, sorted[44] + 0.25 * (sorted[45] - sorted[44]))
        set(.interquartileRange, row[WindowStatistic.p75.rawValue] - row[WindowStatistic.p25.rawValue])
        set(.median, (sorted[29] + sorted[30]) / 2)
        set(.first, values[0])
        set(.last, values[59])
        set(.change, values[59] - values[0])
        set(.rootMeanSquare, (moment / count + mean * mean).squareRoot())
        set(.crestFactor, sorted[59] / row[WindowStatistic.rootMeanSquare.rawValue])
        set(.coefficientOfVariation, row[WindowStatistic.standardDeviation.rawValue] / abs(mean))
        set(.meanCrossingRate, Double(generator.below(59)) / 59)
        set(.completeness, 1)
        return row
    }
}

extension StoreInput {
    fileprivate mutating func set(_ row: Int, _ statistics: [Double]) {
        let first = row * WindowStatistic.columns
        outcome.windows.statistics.replaceSubrange(first..<first + WindowStatistic.columns, with: statistics)
    }
}

/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct Generator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func fraction() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}
