#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import CPostgres
internal import TocsinCore

/// One connection: owner of libpq's handle. Every call blocks its thread, never for longer than the settings allow.
///
/// Must be used by one thread at a time; `PostgresSession` sees to that.
final class PostgresConnection {
    let handle: OpaquePointer
    let place: String
    /// Differs between any two connections of this process.
    let number: UInt64
    /// How long the server may say nothing, ns.
    private var silence: Int64
    private let secrets: [String]
    /// Set when the connection was given up although libpq still thinks well of it.
    private(set) var isGivenUp = false
    /// Days of partitions by table, and until when they are believed: a listing works without, only slower.
    var knownDays: [String: (days: [Int64], until: ContinuousClock.Instant)] = [:]
    /// For tests: takes down every statement with parameters.
    var recorded: [(sql: String, values: [PostgresValue])]?

    /// Connects and makes the session ready.
    /// - Throws: `TocsinError`.
    init(_ settings: PostgresSettings, number: UInt64, isWriter: Bool) throws {
        try PostgresLibrary.load(settings.library)
        let login = try ConnectionLogin(settings, isWriter: isWriter)
        guard let handle = login.connect() else { throw Self.outOfMemory(settings.place) }
        self.handle = handle
        place = settings.place
        secrets = login.secrets
        self.number = number
        // The server ends what takes too long by itself; one that does not even do that is not there any more.
        let (silence, overflow) = settings.statementTimeout.nanoseconds.addingReportingOverflow(5_000_000_000)
        self.silence = overflow ? .max : silence
        guard tpq_status(handle) == TPQ_CONNECTION_OK else {
            throw PostgresFailure.login(message(of: handle), place: place)
        }
        tpq_ignore_notices(handle)
        _ = tpq_set_nonblocking(handle, 1)
        try ready(settings, isWriter: isWriter)
    }

    deinit { tpq_finish(handle) }

    private func ready(_ settings: PostgresSettings, isWriter: Bool) throws {
        let encoding = tpq_parameter_status(handle, "server_encoding").map { String(cString: $0) } ?? ""
        guard encoding == "UTF8" else {
            throw TocsinError(
                .store, "the database has the encoding \(encoding), and names of sensors need UTF8", place: place,
                remedy: "Create it anew: `createdb --encoding=UTF8 --template=template0 NAME`.")
        }
        guard tpq_server_version(handle) >= Self.oldestServer else {
            throw TocsinError(
                .store, "the server is older than PostgreSQL \(Self.oldestServer / 10_000)", place: place,
                remedy: "Use a newer one.")
        }
        let milliseconds = { (span: Span64) in max(1, span.nanoseconds / 1_000_000) }
        // Plans of listings must not depend on statistics: those of the day's partition are always out of date.
        let planning =
            isWriter
            ? "" : "SET enable_seqscan = off; SET enable_bitmapscan = off; SET max_parallel_workers_per_gather = 0;"
        try execute(
            """
            SET search_path = \(Self.quoted(settings.schema));
            SET client_min_messages = warning;
            SET statement_timeout = \(milliseconds(settings.statementTimeout));
            SET lock_timeout = \(milliseconds(settings.lockTimeout));
            SET idle_in_transaction_session_timeout = \(milliseconds(settings.statementTimeout));
            SET synchronous_commit = on; SET jit = off; SET timezone = 'UTC'; \(planning)
            """)
    }

    private static let oldestServer: Int32 = 130_000

    static func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

    var isUsable: Bool { !isGivenUp && tpq_status(handle) == TPQ_CONNECTION_OK }
    var isIdle: Bool { tpq_transaction_status(handle) == TPQ_TRANSACTION_IDLE }
    var processID: Int32 { tpq_backend_pid(handle) }
    var isEncrypted: Bool { tpq_ssl_in_use(handle) != 0 }
    var serverVersion: Int32 { tpq_server_version(handle) }

    // MARK: Statements

    /// Runs statements without parameters, separated by semicolons; their rows are dropped.
    func execute(_ sql: String) throws {
        guard tpq_send_query(handle, sql) == 1 else { throw lost() }
        _ = try finish()
    }

    /// Runs one statement and returns all its rows.
    func query(_ sql: String, _ values: [PostgresValue] = []) throws -> PostgresResult {
        recorded?.append((sql, values))
        try send(sql, values)
        return try finish() ?? PostgresResult.none
    }

    /// Runs one statement; returns rows changed.
    @discardableResult
    func run(_ sql: String, _ values: [PostgresValue] = []) throws -> Int { try query(sql, values).changedRows }

    /// Runs statements in their order with one wait for all of them. After the first that fails none is run.
    func pipeline(_ statements: [(sql: String, values: [PostgresValue])]) throws -> [PostgresResult] {
        guard tpq_enter_pipeline_mode(handle) == 1 else { throw lost() }
        for (sql, values) in statements { try send(sql, values) }
        guard tpq_pipeline_sync(handle) == 1 else { throw lost() }
        var results: [PostgresResult] = []
        var failure: ServerFailure?
        for _ in statements {
            while let result = try next() {
                if failure == nil { failure = self.failure(of: result) }
                results.append(result)
            }
        }
        // The end of the pipeline is a result by itself.
        guard let end = try next(), end.status == TPQ_PIPELINE_SYNC else { throw lost() }
        guard tpq_exit_pipeline_mode(handle) == 1 else { throw lost() }
        if let failure { throw failure }
        return results
    }

