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
        memoryBytes = Int64(configuration.lake.memory)
        self.duckdb = duckdb
        let threads = configuration.lake.threads == 0 ? Processors.count : configuration.lake.threads
        workers = max(1, min(threads, 8))
    }
}
