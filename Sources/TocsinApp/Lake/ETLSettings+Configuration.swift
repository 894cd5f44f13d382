internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake

extension ETLSettings {
    init(_ configuration: TocsinConfiguration, duckdb: DuckDBSettings) {
        self.init(workFolder: configuration.lakeStatePath + "/etl")
        ranges = configuration.input.validRanges.map { metric, range in
            PlausibleRange(
                metric: metric, low: range.lowerBound.isFinite ? range.lowerBound : nil,
                high: range.upperBound.isFinite ? range.upperBound : nil)
        }
        lateness = configuration.engine.allowedLateness
        clockSkew = configuration.input.allowedClockSkew
        pane = Span64(
            nanoseconds: configuration.windows.flatMap { [$0.size.nanoseconds, $0.slide.nanoseconds] }
                .reduce(0, Self.greatestCommonDivisor))
        if pane.nanoseconds <= 0 { pane = WindowDefinition.oneMinute.slide }
        if !configuration.lake.goldWindows { storeTables.remove("gold/windows") }
        memoryBytes = Int64(configuration.lake.memory)
        self.duckdb = duckdb
        let threads = configuration.lake.threads == 0 ? Processors.count : configuration.lake.threads
        workers = max(1, min(threads, 8))
    }
    private static func greatestCommonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
        right == 0 ? left : greatestCommonDivisor(right, left % right)
    }
}
