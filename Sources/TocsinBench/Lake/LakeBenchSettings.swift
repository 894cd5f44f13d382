public import TocsinCore

/// What `LakeBench` measures.
public struct LakeBenchSettings: Sendable {
    public enum Part: String, CaseIterable, Sendable {
        /// The spool's records to Parquet, with nothing else to do.
        case bronze
        /// The whole line without and with the lake's writer beside it.
        case pipeline
        /// Bronze to silver and hourly aggregates.
        case etl

        /// Reads `bronze,etl`: names apart by commas.
        /// - Throws: `TocsinError(.usage)` naming the unknown word and all known ones.
        public static func list(_ text: String) throws(TocsinError) -> [Part] {
            var parts: [Part] = []
            for word in text.split(separator: ",") {
                let name = word.filter { !$0.isWhitespace }
                guard let part = Part(rawValue: name) else {
                    throw TocsinError(
                        .usage, "--parts does not know '\(name)'",
                        remedy: "choose from \(allCases.map(\.rawValue).joined(separator: ","))")
                }
                if !parts.contains(part) { parts.append(part) }
            }
            guard !parts.isEmpty else { throw TocsinError(.usage, "--parts names nothing") }
            return parts
        }
    }

    public var parts = Part.allCases
    /// For `bronze` and `pipeline`: made by the simulator when `input` is nil.
    public var readings = 5_000_000
    /// A folder of recordings, or one file.
    public var input: String?
    /// Made by DuckDB, for `etl`.
    public var etlReadings = 20_000_000
    /// Runs of everything; the median counts.
    public var repeats = 3
    /// A Python with pandas and pyarrow, for the same job beside `etl`.
    public var python: String?
    /// Where the temporary folder is made; nil = the system's.
    public var folder: String?

    public init() {}

    /// As the bars are stated.
    static let sensors = 10_000
    private static let leastETL = 400_000

    /// - Throws: `TocsinError(.usage)` for what cannot be measured.
    public func validate() throws(TocsinError) {
        guard (1...1_000_000_000).contains(readings) else {
            throw TocsinError(.usage, "--readings takes 1 to 1,000,000,000")
        }
        guard (Self.leastETL...1_000_000_000).contains(etlReadings) else {
            throw TocsinError(.usage, "--etl-readings takes 400,000 to 1,000,000,000")
        }
        guard (1...1000).contains(repeats) else { throw TocsinError(.usage, "--repeat takes 1 to 1000") }
        guard python == nil || parts.contains(.etl) else {
            throw TocsinError(.usage, "--python is for the part etl", remedy: "add etl to --parts")
        }
    }
}
