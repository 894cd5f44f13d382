internal import TocsinCore
internal import TocsinMeasure
internal import TocsinPostgres

/// `psql \copy` of the same rows into an identical table: what PostgreSQL's own client does on this machine.
struct PsqlPeer {
    private let settings: PostgresSettings
    private let file: String
    private static let columns = "time, sensor_id, event_key, received, late, source, readings, payload"

    /// - Parameter file: of the rows; made by `export`.
    /// - Throws: `TocsinError(.usage)` where there is no psql.
    init(_ settings: PostgresSettings, file: String) throws(TocsinError) {
        self.settings = settings
        self.file = file
        do {
            try Self.run(["--version"])
        } catch {
            throw TocsinError(
                .usage, "psql cannot be run: \(error.message)",
                remedy: "install PostgreSQL's client (Debian: postgresql-client), or leave --psql out")
        }
    }

    /// Writes the rows of a schema's events to the file, in the order in which they lie in the table.
    func export(from schema: String) throws(TocsinError) {
        try copy("(SELECT \(Self.columns) FROM \(schema).sensor_events) TO")
    }

    /// Nanoseconds from the start of psql to its end.
    func load(into schema: String) throws(TocsinError) -> Int64 {
        let started = MachineClock.monotonic()
        try copy("\(schema).sensor_events (\(Self.columns)) FROM")
        return MachineClock.monotonic() - started
    }

    private func copy(_ what: String) throws(TocsinError) {
        let target = settings.url.map { ["--dbname", $0] } ?? []
        let quoted = file.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        try Self.run(
            ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"] + target + [
                "--command", "\\copy \(what) '\(quoted)'",
            ])
    }

    private static func run(_ arguments: [String]) throws(TocsinError) {
        let child = try ChildProcess(program: "psql", arguments: arguments)
        _ = child.readAll()
        let status = child.wait().status
        guard status == 0 else {
            throw TocsinError(.store, "psql ended with \(status)", remedy: "its own message stands above")
        }
    }
}
