/// How a DuckDB database is opened.
public struct DuckDBSettings: Sendable {
    /// A database file; nil: in memory.
    public var path: String?
    public var isReadOnly = false
    /// The shared object itself, before any search; nil: environment `TOCSIN_DUCKDB`, then the search.
    public var libraryPath: String?
    /// Folders in which a Python environment with the `duckdb` package may lie, searched after the system's library.
    public var searchFolders: [String]
    /// Bytes that DuckDB may use before it writes to the temporary folder; nil: four fifths of the machine's memory.
    public var memoryLimitBytes: Int64?
    /// nil: one for each core.
    public var threads: Int?
    /// Where sorts and joins that exceed the memory limit go; nil: they fail.
    public var temporaryFolder: String?
    /// `httpfs.duckdb_extension` of exactly the library's version; nil: beside the Python package of the library.
    public var httpfsPath: String?
    /// Access to S3; nil: files only, and the extension is not loaded.
    public var s3: DuckDBS3Settings?
    /// Whether results keep the order of their input where SQL does not ask for one; false is faster with several
    /// threads and needs less memory.
    public var preservesOrder = true

    public init(
        path: String? = nil, libraryPath: String? = nil, searchFolders: [String] = [], memoryLimitBytes: Int64? = nil,
        threads: Int? = nil, temporaryFolder: String? = nil, httpfsPath: String? = nil, s3: DuckDBS3Settings? = nil
    ) {
        self.path = path
        self.libraryPath = libraryPath
        self.searchFolders = searchFolders
        self.memoryLimitBytes = memoryLimitBytes
        self.threads = threads
        self.temporaryFolder = temporaryFolder
        self.httpfsPath = httpfsPath
        self.s3 = s3
    }
}

/// Access to an S3 server for DuckDB's own reads and writes of `s3://` names.
public struct DuckDBS3Settings: Sendable {
    public enum URLStyle: String, Sendable {
        /// `https://endpoint/bucket/key`
        case path
        /// `https://bucket.endpoint/key`
        case virtual = "vhost"
    }

    /// `host` or `host:port`, without a scheme; nil: Amazon's.
    public var endpoint: String?
    public var region: String
    public var key: String
    public var secret: String
    public var sessionToken: String?
    public var usesTLS: Bool
    public var urlStyle: URLStyle

    public init(
        endpoint: String? = nil, region: String = "us-east-1", key: String, secret: String,
        sessionToken: String? = nil, usesTLS: Bool = true, urlStyle: URLStyle = .path
    ) {
        self.endpoint = endpoint
        self.region = region
        self.key = key
        self.secret = secret
        self.sessionToken = sessionToken
        self.usesTLS = usesTLS
        self.urlStyle = urlStyle
    }
}
