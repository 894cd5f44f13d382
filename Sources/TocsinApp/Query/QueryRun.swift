#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import Logging
public import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake

/// `tocsin query`: SQL over the lake and the store as one set of views.
public struct QueryRun: Sendable {
    public enum Format: String, CaseIterable, Sendable {
        case table, csv, json, jsonl, parquet
    }

    public struct Outcome: Sendable {
        public var rows: Int
        /// Files that could not be read and were left out, a sentence each.
        public var leftOut: [String]
    }

    private let configuration: TocsinConfiguration
    private let logger: Logger

    public init(configuration: TocsinConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// - Parameters:
    ///   - path: where the rows go; nil = standard output.
    ///   - limit: rows of a table that are shown; nil = all.
    ///   - mayWrite: false lets SQL read only.
    /// - Throws: `TocsinError` with DuckDB's own words for SQL that is wrong.
    public func run(
        _ sql: String, format: Format, to path: String?, limit: Int?, mayWrite: Bool
    ) async throws -> Outcome {
        if format == .parquet, path == nil {
            throw TocsinError(.usage, "Parquet is no text", remedy: "name a file with --out")
        }
        guard hasStore else { return try await run(sql, format, path, limit, mayWrite, stores: [:]) }
        return try await StoreAccess(configuration).reading { store in
            // Closed layers hold what is older: the store gives what is newer, and what has not got there yet.
            let place = try lakePlace()
            let readings = try await newest(.readings, place)
            let windows = try await newest(.windows, place)
            let tables = StoreTables(store, readingsSince: readings, windowsSince: windows)
            return try await run(sql, format, path, limit, mayWrite, stores: tables.sources)
        }
    }

    private var hasStore: Bool { configuration.store.usesPostgres || access(configuration.storePath, F_OK) == 0 }

    private func run(
        _ sql: String, _ format: Format, _ path: String?, _ limit: Int?, _ mayWrite: Bool,
        stores: [LakeView: any DuckDBTableSource]
    ) async throws -> Outcome {
        let place = try lakePlace()
        if place == nil, !hasStore {
            throw TocsinError(
                .usage, "there is neither a store nor a lake here", place: configuration.data.directory,
                remedy: "give --data-dir the folder of tocsin run, or set lake.location")
        }
        var duckdb = place?.duckdb ?? DuckDBSettings(configuration, s3: nil)
        if place == nil { duckdb.temporaryFolder = nil }
        let settings = LakeQuerySettings(
            location: place?.storage.location, duckdb: duckdb, isReadOnly: !mayWrite,
            outputFile: format == .parquet ? path : nil)
        // Blocking, for as long as the query takes: not on a thread of Swift's pool.
        return try await BlockingQueue("tocsin.query").run {
            let session = try LakeQuery(settings, stores: stores)
            let rows = try write(sql, session, format, path, limit)
            return Outcome(rows: rows, leftOut: session.damagedFiles.map { "\($0.path): \($0.reason)" })
        }
    }

    private func write(
        _ sql: String, _ session: LakeQuery, _ format: Format, _ path: String?, _ limit: Int?
    ) throws -> Int {
        if format == .parquet, let path { return try session.writeParquet(sql, to: path) }
        let file = try path.map { try OutputFile($0) }
        let sink: ByteSink = { bytes in try (file ?? .standard).write(bytes) }
        let rows: Int
        switch format {
        case .table:
            var output = TableOutput(limit: limit, sink: sink)
            rows = try session.run(sql, to: &output)
        case .csv:
            var output = CSVOutput(sink: sink)
            rows = try session.run(sql, to: &output)
        case .json, .jsonl, .parquet:
            var output = JSONOutput(isLines: format == .jsonl, sink: sink)
            rows = try session.run(sql, to: &output)
        }
        try file?.finish()
        return rows
    }

    /// nil where there is no lake.
    private func lakePlace() throws -> LakePlace? {
        guard configuration.lake.isS3 || access(configuration.lakeLocation, F_OK) == 0 else { return nil }
        return try LakePlace(configuration, isOwner: false, clock: SystemClock(), logger: logger)
    }

    /// The start of the newest partition of a table.
    private func newest(_ table: LakeTable, _ place: LakePlace?) async throws -> Timestamp? {
        guard let place else { return nil }
        let files = try await place.storage.list(prefix: LakeLayout.prefix(of: table))
        return files.compactMap { LakeFile(path: $0.name)?.partition }.max()?.start
    }
}

/// Bytes to a file that gets its name when all of them are in it, or to standard output.
private final class OutputFile: Sendable {
    static let standard = OutputFile(descriptor: STDOUT_FILENO)

    private let descriptor: Int32
    private let path: String?

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        path = nil
    }

    init(_ path: String) throws {
        descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure("cannot be made", path) }
    }

    deinit {
        guard let path else { return }
        close(descriptor)
        unlink(path + ".part")
    }

    func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("cannot be written", path ?? "standard output") }
            done += count
        }
    }

    func finish() throws {
        guard let path else { return }
        guard rename(path + ".part", path) == 0 else { throw Self.failure("cannot be given its name", path) }
    }

    private static func failure(_ what: String, _ path: String) -> TocsinError {
        TocsinError(.file, "the output \(what): \(String(cString: strerror(errno)))", place: path)
    }
}
