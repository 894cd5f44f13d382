internal import CPostgres
internal import TocsinCore

/// The keywords of one connection, as libpq takes them.
struct ConnectionLogin {
    /// What no message may hold.
    let secrets: [String]
    private var words: [(name: String, value: String)]

    /// - Throws: `TocsinError` without any part of the address when that cannot be read.
    init(_ settings: PostgresSettings, isWriter: Bool) throws {
        // Words before the address are defaults, words behind it win.
        words = [("gssencmode", "disable")]
        if let url = settings.url {
            try Self.check(url, place: settings.place)
            words.append(("dbname", url))
        }
        let given: [(String, String?)] = [
            ("host", settings.host), ("port", settings.port.map(String.init)), ("dbname", settings.database),
            ("user", settings.user), ("password", settings.password), ("sslmode", settings.sslMode?.rawValue),
            ("sslrootcert", settings.rootCertificate), ("sslcert", settings.certificate), ("sslkey", settings.key),
        ]
        for (name, value) in given {
            guard let value else { continue }
            words.append((name, value))
        }
        let seconds = { (span: Span64) in String(max(1, (span.nanoseconds + 999_999_999) / 1_000_000_000)) }
        words += [
            ("connect_timeout", seconds(settings.connectTimeout)), ("application_name", settings.applicationName),
            ("client_encoding", "UTF8"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "30000"),
        ]
        // A standby serves no purpose to a writer, and its reader would see an older state.
        if isWriter || (settings.host ?? settings.url ?? "").contains(",") {
            words.append(("target_session_attrs", "read-write"))
        }
        secrets = ConnectionAddress(settings.url ?? "").secrets + [settings.password ?? ""]
    }

    func connect() -> OpaquePointer? {
        let names = words.map { Self.text($0.name) }
        let values = words.map { Self.text($0.value) }
        defer { for pointer in names + values { pointer.deallocate() } }
        return tpq_connectdb_params(
            names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    }

    private static func text(_ string: String) -> UnsafeMutablePointer<CChar> {
        let bytes = string.utf8CString
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { pointer[index] = byte }
        return pointer
    }

    /// libpq's own words about an address that it cannot read quote it, password included: so nothing is quoted here.
    private static func check(_ url: String, place: String) throws {
        var reason: UnsafeMutablePointer<CChar>?
        let options = tpq_conninfo_parse(url, &reason)
        if let reason { tpq_free_memory(reason) }
        defer { tpq_conninfo_free(options) }
        // A second @ is part of a password that nobody has escaped: libpq would take what follows for the host.
        var isGood = options != nil && url.prefix { $0 != "?" }.count { $0 == "@" } <= 1
        var option = options
        while let current = option, let keyword = current.pointee.keyword {
            if let value = current.pointee.value.map({ String(cString: $0) }) {
                switch String(cString: keyword) {
                case "port" where !value.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ",") }): isGood = false
                default: break
                }
            }
            option = current + 1
        }
        guard isGood else {
            throw TocsinError(
                .configuration, "the address of the PostgreSQL server cannot be read",
                remedy: "Write postgresql://user:password@host:port/database, with every special character of user and "
                    + "password as %XX (@ is %40, / is %2F, : is %3A).")
        }
    }
}
