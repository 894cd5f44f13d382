public import TocsinCore

/// What `StoreBench` measures.
public struct StoreBenchSettings: Sendable {
    public enum Engine: String, CaseIterable, Sendable { case sqlite, postgres }

    public var engine = Engine.sqlite
    /// Events written in each run; 0 leaves writing out; nil = 3 million for SQLite, 1 million for PostgreSQL.
    public var rows: Int?
    /// Events in the store that is asked; 0 leaves asking out.
    public var stored = 0
    /// Listings of each kind.
    public var queries = 300
    /// Events a second that are written beside the listings; nil = the listings alone.
    public var ingest: Int?
    /// Runs of writing; the median counts.
    public var repeats = 3
    /// `postgresql://user@host:port/database`; nil = as libpq finds it by itself (PGHOST, PGUSER, …).
    public var postgresURL: String?
    /// PostgreSQL only: the same rows by `psql \copy`, in turn.
    public var comparesPsql = false
    /// Where the temporary folder is made; nil = the system's.
    public var folder: String?

    public init() {}

    /// As the bars are stated.
    static let sensors = 10_000
    /// What one batch of the engine holds here.
    static let batchRows = 1000

    var writtenRows: Int { rows ?? (engine == .sqlite ? 3_000_000 : 1_000_000) }

    /// In one transaction: the engine hands on what has gathered, 64 batches at most.
    var rowsPerWrite: Int { Self.batchRows * (engine == .sqlite ? 10 : 64) }

    /// - Throws: `TocsinError(.usage)` for what cannot be measured.
    public func validate() throws(TocsinError) {
        guard (0...1_000_000_000).contains(writtenRows) else {
            throw TocsinError(.usage, "--rows takes 0 to 1,000,000,000")
        }
        guard stored == 0 || (100_000...1_000_000_000).contains(stored) else {
            throw TocsinError(
                .usage, "--stored takes 100,000 to 1,000,000,000, or 0 to leave the listings out")
        }
        guard (1...1_000_000).contains(queries) else { throw TocsinError(.usage, "--queries takes 1 to 1,000,000") }
        guard (1...1000).contains(repeats) else { throw TocsinError(.usage, "--repeat takes 1 to 1000") }
        if let ingest {
            guard (1...10_000_000).contains(ingest) else { throw TocsinError(.usage, "--ingest takes 1 to 10,000,000") }
            guard stored > 0 else {
                throw TocsinError(
                    .usage, "--ingest is for the listings: it needs --stored", remedy: "add --stored 50000000")
            }
        }
        guard writtenRows > 0 || stored > 0 else {
            throw TocsinError(.usage, "--rows 0 without --stored measures nothing")
        }
        guard engine == .postgres || (postgresURL == nil && !comparesPsql) else {
            throw TocsinError(.usage, "--postgres-url and --psql are for --engine postgres")
        }
        guard !comparesPsql || writtenRows > 0 else {
            throw TocsinError(.usage, "--psql compares writing, and --rows is 0")
        }
    }
}
