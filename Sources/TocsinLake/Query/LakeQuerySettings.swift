/// What a query session sees and may do.
public struct LakeQuerySettings: Sendable {
    /// The lake: a folder, or `s3://bucket/prefix`; nil: no lake, the operational store alone.
    public var location: String?
    public var duckdb: DuckDBSettings
    /// Reading only, and only of the lake; false lets SQL do all that DuckDB can, with the rights of this process.
    public var isReadOnly = true
    /// A Parquet file that `writeParquet` will write; must be named before the session is locked.
    public var outputFile: String?
    /// Whether what was read of files stays in memory, within DuckDB's limit, for the next query of the session.
    public var keepsFilesInMemory = true

    public init(location: String?, duckdb: DuckDBSettings, isReadOnly: Bool = true, outputFile: String? = nil) {
        self.location = location
        self.duckdb = duckdb
        self.isReadOnly = isReadOnly
        self.outputFile = outputFile
    }
}

/// A file of the lake that cannot be read and was left out.
public struct DamagedFile: Sendable, Hashable {
    public var path: String
    /// DuckDB's own words.
    public var reason: String
}
