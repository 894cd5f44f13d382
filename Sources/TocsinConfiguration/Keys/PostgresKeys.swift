internal import TocsinCore

enum PostgresKeys {
    static let url = Key(
        "store.postgres.url", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        aliases: ["PG_URL"],
        "`postgresql://user:password@host:port/database?sslmode=…`; the other keys win where they are set.")
    static let host = Key(
        "store.postgres.host", .optionalText, default: nil, shownAs: "none", aliases: ["PG_HOST"],
        "Server, or several separated by commas, of which the one that takes writes is used; a path is the folder of "
            + "a Unix socket.")
    static let port = Key(
        "store.postgres.port", .integer(1...65535), default: 5432, aliases: ["PG_PORT"], "Its port.")
    static let database = Key(
        "store.postgres.database", .text, default: "tocsin", aliases: ["PG_DB"],
        "Name of the database; its tables are made at the first start.")
    static let user = Key(
        "store.postgres.user", .text, default: "tocsin", aliases: ["PG_USER"],
        "Role to log in as; it must own the database or be allowed to create tables.")
    static let password = Key(
        "store.postgres.password", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        aliases: ["PG_PASSWORD"], "Its password.")
    static let sslMode = Key(
        "store.postgres.sslMode", .choice, default: TocsinConfiguration.Postgres.SSLMode.prefer,
        aliases: ["PG_SSLMODE"], "As libpq's `sslmode`; over a network use `verify-full`.")
    static let rootCertificate = Key(
        "store.postgres.rootCertificate", .optionalPath, default: nil, shownAs: "none",
        aliases: ["PG_SSLROOTCERT"], "Certificates of authorities that are trusted (PEM).")
    static let certificate = Key(
        "store.postgres.certificate", .optionalPath, default: nil, shownAs: "none",
        "The client's own certificate (PEM).")
    static let privateKey = Key(
        "store.postgres.privateKey", .optionalPath, default: nil, shownAs: "none",
        "The private key that belongs to it.")
    static let connections = Key(
        "store.postgres.connections", .integer(1...100, unit: "connections"), default: 4,
        "Connections for reading at most; one more writes.")
    static let connectTimeout = Key(
        "store.postgres.connectTimeout", .duration(.seconds(1) ... .minutes(5)), default: .seconds(5),
        "How long one attempt to connect may take.")
    static let statementTimeout = Key(
        "store.postgres.statementTimeout", .duration(.seconds(1) ... .hours(1)), default: .seconds(30),
        "How long one statement may take.")

    static let all = [
        url.entry, host.entry, port.entry, database.entry, user.entry, password.entry, sslMode.entry,
        rootCertificate.entry, certificate.entry, privateKey.entry, connections.entry, connectTimeout.entry,
        statementTimeout.entry,
    ]
}
