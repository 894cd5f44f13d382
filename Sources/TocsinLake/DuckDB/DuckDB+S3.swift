import TocsinCore

extension DuckDBConnection {
    /// Loads httpfs and makes the keys known to the whole database, under the name `tocsin`; keys given later replace
    /// these.
    /// - Throws: `TocsinError` where the extension is missing or of another version than the library.
    public func prepareS3(_ settings: DuckDBS3Settings, httpfsPath: String? = nil) throws {
        guard let path = httpfsPath ?? DuckDBLibrary.httpfs(version: DuckDB.version) else {
            throw TocsinError(
                .lake, "DuckDB's extension httpfs \(DuckDB.version) for S3 was not found.",
                place: DuckDBLibrary.path,
                remedy: "pip install duckdb-extension-httpfs==\(DuckDB.version.drop { $0 == "v" }) beside the duckdb "
                    + "package, or name httpfs.duckdb_extension.")
        }
        try execute("LOAD \(DuckDB.literal(path))")
        var options = [
            "TYPE s3", "PROVIDER config", "KEY_ID \(DuckDB.literal(settings.key))",
            "SECRET \(DuckDB.literal(settings.secret))", "REGION \(DuckDB.literal(settings.region))",
            "URL_STYLE \(DuckDB.literal(settings.urlStyle.rawValue))", "USE_SSL \(settings.usesTLS)",
        ]
        if let endpoint = settings.endpoint { options.append("ENDPOINT \(DuckDB.literal(endpoint))") }
        if let token = settings.sessionToken { options.append("SESSION_TOKEN \(DuckDB.literal(token))") }
        try execute("CREATE OR REPLACE TEMPORARY SECRET tocsin (\(options.joined(separator: ", ")))")
    }
}
