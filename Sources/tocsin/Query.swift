public import ArgumentParser
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

extension QueryRun.Format: ExpressibleByArgument {}

struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "SQL over the lake and the store as one set of tables.",
        discussion: """
            Tables: bronze_events, readings, anomalies, alarms, windows, hourly, daily (docs/lake.md has their columns). \
            What the store holds and the lake does not yet is in them too. Reading only, unless --write is given. \
            Works beside a running tocsin. SQL is DuckDB's; a file name or - (standard input) may stand for it: \
            tocsin query -f report.sql

            Examples:
              tocsin query "SELECT sensor, count(*) FROM anomalies GROUP BY ALL ORDER BY 2 DESC LIMIT 10"
              tocsin query "SELECT * FROM hourly WHERE sensor = 'pump-7'" --format csv --out pump-7.csv
              tocsin query "DESCRIBE readings"
            """)

    @Argument(help: "One statement.")
    var sql: String?
    @Option(
        name: [.customShort("f"), .long], help: "Reads the statement from this file; - is standard input.",
        completion: .file())
    var file: String?
    @OptionGroup var options: ConfigurationOptions
    @Option(name: .long, help: "table, csv, json, jsonl or parquet. Default: as the end of --out says, else table.")
    var format: QueryRun.Format?
    @Option(name: .long, help: "Writes to this file instead of standard output.", completion: .file())
    var out: String?
    @Option(name: .long, help: "Rows of a table that are shown; 0 = all.")
    var limit = 100
    @Flag(name: .long, help: "Lets SQL do everything that DuckDB can, with the rights of this user.")
    var write = false

    func validate() throws {
        guard (sql == nil) != (file == nil) else { throw ValidationError("give a statement, or --file") }
        guard limit >= 0 else { throw ValidationError("--limit must not be negative") }
    }

    func run() async throws {
        try await Terminal.run {
            let loaded = try options.load()
            let logger = Logs.bootstrap(loaded.configuration.log)
            let statement = try sql ?? TextInput.read(file ?? "-")
            let outcome = try await QueryRun(configuration: loaded.configuration, logger: logger).run(
                statement, format: format ?? wanted, to: out, limit: limit == 0 ? nil : limit, mayWrite: write)
            for sentence in outcome.leftOut { Terminal.complain("left out, because it cannot be read: \(sentence)") }
            if let out { print("\(outcome.rows) rows written to \(out)") }
            if !outcome.leftOut.isEmpty { throw ExitCode(1) }
        }
    }

    private var wanted: QueryRun.Format {
        guard let out, let dot = out.lastIndex(of: ".") else { return .table }
        switch out[out.index(after: dot)...].lowercased() {
        case "csv": return .csv
        case "json": return .json
        case "jsonl", "ndjson": return .jsonl
        case "parquet": return .parquet
        default: return .table
        }
    }
}

/// A text from a file or from standard input.
enum TextInput {
    static func read(_ path: String) throws -> String {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TocsinError(.file, "the file cannot be read: \(String(cString: strerror(errno)))", place: path)
        }
        defer { if path != "-" { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw TocsinError(.file, "the file cannot be read: \(String(cString: strerror(errno)))", place: path)
            }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
