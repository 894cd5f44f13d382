import Foundation
import FoundationNetworking
import TocsinCore
import TocsinS3

/// A server program of the machine on a free port of 127.0.0.1, with its state in a folder that goes with it.
final class RealService {
    enum Kind: String {
        case rclone
        /// Checks no signatures, but the rules of multipart uploads.
        case moto = "moto_server"
    }

    let port: Int
    let folder: TestFolder
    private let kind: Kind
    private let isSecure: Bool
    private let program: String
    private var process: Process?

    /// On the path, or in the repository's virtual environment.
    static func program(_ kind: Kind) -> String? {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + [repository + "/.build/venv/bin"]
        return folders.map { "\($0)/\(kind.rawValue)" }.first(where: FileManager.default.isExecutableFile)
    }

    /// Ready, with an empty bucket `plant`.
    /// - Parameter isSecure: TLS with a certificate for 127.0.0.1 that only `certificate` vouches for. Of rclone.
    init(_ kind: Kind, isSecure: Bool = false) async throws {
        self.kind = kind
        self.isSecure = isSecure
        program = Self.program(kind) ?? ""
        folder = try TestFolder()
        port = try Self.freePort()
        try FileManager.default.createDirectory(atPath: folder.path + "/state/plant", withIntermediateDirectories: true)
        if isSecure { try Self.makeCertificate(folder.path) }
        try await start()
        if kind == .moto { _ = try await Self.send("PUT", "\(endpoint)/plant") }
    }

    deinit { stop() }

    var certificate: String { folder.path + "/certificate.pem" }
    var endpoint: String { "\(isSecure ? "https" : "http")://127.0.0.1:\(port)" }
    /// Of rclone: its objects are files there.
    var bucketPath: String { folder.path + "/state/plant" }

    func start() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments =
            switch kind {
            case .rclone:
                [
                    "serve", "s3", "--addr", "127.0.0.1:\(port)", "--auth-key",
                    "\(testKeys.accessKey),\(testKeys.secretKey)", "--config", "/dev/null", folder.path + "/state",
                ] + (isSecure ? ["--cert", certificate, "--key", folder.path + "/key.pem"] : [])
            case .moto: ["-H", "127.0.0.1", "-p", String(port)]
            }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        for _ in 0..<600 {
            if isListening { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TocsinError(.network, "\(program) did not start")
    }

    func stop() {
        guard let process else { return }
        // Some wait for open connections on SIGTERM.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    /// A request without signature.
    static func send(_ method: String, _ address: String) async throws -> String {
        guard let url = URL(string: address) else { return "" }
        var request = URLRequest(url: url)
        request.httpMethod = method
        return String(decoding: try await URLSession.shared.data(for: request).0, as: UTF8.self)
    }

    private static func makeCertificate(_ folder: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/key.pem",
            "-out", folder + "/certificate.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }

    private var isListening: Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = Self.loopback(port: port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        return address
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw TocsinError(.network, "there is no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
