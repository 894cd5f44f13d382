import Foundation
import Testing
import TocsinMQTT

/// A real broker on a free port of this machine, its files in a folder of its own.
final class Mosquitto {
    static let program = [
        "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto", "/opt/homebrew/sbin/mosquitto",
    ]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

    static let condition = ConditionTrait.enabled(
        if: program != nil, "mosquitto is not installed (Debian: mosquitto): skipped")

    let folder: URL
    let port: Int
    private let lines: [String]
    private var process = Process()

    /// - Parameter settings: further lines of its configuration; `@` stands for its folder.
    init(_ settings: [String] = ["allow_anonymous true"]) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tocsin-mqtt-\(UUID().uuidString)")
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = Self.freePort()
        let path = folder.path + "/"
        lines =
            [
                "listener \(port) 127.0.0.1", "max_queued_messages 0", "persistence true",
                "persistence_location \(path)",
                "autosave_interval 1", "autosave_on_changes true", "user root", "log_dest file \(path)log",
                "log_type all",
            ] + settings.map { $0.replacing("@", with: folder.path) }
    }

    /// Must be called: the broker goes on as long as it is not.
    func end() {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    var address: MQTTAddress { MQTTAddress(host: "127.0.0.1", port: port) }

    func write(_ name: String, _ text: String) throws {
        try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
    }

    /// Returns when it listens.
    func start() throws {
        try write("mosquitto.conf", lines.joined(separator: "\n") + "\n")
        process = Process()
        process.executableURL = URL(filePath: Self.program ?? "")
        process.arguments = ["-c", folder.path + "/mosquitto.conf"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let deadline = ContinuousClock.now + .seconds(60)
        while !Self.isListening(port) {
            guard process.isRunning, ContinuousClock.now < deadline else { throw StartFailure(lines: lines) }
            usleep(5000)
        }
    }

    /// As by `kill -9`.
    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Runs a program of the system; false where it is missing or fails.
    @discardableResult
    func run(_ arguments: String...) -> Bool {
        let command = Process()
        command.executableURL = URL(filePath: "/usr/bin/env")
        command.arguments = arguments.map { $0.replacing("@", with: folder.path) }
        command.standardOutput = FileHandle.nullDevice
        command.standardError = FileHandle.nullDevice
        guard (try? command.run()) != nil else { return false }
        command.waitUntilExit()
        return command.terminationStatus == 0
    }

    struct StartFailure: Error { var lines: [String] }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func freePort() -> Int {
        let descriptor = openSocket()
        defer { close(descriptor) }
        var place = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = bind(descriptor, generic, length)
                _ = getsockname(descriptor, generic, &length)
            }
        }
        return Int(UInt16(bigEndian: place.sin_port))
    }

    private static func isListening(_ port: Int) -> Bool {
        let descriptor = openSocket()
        defer { close(descriptor) }
        var place = address(port)
        return withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func openSocket() -> Int32 {
        #if canImport(Glibc)
        socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }
}