    private func send(_ sql: String, _ values: [PostgresValue]) throws {
        let isSent = PostgresValue.withLibpq(values) { types, pointers, lengths, formats in
            tpq_send_query_params(handle, sql, Int32(values.count), types, pointers, lengths, formats, 1)
        }
        guard isSent == 1 else { throw lost() }
    }

    /// - Throws: the first failure, after all results have been taken.
    func finish() throws -> PostgresResult? {
        var last: PostgresResult?
        var failure: ServerFailure?
        while let result = try next() {
            if failure == nil { failure = self.failure(of: result) }
            last = result
            // A COPY stands open; whoever began it goes on.
            if result.status == TPQ_COPY_IN { break }
        }
        if let failure { throw failure }
        return last
    }

    // MARK: Waiting

    /// The next result; nil at the end of a statement's.
    private func next() throws -> PostgresResult? {
        try flush()
        while tpq_is_busy(handle) != 0 {
            _ = try wait(forWriting: false)
            guard tpq_consume_input(handle) == 1 else { throw lost() }
        }
        guard let result = tpq_get_result(handle) else { return nil }
        return PostgresResult(result)
    }

    /// Hands everything to the operating system.
    func flush() throws {
        while true {
            let state = tpq_flush(handle)
            if state == 0 { return }
            guard state == 1 else { throw lost() }
            // The server may wait for its answers to be taken before it takes more.
            if try wait(forWriting: true) { guard tpq_consume_input(handle) == 1 else { throw lost() } }
        }
    }

    /// - Returns: whether there is something to read.
    private func wait(forWriting: Bool) throws -> Bool {
        let end = Self.now().addingReportingOverflow(silence)
        while true {
            let left = (end.overflow ? .max : end.partialValue) - Self.now()
            guard left > 0 else {
                isGivenUp = true
                throw ServerFailure(state: nil, message: "the server has not answered for too long")
            }
            var request = pollfd(
                fd: tpq_socket(handle), events: Int16(POLLIN) | (forWriting ? Int16(POLLOUT) : 0), revents: 0)
            let count = poll(&request, 1, Int32(clamping: left / 1_000_000 + 1))
            if count > 0 { return request.revents & ~Int16(POLLOUT) != 0 }
            if count < 0, errno != EINTR { throw lost() }
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// For work that takes as long as it takes.
    func beVeryPatient() throws {
        silence = .max
        try execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
    }

    // MARK: Failures

    func lost() -> ServerFailure {
        isGivenUp = true
        return ServerFailure(state: nil, message: message(of: handle))
    }

    private func failure(of result: PostgresResult) -> ServerFailure? {
        switch result.status {
        case TPQ_COMMAND_OK, TPQ_TUPLES_OK, TPQ_COPY_IN, TPQ_EMPTY_QUERY, TPQ_PIPELINE_SYNC, TPQ_PIPELINE_ABORTED:
            return nil
        default:
            // No state: the library itself speaks, because the connection broke.
            guard let state = result.field(TPQ_FIELD_SQLSTATE) else {
                return ServerFailure(state: nil, message: hideSecrets(result.message))
            }
            return ServerFailure(
                state: state, message: hideSecrets(result.field(TPQ_FIELD_MESSAGE) ?? ""),
                table: result.field(TPQ_FIELD_TABLE))
        }
    }

    private func message(of handle: OpaquePointer) -> String {
        hideSecrets(tpq_error_message(handle).map { String(cString: $0) } ?? "")
    }

    private func hideSecrets(_ text: String) -> String {
        var text = text.split(whereSeparator: \.isNewline).joined(separator: "; ")
        for secret in secrets where !secret.isEmpty { text = text.replacing(secret, with: "***") }
        return text
    }

    private static func outOfMemory(_ place: String) -> TocsinError {
        TocsinError(.store, "out of memory", place: place, remedy: "Free memory.", isRetriable: true)
    }
}

extension PostgresFailure {
    /// A connection that could not be made: libpq has words for it, and no state.
    static func login(_ message: String, place: String) -> TocsinError {
        let states: [(String, [String])] = [
            // First: it names the role or the database too.
            ("53300", ["too many clients", "remaining connection slots", "too many connections"]),
            (
                "28P01",
                [
                    "authentication failed", "no password supplied", "no pg_hba.conf entry", "role \"",
                    "rejects connection",
                ]
            ),
            ("3D000", ["database \""]),
            ("57P03", ["starting up", "shutting down", "recovery mode", "not yet accepting"]),
            ("25006", ["session is read-only", "is in hot standby", "is not in hot standby", "server is in recovery"]),
        ]
        let text = message.lowercased()
        let state = states.first { $0.1.contains { text.contains($0) } }?.0
        let isTrust = ["certificate", "ssl", "tls"].contains { text.contains($0) } && state == nil
        var error = PostgresFailure.error(state: state ?? "08001", message: message, place: place)
        if isTrust {
            error.message = "no trusted connection to the server: \(message)"
            error.remedy = "Check sslmode and the root certificate against the server's certificate; it is tried again."
        }
        return error
    }
}
