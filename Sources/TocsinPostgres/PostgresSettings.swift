public import TocsinCore

/// How a PostgreSQL server is reached and treated. What is nil is as the address (`url`) says, or libpq's default.
public struct PostgresSettings: Sendable {
    /// The words of libpq; only `verifyCA` and `verifyFull` prove who the server is.
    public enum SSLMode: String, CaseIterable, Sendable {
        case disable, allow, prefer, require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// `postgresql://user:password@host:port/database?sslmode=…`; the fields below it win where they are set.
    public var url: String?
    /// A name, an address, a folder of Unix sockets, or several separated by commas: the first that takes writes is used.
    public var host: String?
    public var port: Int?
    public var database: String?
    public var user: String?
    /// Never part of a message.
    public var password: String?
    public var sslMode: SSLMode?
    /// PEM files: trusted authorities, the client's own certificate and its private key.
    public var rootCertificate: String?
    public var certificate: String?
    public var key: String?
    /// The schema that holds the tables; made when missing.
    public var schema: String
    /// What the server's list of connections shows.
    public var applicationName: String
    /// Connections for reading at most, made when needed; one more writes.
    public var poolSize: Int
    /// How long a query waits for a connection when all are busy.
    public var poolTimeout: Span64
    /// Per host.
    public var connectTimeout: Span64
    /// How long one statement may run; a connection whose server says nothing for longer is given up.
    public var statementTimeout: Span64
    /// How long a statement waits for a lock that another connection holds, before this is told.
    public var lockTimeout: Span64
    /// The client library's file; nil = the system's.
    public var library: String?

    public init(
        url: String? = nil, host: String? = nil, port: Int? = nil, database: String? = nil, user: String? = nil,
        password: String? = nil, sslMode: SSLMode? = nil, rootCertificate: String? = nil, certificate: String? = nil,
        key: String? = nil, schema: String = "public", applicationName: String = "tocsin", poolSize: Int = 4,
        poolTimeout: Span64 = .seconds(5), connectTimeout: Span64 = .seconds(5),
        statementTimeout: Span64 = .seconds(30), lockTimeout: Span64 = .seconds(5), library: String? = nil
    ) {
        self.url = url
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
        self.sslMode = sslMode
        self.rootCertificate = rootCertificate
        self.certificate = certificate
        self.key = key
        self.schema = schema
        self.applicationName = applicationName
        self.poolSize = poolSize
        self.poolTimeout = poolTimeout
        self.connectTimeout = connectTimeout
        self.statementTimeout = statementTimeout
        self.lockTimeout = lockTimeout
        self.library = library
    }

    /// Where the server is, for messages: `postgresql://user@host:port/database`, without any password.
    public var place: String {
        let address = ConnectionAddress(url ?? "")
        var text = "postgresql://"
        if let user = user ?? address.user { text += user + "@" }
        text += host ?? address.host ?? "localhost"
        if let port = port.map(String.init) ?? address.port { text += ":" + port }
        if let database = database ?? address.database { text += "/" + database }
        return text
    }
}

/// The parts of an address that may be shown, found without the client library. What cannot be told apart is left out.
struct ConnectionAddress {
    private(set) var user: String?
    private(set) var host: String?
    private(set) var port: String?
    private(set) var database: String?
    /// Every piece of the address that may hold the password.
    private(set) var secrets: [String] = []

    init(_ url: String) {
        guard let scheme = url.firstRange(of: "://") else {
            // `host=… password=…` in libpq's other form.
            if !url.isEmpty { secrets = [url] }
            return
        }
        secrets = [url]
        var rest = url[scheme.upperBound...]
        if let query = rest.firstIndex(of: "?") { rest = rest[..<query] }
        // The last one: a password may hold others that nobody has escaped.
        if let end = rest.lastIndex(of: "@") {
            let login = rest[..<end]
            if let colon = login.firstIndex(of: ":") {
                user = String(login[..<colon])
                secrets.append(String(login[login.index(after: colon)...]))
            } else {
                user = String(login)
            }
            rest = rest[rest.index(after: end)...]
        }
        if let slash = rest.firstIndex(of: "/") {
            let name = rest[rest.index(after: slash)...]
            if !name.isEmpty { database = String(name) }
            rest = rest[..<slash]
        }
        guard !rest.isEmpty else { return }
        if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]"), !rest.contains(",") {
            host = String(rest[..<colon])
            port = String(rest[rest.index(after: colon)...])
        } else {
            host = String(rest)
        }
    }
}
