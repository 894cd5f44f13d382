import Synchronization
import Testing
import TocsinCore
import TocsinPostgres
import TocsinTestKit

@Suite(.enabled(if: PostgresServer.isInstalled, Comment(rawValue: PostgresServer.isMissing)))
struct PostgresFaultTests {
    private func input(_ table: SeriesTable, at second: Int64, events: Int = 1) -> BatchOutcome {
        var input = StoreInput(table: table)
        for number in 0..<events { input.event("s\(number)", at: second, [("t", Double(number))]) }
        return input.outcome
    }

    @Test func survivesRestart() async throws {
        let server = try PostgresServer()
        let table = SeriesTable(seed: 1)
        let store = PostgresStore(settings: server.settings(), table: table)
        try await store.write([input(table, at: 1)])
        _ = try await store.events(RecordQuery())
        // Idle connections do not notice: the next call makes new ones by itself.
        try server.restart()
        #expect(try await store.write([input(table, at: 2)]) == [HeldReadings()])
        #expect(try await store.write([input(table, at: 2)]) == [HeldReadings(stored: 1)])
        #expect(try await store.events(RecordQuery()).count == 2)

        try server.stop(mode: "immediate")
        for _ in 0..<3 {
            let error = await #expect(throws: TocsinError.self) { try await store.write([input(table, at: 3)]) }
            #expect(error?.isRetriable == true)
        }
        let refusal = await #expect(throws: TocsinError.self) { _ = try await store.events(RecordQuery()) }
        #expect(refusal?.isRetriable == true)
        try server.start()
        var tries = 0
        while true {
            do {
                #expect(try await store.write([input(table, at: 3)]) == [HeldReadings()])
                break
            } catch let error as TocsinError where error.isRetriable && tries < 200 {
                tries += 1
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        #expect(try await store.events(RecordQuery()).count == 3)
        try await store.close()
    }

    @Test func badLoginIsToldWithoutThePassword() async throws {
        let server = try PostgresServer(access: [
            "local all all trust", "host all postgres all trust", "host all all all scram-sha-256",
        ])
        var settings = server.settings()
        for password in ["wr0ng-secret", nil] {
            settings.password = password
            let store = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
            let error = await #expect(throws: TocsinError.self) { try await store.prepare() }
            // A password that is being changed must not stop a plant.
            #expect(error?.isRetriable == true)
            #expect(error?.message.contains("refuses the login") == true)
            #expect(error?.remedy?.contains("password") == true)
            #expect(error.map { "\($0)" }?.contains("wr0ng-secret") == false)
            try await store.close()
        }
        settings.database = "nowhere"
        settings.user = "postgres"
        let store = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
        let error = await #expect(throws: TocsinError.self) { try await store.prepare() }
        #expect(error?.isRetriable == true)
        #expect(error?.description.contains("secret") == false)
        try await store.close()
    }

    @Test(arguments: [
        "postgresql://me:pa@ss/word:x@db/plant", "postgresql://me:secret@db:port/plant",
        "postgresql://me:secret@[db/plant",
        "host=db password=secret nonsense",
    ])
    func unreadableAddressIsNotQuoted(_ url: String) async throws {
        let store = PostgresStore(settings: PostgresSettings(url: url), table: SeriesTable(seed: 1))
        let error = await #expect(throws: TocsinError.self) { try await store.prepare() }
        #expect(error?.isRetriable == false)
        let text = error.map { "\($0)" } ?? ""
        for secret in ["pa@ss", "word:x", "secret"] { #expect(!text.contains(secret), "\(text)") }
        try await store.close()
    }

    @Test func placesHaveNoPassword() {
        let url = PostgresSettings(url: "postgresql://me:p%40ss@db.example:6000/plant?sslmode=require")
        #expect(url.place == "postgresql://me@db.example:6000/plant")
        let fields = PostgresSettings(host: "a,b", port: 5432, database: "d", user: "u", password: "x")
        #expect(fields.place == "postgresql://u@a,b:5432/d")
        #expect(PostgresSettings(url: "postgresql:///plant").place == "postgresql://localhost/plant")
    }

    @Test func addressAlone() async throws {
        let server = try PostgresServer.shared.get()
        let settings = PostgresSettings(
            url: "postgresql://tocsin:any@127.0.0.1:\(server.port)/postgres?sslmode=disable", schema: "by_address")
        let store = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
        try await store.prepare()
        #expect(try await store.openAlarms().isEmpty)
        try await store.close()
    }

    @Test func clientLibraryMissing() async throws {
        let settings = PostgresSettings(host: "127.0.0.1", library: "/nowhere/libpq.so")
        let store = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
        let error = await #expect(throws: TocsinError.self) { try await store.prepare() }
        #expect(error?.message.contains("client library cannot be used") == true)
        #expect(error?.isRetriable == false)
        #expect(error?.remedy?.contains("libpq5") == true)
        try await store.close()
    }

    /// Somebody at a shell who holds a lock until `release`.
    private struct Holder {
        let table: String
        let shell: PostgresStore
        let watcher: PostgresStore

        init(_ table: String, _ settings: PostgresSettings) async throws {
            var settings = settings
            settings.applicationName = "someone's psql"
            settings.lockTimeout = .seconds(20)
            self.table = table
            shell = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
            settings.applicationName = "watcher"
            watcher = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
            try await shell.prepare()
        }

        func hold() async throws {
            // Ended by `release` long before.
            try? await shell.execute("BEGIN; LOCK TABLE \(table); SELECT pg_sleep(25)")
        }

        /// Returns when the lock is held, or when somebody waits for it.
        func see(isGranted: Bool) async throws {
            let sql = """
                SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                    WHERE c.relname = '\(table)' AND c.relnamespace = current_schema()::regnamespace
                        AND l.granted = \(isGranted) AND (NOT l.granted OR l.mode = 'AccessExclusiveLock'))
                """
            while try await watcher.text(sql) != ["true"] { try? await Task.sleep(for: .milliseconds(1)) }
        }

        func release() async throws {
            _ = try await watcher.text(
                """
                SELECT pg_cancel_backend(l.pid) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                WHERE c.relname = '\(table)' AND c.relnamespace = current_schema()::regnamespace
                    AND l.granted AND l.mode = 'AccessExclusiveLock'
                """)
        }

        func close() async throws {
            try await shell.close()
            try await watcher.close()
        }
    }

    @Test func busyPoolIsTold() async throws {
        var settings = try PostgresServer.shared.get().settings()
        settings.poolSize = 1
        settings.poolTimeout = .milliseconds(50)
        settings.lockTimeout = .seconds(20)
        let store = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
        try await store.prepare()
        let holder = try await Holder("anomalies", settings)
        async let held: Void = holder.hold()
        try await holder.see(isGranted: true)
        // The only connection waits for the lock.
        async let slow = store.anomalies(RecordQuery())
        try await holder.see(isGranted: false)
        let error = await #expect(throws: TocsinError.self) { _ = try await store.openAlarms() }
        #expect(error?.isRetriable == true)
        #expect(error?.message.contains("connections for reading were busy") == true)
        try await holder.release()
        #expect(try await slow.isEmpty)
        try await held
        #expect(try await store.openAlarms().isEmpty)
        try await store.close()
        try await holder.close()
    }

    @Test func heldLockIsToldAndWaitedOut() async throws {
        var settings = try PostgresServer.shared.get().settings()
        let table = SeriesTable(seed: 1)
        // Tables and the day's partition are made with patience: other tests keep the server busy.
        let patient = PostgresStore(settings: settings, table: table)
        try await patient.write([input(table, at: 1)])
        try await patient.close()
        settings.lockTimeout = .milliseconds(100)
        let store = PostgresStore(settings: settings, table: table)
        let holder = try await Holder("sensor_events", settings)
        async let held: Void = holder.hold()
        try await holder.see(isGranted: true)
        let error = await #expect(throws: TocsinError.self) { try await store.write([input(table, at: 2)]) }
        #expect(error?.isRetriable == true)
        #expect(error?.message.contains("someone's psql") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("sensor_events") == true)
        try await holder.release()
        try await held
        #expect(try await store.write([input(table, at: 2)]) == [HeldReadings()])
        #expect(try await store.events(RecordQuery()).count == 2)
        try await store.close()
        try await holder.close()
    }

    @Test func outOfConnections() async throws {
        let server = try PostgresServer(["max_connections = 5", "superuser_reserved_connections = 1"])
        var settings = server.settings()
        settings.poolSize = 10
        let table = SeriesTable(seed: 1)
        let stores = (0..<5).map { _ in PostgresStore(settings: settings, table: table) }
        var refusals = 0
        for store in stores {
            do {
                try await store.write([input(table, at: 1)])
                _ = try await store.events(RecordQuery())
            } catch let error as TocsinError {
                refusals += 1
                #expect(error.isRetriable)
                #expect(error.message.contains("no connection left"), "\(error.message)")
            }
        }
        #expect(refusals > 0)
        for store in stores { try await store.close() }
        try server.stop(mode: "immediate")
    }

    /// `temp_file_limit` stands for a disk: the state that the server answers with is of the same class.
    @Test func statesAreClassified() {
        let waiting = [
            nil, "08006", "08001", "53100", "53200", "53300", "53400", "57P01", "57P02", "57P03", "57014", "40001",
            "23514",
            "40P01",
            "55P03", "25006", "28P01", "28000", "3D000", "58030",
        ]
        for state in waiting { #expect(PostgresFailure.isRetriable(state: state), "\(state ?? "lost")") }
        for state in ["42P01", "42703", "42501", "22021", "XX001", "0A000"] {
            #expect(!PostgresFailure.isRetriable(state: state), "\(state)")
        }
        let full = PostgresFailure.error(state: "53100", message: "could not extend file", place: "db")
        #expect(full.message == "the server's disk is full: could not extend file (SQLSTATE 53100)")
        #expect(full.remedy?.contains("Free space") == true)
    }

    @Test func encryptedAndVerified() async throws {
        let server = try PostgresServer()
        guard (try? PostgresServer.run(["/usr/bin/env", "openssl", "version"])) != nil else { return }
        try PostgresServer.run([
            "/usr/bin/env", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
            server.folder + "/data/server.key", "-out", server.folder + "/data/server.crt",
        ])
        try server.own("server.key")
        try server.own("server.crt")
        try server.append(["ssl = on"], to: "postgresql.conf")
        try server.replace("pg_hba.conf", with: ["local all all trust", "hostssl all all all trust"])
        try server.restart()
        var settings = server.settings()
        settings.sslMode = .verifyFull
        settings.rootCertificate = server.folder + "/data/server.crt"
        let store = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
        #expect(try await store.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == ["true"])
        try await store.close()
        // The same server under a name that its certificate does not hold, and without any trust.
        for (host, certificate) in [
            ("localhost", settings.rootCertificate), ("127.0.0.1", server.folder + "/none.crt"),
        ] {
            var wrong = settings
            wrong.host = host
            wrong.rootCertificate = certificate
            let store = PostgresStore(settings: wrong, table: SeriesTable(seed: 1))
            let error = await #expect(throws: TocsinError.self) { try await store.prepare() }
            #expect(error?.message.contains("no trusted connection") == true, "\(error?.message ?? "")")
            try await store.close()
        }
        var plain = settings
        plain.sslMode = .disable
        let refused = PostgresStore(settings: plain, table: SeriesTable(seed: 1))
        let error = await #expect(throws: TocsinError.self) { try await refused.prepare() }
        #expect(error?.message.contains("refuses the login") == true, "\(error?.message ?? "")")
        try await refused.close()
    }

    /// Of several hosts the one that takes writes is used.
    @Test func anotherHostTakesOver() async throws {
        let standby = try PostgresServer(["default_transaction_read_only = on"])
        let primary = try PostgresServer()
        let settings = PostgresSettings(
            url: "postgresql://tocsin@127.0.0.1:\(standby.port),127.0.0.1:\(primary.port)/postgres?sslmode=disable")
        let table = SeriesTable(seed: 1)
        let store = PostgresStore(settings: settings, table: table)
        try await store.write([input(table, at: 1)])
        #expect(try await store.events(RecordQuery()).count == 1)
        #expect(try await store.text("SELECT inet_server_port()") == ["\(primary.port)"])
        try await store.close()
    }
}
