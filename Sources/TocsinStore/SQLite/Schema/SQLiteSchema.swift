internal import GRDB
internal import TocsinCore

/// The tables of the database and how older databases become today's. docs/schema.md describes every column.
enum SQLiteSchema {
    /// "Tocs" in ASCII, in the file's header: `file` and SQLite's tools can tell whose database it is.
    static let applicationID: Int64 = 0x546f_6373

    /// Numbered steps, applied in order and once each; the number of the last is the file's `user_version`.
    /// A published step is never edited: a change is a new step.
    static let migrations: [Step] = [
        Step("sensors, series, events, windows, anomalies, alarms, models, dead letters", .sql(first)),
        Step(
            "windows in packed chunks of up to 256 instead of a row each",
            .program(packWindows, shownAs: packWindowsStatements)),
        Step("why an anomaly raised no alarm, summaries of alarms, answers of people", .sql(decisions)),
        Step("jobs, quality reports, checkpoints; models become model_registry", .sql(jobs)),
        Step("acknowledgement, shelving and the other things that people do with alarms", .sql(care)),
    ]

    struct Step: Sendable {
        enum Body: Sendable {
            case sql(String)
            case program(@Sendable (Database) throws -> Void, shownAs: String)
        }

        /// For people: what the step brings.
        var title: String
        var body: Body

        init(_ title: String, _ body: Body) {
            self.title = title
            self.body = body
        }

        func run(_ database: Database) throws {
            switch body {
            case .sql(let text): try database.execute(sql: text)
            case .program(let body, _): try body(database)
            }
        }

        var statements: String {
            switch body {
            case .sql(let text), .program(_, let text): text
            }
        }
    }

    static var version: Int64 { Int64(migrations.count) }

    /// A moment at which a process may be killed: for tests.
    enum Moment: Sendable, Equatable {
        /// All statements of a step have run, and nothing is committed.
        case beforeCommit(step: Int)
        case afterCommit(step: Int)
    }

    /// Brings the database to today's version. Each step is one transaction, so that a crash leaves a whole version.
    static func migrate(_ database: Database, observing: (Moment) throws -> Void = { _ in }) throws {
        // Asked again within each transaction: another process may have come first.
        while Int(try database.integer("PRAGMA user_version") ?? 0) < migrations.count {
            var done: Int?
            try database.inTransaction(.immediate) {
                let number = Int(try database.integer("PRAGMA user_version") ?? 0)
                guard migrations.indices.contains(number) else { return .rollback }
                try migrations[number].run(database)
                try database.execute(sql: "PRAGMA application_id = \(applicationID)")
                try database.execute(sql: "PRAGMA user_version = \(number + 1)")
                try observing(.beforeCommit(step: number + 1))
                done = number + 1
                return .commit
            }
            guard let done else { return }
            try observing(.afterCommit(step: done))
        }
    }

    /// Refuses databases that are not Tocsin's or that a newer Tocsin made, before anything in them is changed.
    /// - Parameter isReadOnly: refuses an older schema too, because it cannot be brought up to date.
    static func inspect(_ database: Database, path: String, isReadOnly: Bool) throws {
        let version = try presentVersion(database, path: path)
        guard (0...self.version).contains(version) else {
            throw TocsinError(
                .store,
                "the database was made by a newer version of the program: its schema is number \(version), "
                    + "and this program knows schemas up to \(self.version)", place: path,
                remedy: "Install the newer version, or give another path; nothing in this file was changed.")
        }
        guard !isReadOnly || version == 0 || version == self.version else {
            throw TocsinError(
                .store, "the database was made by an older version of the program and is open for reading only",
                place: path, remedy: "Start the program on it once; that brings it up to date.")
        }
    }

    /// - Throws: `TocsinError` where the file is another program's database.
    static func presentVersion(_ database: Database, path: String) throws -> Int64 {
        let owner = try database.integer("PRAGMA application_id") ?? 0
        let tables = try database.integer("SELECT count(*) FROM sqlite_schema") ?? 0
        guard owner == applicationID || (owner == 0 && tables == 0) else {
            throw TocsinError(
                .store, "the file is a database of another program", place: path,
                remedy: "Give another path; nothing in this file was changed.")
        }
        return try database.integer("PRAGMA user_version") ?? 0
    }
}
