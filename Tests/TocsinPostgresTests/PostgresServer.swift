#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif
import Synchronization
import TocsinPostgres

/// A server of its own for tests, in a temporary folder on 127.0.0.1; stopped and deleted when let go.
final class PostgresServer: Sendable {
    struct Failure: Error { var what: String }

    /// Where Debian, Fedora and Homebrew put the server's programs.
    private static let folders = (13...18).reversed().flatMap {
        ["/usr/lib/postgresql/\($0)/bin", "/usr/pgsql-\($0)/bin", "/opt/homebrew/opt/postgresql@\($0)/bin"]
    }
    private static let programs = folders.first { access($0 + "/initdb", X_OK) == 0 }

    /// Tests that need a server are skipped where there is none, and say so.
    static let isInstalled = programs != nil
    static let isMissing = "no PostgreSQL server is installed: its initdb was looked for in /usr/lib/postgresql/*/bin"

    /// One for all tests that do not stop it.
    static let shared = Result { try PostgresServer() }
    private static let schemas = Atomic(0)

    let folder: String
    let port: Int
    private let settings: [String]

    /// - Parameters:
    ///   - settings: lines of postgresql.conf.
    ///   - access: lines of pg_hba.conf; nil = everybody from this machine, without a password.
    init(_ settings: [String] = [], access: [String]? = nil) throws {
        guard let programs = Self.programs else { throw Failure(what: Self.isMissing) }
        var template = Array("/tmp/tocsin-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(what: "no temporary folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        port = try Self.freePort()
        self.settings = settings
        // The server refuses to run as root.
        if getuid() == 0 { try Self.run(["/usr/bin/env", "chown", "postgres", folder]) }
        try Self.run(
            Self.asServer([
                programs + "/initdb", "-D", folder + "/data", "-U", "tocsin", "--auth=trust", "-E", "UTF8",
                "--locale=C", "--no-sync",
            ]))
        let lines =
            [
                "listen_addresses = '127.0.0.1'", "port = \(port)", "unix_socket_directories = '\(folder)'",
                "fsync = off", "shared_buffers = 32MB", "max_connections = 400",
            ] + settings
        try append(lines, to: "postgresql.conf")
        if let access { try replace("pg_hba.conf", with: access) }
        try start()
    }

    deinit {
        try? stop(mode: "immediate")
        try? Self.run(["/usr/bin/env", "rm", "-rf", folder])
        Self.running.withLock { $0.removeAll { $0 == folder } }
    }

    // Servers of static variables are never let go: they end with the process.
    private static let running = Mutex<[String]>([])
    private static let atExit: Void = {
        atexit {
            for folder in PostgresServer.running.withLock({ $0 }) {
                try? PostgresServer.control(["stop", "-m", "immediate"], folder)
                try? PostgresServer.run(["/usr/bin/env", "rm", "-rf", folder])
            }
        }
    }()

    // MARK: Life

    func start() throws {
        try Self.control(["-l", folder + "/log", "-t", "30", "start"], folder)
        Self.running.withLock { $0.append(folder) }
        _ = Self.atExit
    }

    func stop(mode: String = "fast") throws { try Self.control(["stop", "-m", mode], folder) }

    func restart() throws {
        try stop()
        try start()
    }

    func write(_ text: String, to name: String) throws {
        guard let file = fopen("\(folder)/data/\(name)", "w") else { throw Failure(what: "cannot write \(name)") }
        fputs(text, file)
        fclose(file)
    }

    func append(_ lines: [String], to name: String) throws {
        guard let file = fopen("\(folder)/data/\(name)", "a") else { throw Failure(what: "cannot write \(name)") }
        fputs(lines.joined(separator: "\n") + "\n", file)
        fclose(file)
    }

    func replace(_ name: String, with lines: [String]) throws {
        try write(lines.joined(separator: "\n") + "\n", to: name)
    }

    func own(_ name: String) throws {
        if getuid() == 0 { try Self.run(["/usr/bin/env", "chown", "postgres", "\(folder)/data/\(name)"]) }
        chmod("\(folder)/data/\(name)", 0o600)
    }

    func reload() throws { try Self.control(["reload"], folder) }

    // MARK: Connecting

    /// Settings of a schema of its own, so that tests share a server.
    func settings(schema: String? = nil) -> PostgresSettings {
        let number = Self.schemas.wrappingAdd(1, ordering: .relaxed).newValue
        return PostgresSettings(
            host: "127.0.0.1", port: port, database: "postgres", user: "tocsin", sslMode: .disable,
            schema: schema ?? "test_\(number)")
    }

    // MARK: Programs

    private static func asServer(_ command: [String]) -> [String] {
        getuid() == 0 ? ["/usr/bin/env", "runuser", "-u", "postgres", "--"] + command : command
    }

    private static func control(_ arguments: [String], _ folder: String) throws {
        guard let programs else { return }
        try run(asServer([programs + "/pg_ctl", "-s", "-w", "-D", folder + "/data"] + arguments))
    }

    static func run(_ command: [String]) throws {
        var files: posix_spawn_file_actions_t = .init()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0)
        // A session of its own: a Ctrl-C at the terminal must not reach the server before the tests end.
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        guard posix_spawn(&process, command[0], &files, nil, &arguments, environ) == 0 else {
            throw Failure(what: "cannot run \(command.joined(separator: " "))")
        }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        guard status == 0 else { throw Failure(what: "failed: \(command.joined(separator: " "))") }
    }

    private static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port: Int? = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(socket, address, length) == 0, getsockname(socket, address, &length) == 0 else { return nil }
                return Int(UInt16(bigEndian: UnsafeRawPointer(address).load(fromByteOffset: 2, as: UInt16.self)))
            }
        }
        guard let port else { throw Failure(what: "no free port") }
        return port
    }
}
