public import TocsinCore

extension TocsinConfiguration {
    public struct Store: Sendable {
        public enum Kind: String, CaseIterable, Sendable { case auto, sqlite, postgres }

        /// As configured; `usesPostgres` is what `auto` comes to.
        public var kind: Kind
        /// As configured; `storePath` is the resolved one.
        public var path: String
        public var storeEvents: Bool
        public var retention: RetentionPolicy
        public var postgres: Postgres

        /// `auto` is PostgreSQL where a server is named.
        public var usesPostgres: Bool {
            switch kind {
            case .sqlite: false
            case .postgres: true
            case .auto: postgres.url != nil || postgres.host != nil
            }
        }
    }

    public struct Postgres: Sendable {
        /// The words of libpq.
        public enum SSLMode: String, CaseIterable, Sendable {
            case disable, allow, prefer, require
            case verifyCA = "verify-ca"
            case verifyFull = "verify-full"
        }

        /// nil in a field below it: as the address says, or libpq's own default.
        public var url: Secret?
        public var host: String?
        public var port: Int?
        public var database: String?
        public var user: String?
        public var password: Secret?
        public var sslMode: SSLMode?
        public var rootCertificate: String?
        public var certificate: String?
        public var privateKey: String?
        public var connections: Int
        public var connectTimeout: Span64
        public var statementTimeout: Span64
    }

    public struct Lake: Sendable {
        public var enabled: Bool
        /// As configured; `lakeLocation` is the resolved one.
        public var location: String
        public var rollBytes: Int
        public var rollAge: Span64
        public var keepPayload: Bool
        public var waitingBytes: Int
        public var compactAbove: Int
        /// nil = never deleted.
        public var bronzeAge: Span64?
        public var silverAge: Span64?
        public var goldAge: Span64?
        /// nil = only by hand.
        public var etlInterval: Span64?
        public var goldWindows: Bool
        public var transforms: String?
        public var library: String?
        public var memory: Int
        /// 0 = one per core.
        public var threads: Int
        public var s3: S3

        public struct S3: Sendable {
            public enum PathStyle: String, CaseIterable, Sendable { case auto, path, virtual }

            public var endpoint: String?
            public var region: String
            public var accessKey: Secret?
            public var secretKey: Secret?
            public var sessionToken: Secret?
            public var credentialsFile: String?
            public var profile: String
            public var pathStyle: PathStyle
            public var certificate: String?
        }

        public var isS3: Bool { location.hasPrefix("s3://") }
    }

    /// The database file: `store.path`, inside `data.directory` unless absolute.
    public var storePath: String { resolved(store.path) }

    /// The lake: an address of S3 as it stands, a folder inside `data.directory` unless absolute.
    public var lakeLocation: String { lake.isS3 ? lake.location : resolved(lake.location) }

    /// Files that are being made or wait to be sent, and how far bronze has come.
    public var lakeStatePath: String { resolved("lake-state") }
}

extension TocsinConfiguration.Store {
    init(from reader: inout SettingReader) {
        kind = reader.read(StoreKeys.kind)
        path = reader.read(StoreKeys.path)
        storeEvents = reader.read(StoreKeys.storeEvents)
        retention = RetentionPolicy(
            eventAge: reader.read(StoreKeys.retentionEvents), windowAge: reader.read(StoreKeys.retentionWindows),
            anomalyAge: reader.read(StoreKeys.retentionAnomalies),
            deadLetterAge: reader.read(StoreKeys.retentionDeadLetters),
            maxBytes: reader.read(StoreKeys.retentionMaxBytes).map { Int64($0) },
            thinnedWindowAge: reader.read(StoreKeys.retentionThinnedWindows),
            jobAge: reader.read(StoreKeys.retentionJobs))
        postgres = TocsinConfiguration.Postgres(from: &reader)
        if kind == .postgres, postgres.url == nil, postgres.host == nil {
            reader.note(
                ConfigurationProblem(
                    "`store.kind` is postgres, but no server is named", at: reader.origin(of: StoreKeys.kind.entry),
                    remedy: "set store.postgres.host (PG_HOST) or store.postgres.url"))
        }
    }
}

