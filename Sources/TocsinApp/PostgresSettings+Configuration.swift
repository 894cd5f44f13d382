internal import TocsinConfiguration
internal import TocsinPostgres

extension PostgresSettings {
    init(_ given: TocsinConfiguration.Postgres) {
        self.init(
            url: given.url?.value, host: given.host, port: given.port, database: given.database, user: given.user,
            password: given.password?.value, sslMode: given.sslMode.flatMap { SSLMode(rawValue: $0.rawValue) },
            rootCertificate: given.rootCertificate, certificate: given.certificate, key: given.privateKey,
            poolSize: given.connections, connectTimeout: given.connectTimeout,
            statementTimeout: given.statementTimeout)
    }
}
