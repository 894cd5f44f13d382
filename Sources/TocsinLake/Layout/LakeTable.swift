/// How far data has come: as received, put in order, or worked out for people.
public enum LakeLayer: String, CaseIterable, Sendable {
    /// Every accepted message as received.
    case bronze
    /// Validated, deduplicated and enriched readings.
    case silver
    /// Anomalies, alarms, windows and totals.
    case gold

    public var tables: [LakeTable] { LakeTable.allCases.filter { $0.layer == self } }
}

/// A table of the lake: a folder of Parquet files with one schema, cut into days or hours of event time.
public enum LakeTable: String, CaseIterable, Sendable {
    case events
    case readings
    case hourly
    case daily
    case anomalies
    case alarms
    case windows
    case features

    public var layer: LakeLayer {
        switch self {
        case .events: .bronze
        case .readings: .silver
        case .hourly, .daily, .anomalies, .alarms, .windows, .features: .gold
        }
    }

    /// Whether its partitions are hours; days otherwise.
    public var isHourly: Bool {
        switch self {
        case .events, .readings, .anomalies, .windows, .features: true
        case .hourly, .daily, .alarms: false
        }
    }

    /// Raised when columns change; each file says with which it was written.
    public var schemaVersion: Int { 1 }

    /// `bronze/events`, below the lake's location.
    public var path: String { "\(layer.rawValue)/\(rawValue)" }

    public init?(path: some StringProtocol) {
        guard let table = Self.allCases.first(where: { $0.path == path }) else { return nil }
        self = table
    }
}

extension LakeTable {
    /// The key under which a Parquet file's metadata names its table.
    public static let tableKey = "tocsin_table"
    /// The key under which a Parquet file's metadata says the version of its schema.
    public static let schemaKey = "tocsin_schema"

    /// What every COPY into a table of the lake says, a user's own included: `COPY … TO '…' (\(options))`.
    ///
    /// Row groups of 122,880 rows, in files sorted by sensor, let a reader of one sensor pass over the others by their statistics.
    /// Version 2 pages bring delta encodings: bronze takes a fifth less room; Spark from 3.3, pyarrow and DuckDB read them.
    /// - Parameters:
    ///   - path: of the table ("gold/hourly").
    ///   - metadata: further entries of the file's own metadata.
    static func copyOptions(of path: String, metadata: [(String, String)] = []) -> String {
        let version = LakeTable(path: path)?.schemaVersion ?? 1
        let entries = [(tableKey, path), (schemaKey, "\(version)")] + metadata
        let list = entries.map { "\($0.0): \(DuckDB.literal($0.1))" }.joined(separator: ", ")
        // Files are sorted by sensor: statistics say what Bloom filters would.
        return "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, ROW_GROUP_SIZE 122880, "
            + "WRITE_BLOOM_FILTER false, KV_METADATA {\(list)}"
    }

    /// The same for the files that a roll writes.
    public var copyOptions: String {
        "STRING_DICTIONARY_PAGE_SIZE_LIMIT 131072, " + Self.copyOptions(of: path)
    }
}