extension TocsinConfiguration.Postgres {
    init(from reader: inout SettingReader) {
        url = reader.read(PostgresKeys.url)
        // What nobody has set is left to the address.
        host = reader.read(PostgresKeys.host)
        port = Self.given(PostgresKeys.port, &reader, hasAddress: url != nil)
        database = Self.given(PostgresKeys.database, &reader, hasAddress: url != nil)
        user = Self.given(PostgresKeys.user, &reader, hasAddress: url != nil)
        password = reader.read(PostgresKeys.password)
        sslMode = Self.given(PostgresKeys.sslMode, &reader, hasAddress: url != nil)
        rootCertificate = reader.read(PostgresKeys.rootCertificate)
        certificate = reader.read(PostgresKeys.certificate)
        privateKey = reader.read(PostgresKeys.privateKey)
        connections = reader.read(PostgresKeys.connections)
        connectTimeout = reader.read(PostgresKeys.connectTimeout)
        statementTimeout = reader.read(PostgresKeys.statementTimeout)
    }

    private static func given<Value: Sendable>(
        _ key: Key<Value>, _ reader: inout SettingReader, hasAddress: Bool
    ) -> Value? {
        let value = reader.read(key)
        return hasAddress && reader.origin(of: key.entry) == .default ? nil : value
    }
}

extension TocsinConfiguration.Lake {
    init(from reader: inout SettingReader) {
        enabled = reader.read(LakeKeys.enabled)
        location = reader.read(LakeKeys.location)
        rollBytes = reader.read(LakeKeys.rollBytes)
        rollAge = reader.read(LakeKeys.rollAge)
        keepPayload = reader.read(LakeKeys.keepPayload)
        waitingBytes = reader.read(LakeKeys.waitingBytes)
        compactAbove = reader.read(LakeKeys.compactAbove)
        bronzeAge = reader.read(LakeKeys.retentionBronze)
        silverAge = reader.read(LakeKeys.retentionSilver)
        goldAge = reader.read(LakeKeys.retentionGold)
        etlInterval = reader.read(LakeKeys.etlInterval)
        goldWindows = reader.read(LakeKeys.goldWindows)
        transforms = reader.read(LakeKeys.transforms)
        library = reader.read(LakeKeys.library)
        memory = reader.read(LakeKeys.memory)
        threads = reader.read(LakeKeys.threads)
        s3 = S3(from: &reader)
        if isS3, location.dropFirst(5).split(separator: "/").isEmpty {
            reader.note(
                ConfigurationProblem(
                    "`lake.location` is \(location), which names no bucket",
                    at: reader.origin(of: LakeKeys.location.entry), remedy: "write s3://bucket/prefix"))
        } else if !isS3, location.contains("://") {
            reader.note(
                ConfigurationProblem(
                    "`lake.location` is \(location), and only folders and s3:// are known",
                    at: reader.origin(of: LakeKeys.location.entry),
                    remedy: "name a folder or s3://bucket/prefix; other services speak S3 by lake.s3.endpoint"))
        }
    }
}

extension TocsinConfiguration.Lake.S3 {
    init(from reader: inout SettingReader) {
        endpoint = reader.read(LakeKeys.endpoint)
        region = reader.read(LakeKeys.region)
        accessKey = reader.read(LakeKeys.accessKey)
        secretKey = reader.read(LakeKeys.secretKey)
        sessionToken = reader.read(LakeKeys.sessionToken)
        credentialsFile = reader.read(LakeKeys.credentialsFile)
        profile = reader.read(LakeKeys.profile)
        pathStyle = reader.read(LakeKeys.pathStyle)
        certificate = reader.read(LakeKeys.certificate)
        if (accessKey == nil) != (secretKey == nil) {
            let missing = accessKey == nil ? LakeKeys.accessKey : LakeKeys.secretKey
            let given = accessKey == nil ? LakeKeys.secretKey : LakeKeys.accessKey
            reader.note(
                ConfigurationProblem(
                    "`\(given.entry.name)` is set, but `\(missing.entry.name)` is not",
                    at: reader.origin(of: given.entry), remedy: "set both, or neither"))
        }
    }
}
