public import TocsinCore

/// What the server or the client library said, before it is put into words for people.
struct ServerFailure: Error {
    /// Five characters (https://www.postgresql.org/docs/current/errcodes-appendix.html); nil where the connection broke.
    var state: String?
    var message: String
    /// The table that a constraint belongs to, where the server says.
    var table: String?

    static let uniqueViolation = "23505"
    static let lockNotAvailable = "55P03"
    static let undefinedTable = "42P01"
    /// No table of the program has a CHECK: it is the bounds of a partition that a row does not keep to.
    static let checkViolation = "23514"

    init(state: String?, message: String, table: String? = nil) {
        self.state = state
        self.message = message
        self.table = table
    }

    var isUniqueViolation: Bool { state == Self.uniqueViolation }
    /// Another process has attached a partition while rows of its days were on their way to the default one.
    var isPartitionRace: Bool { state == Self.checkViolation }
}

/// Turns what PostgreSQL says into sentences for people, and into the one decision that callers need: whether waiting
/// can help.
public enum PostgresFailure {
    struct Explanation {
        var message: String
        var remedy: String
        var isRetriable: Bool
        init(_ message: String, _ remedy: String, isRetriable: Bool) {
            self.message = message
            self.remedy = remedy
            self.isRetriable = isRetriable
        }
    }

    /// For an error that the server gave this state (SQLSTATE); nil = the connection broke.
    public static func isRetriable(state: String?) -> Bool { explain(state).isRetriable }

    /// - Parameters:
    ///   - state: as in `isRetriable(state:)`.
    ///   - message: the server's words, free of secrets.
    public static func error(state: String?, message: String, place: String) -> TocsinError {
        let explanation = explain(state)
        let code = state.map { " (SQLSTATE \($0))" } ?? ""
        let words = message.isEmpty ? "" : ": \(message)"
        return TocsinError(
            .store, "\(explanation.message)\(words)\(code)", place: place, remedy: explanation.remedy,
            isRetriable: explanation.isRetriable)
    }

    static func closed(_ place: String) -> TocsinError {
        TocsinError(.store, "the store is closed", place: place, remedy: "Open it again before using it.")
    }

    static func readOnly(_ place: String) -> TocsinError {
        TocsinError(.store, "the store was opened for reading only", place: place, remedy: "Open it for writing.")
    }

    // Single states first, then classes (the first two characters).
    static func explain(_ state: String?) -> Explanation {
        guard let state else {
            return Explanation(
                "the connection to the server is lost", "Writing is tried again; what was begun is not written twice.",
                isRetriable: true)
        }
        return ofState(state) ?? ofClass(state.prefix(2))
            ?? Explanation(
                "the server refused a statement", "Please report this with the text above.", isRetriable: false)
    }

    private static func ofState(_ state: String) -> Explanation? {
        switch state {
        case "53100":
            Explanation(
                "the server's disk is full",
                "Free space on the server; writing is tried again. A bound on the size of the store keeps this from "
                    + "happening.", isRetriable: true)
        case "53300":
            Explanation(
                "the server has no connection left",
                "Raise max_connections, or lower the number of connections of its other clients; it is tried again.",
                isRetriable: true)
        case "57P01", "57P02", "57P03":
            Explanation("the server is stopping or starting", "It is tried again.", isRetriable: true)
        case "57P05", "25P03":
            Explanation("the server ended an idle connection", "It is tried again.", isRetriable: true)
        case "57014":
            Explanation(
                "a statement took too long",
                "Look at the server's load, or raise the statement timeout; it is tried again.", isRetriable: true)
        case ServerFailure.lockNotAvailable:
            Explanation(
                "a lock is held by another connection", "It is waited for; end that connection if it is not wanted.",
                isRetriable: true)
        case ServerFailure.checkViolation:
            Explanation(
                "another process has made a partition meanwhile", "It is tried again.", isRetriable: true)
        case "25006":
            Explanation(
                "the server takes no writes: it is a standby, or is set read-only",
                "Name the primary too: with several hosts the one that takes writes is used. It is tried again.",
                isRetriable: true)
        case "3D000":
            Explanation(
                "the database does not exist", "Create it (`createdb`), or correct its name; it is tried again.",
                isRetriable: true)
        case "42501":
            Explanation(
                "the role lacks a right",
                "Make it the owner of the database, or grant it CREATE and USAGE on the schema.", isRetriable: false)
        default: nil
        }
    }

    private static func ofClass(_ family: Substring) -> Explanation? {
        switch family {
        case "08":
            Explanation("the server cannot be reached", "Check that it runs; it is tried again.", isRetriable: true)
        case "28":
            Explanation(
                "the server refuses the login",
                "Check user and password, and the server's pg_hba.conf; it is tried again.", isRetriable: true)
        case "40":
            Explanation("the server ended a transaction in favour of another", "It is tried again.", isRetriable: true)
        case "53":
            Explanation(
                "the server lacks memory, disk or connections", "Give it more; it is tried again.", isRetriable: true)
        case "55":
            Explanation("the server is busy with that object", "It is tried again.", isRetriable: true)
        case "57":
            Explanation("the statement was interrupted", "It is tried again.", isRetriable: true)
        case "58":
            Explanation(
                "the server's disk failed to read or write", "Check the server's disk and its log; it is tried again.",
                isRetriable: true)
        case "22":
            Explanation("the server cannot hold a value", "Please report this with the text above.", isRetriable: false)
        case "42", "3F":
            Explanation(
                "the tables are not as this program made them",
                "Restore them from a backup, or give the program a schema or a database of its own.",
                isRetriable: false)
        case "XX":
            Explanation(
                "the server reports damage or a fault of its own", "Look into the server's log.", isRetriable: false)
        default: nil
        }
    }
}
