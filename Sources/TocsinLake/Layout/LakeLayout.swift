/// Where everything in the lake is: one file of one partition of one table.
///
/// ```swift
/// let file = LakeFile(.events, LakePartition(hourOf: time), name: "part-1.parquet")
/// file.path                      // bronze/events/date=2025-10-01/hour=07/part-1.parquet
/// LakeFile(path: file.path)      // the same again
/// ```
public struct LakeFile: Hashable, Comparable, Sendable {
    public var table: LakeTable
    public var partition: LakePartition
    /// `part-….parquet`.
    public var name: String

    public init(_ table: LakeTable, _ partition: LakePartition, name: String) {
        self.table = table
        self.partition = partition
        self.name = name
    }

    public var path: String { "\(table.path)/\(partition.path)/\(name)" }

    /// Reads what `path` gives; nil for what no program of ours has put there: other folders, temporary names.
    public init?(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard (4...5).contains(parts.count), let table = LakeTable(path: parts[0...1].joined(separator: "/")),
            table.isHourly == (parts.count == 5), LakeLayout.isPart(parts[parts.count - 1]),
            let partition = LakePartition(path: parts[2..<parts.count - 1].joined(separator: "/"))
        else { return nil }
        self.init(table, partition, name: String(parts[parts.count - 1]))
    }

    public static func < (left: LakeFile, right: LakeFile) -> Bool { left.path < right.path }
}

/// The names of folders and files below the lake's location.
public enum LakeLayout {
    /// `bronze/events/`: what a listing of a table begins with.
    public static func prefix(of table: LakeTable) -> String { table.path + "/" }

    /// `bronze/events/date=2025-10-01/hour=07/`: what a listing of a partition begins with.
    public static func prefix(of table: LakeTable, _ partition: LakePartition) -> String {
        "\(table.path)/\(partition.path)/"
    }

    /// All Parquet files of a table, as DuckDB's `read_parquet` takes them: `bronze/events/*/*/part-*.parquet`.
    public static func pattern(of table: LakeTable) -> String {
        table.path + (table.isHourly ? "/*/*/part-*.parquet" : "/*/part-*.parquet")
    }

    /// Whether a file's name is that of a part; temporary files have others.
    public static func isPart(_ name: some StringProtocol) -> Bool {
        name.hasPrefix("part-") && name.hasSuffix(".parquet") && !name.contains("/")
    }

    /// `part-<16 hex digits>.parquet`, for files whose name derives from what they are made of.
    public static func partName(hash: String) -> String { "part-\(hash).parquet" }
}
