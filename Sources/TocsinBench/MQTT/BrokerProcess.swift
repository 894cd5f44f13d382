internal import TocsinCore
internal import TocsinMeasure

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Mosquitto on a free port of this machine, keeping nothing on disk; ended with its owner.
struct BrokerProcess {
    let address: HTTPAddress
    private let child: ChildProcess
    private static let names = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"]

    /// Returns when it listens.
    /// - Throws: `TocsinError` where it is not installed, or does not start.
    init(folder: String) throws(TocsinError) {
        guard let program = Self.names.first(where: { access($0, X_OK) == 0 }) else {
            throw TocsinError(
                .usage, "mosquitto is not installed",
                remedy: "install it (Debian: mosquitto), or name a broker that runs with --broker")
        }
        let port = try Self.freePort()
        let file = folder + "/mosquitto.conf"
        let configuration = """
            listener \(port) 127.0.0.1
            allow_anonymous true
            persistence false
            max_queued_messages 0
            max_inflight_messages 0
            log_dest none

            """
        try ReportFile.write(Array(configuration.utf8), to: file)
        address = try HTTPAddress("http://127.0.0.1:\(port)")
        child = try ChildProcess(program: program, arguments: ["-c", file])
        let deadline = MachineClock.monotonic() + 10_000_000_000
        while (try? ClientSocket(to: address)) == nil {
            guard MachineClock.monotonic() < deadline else {
                throw TocsinError(.network, "mosquitto does not listen", remedy: "start it by hand and give --broker")
            }
            usleep(10_000)
        }
    }

    var cpuSeconds: Double { child.runningUsage().cpuSeconds }

    private static func freePort() throws(TocsinError) -> UInt16 {
        #if canImport(Glibc)
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let probe = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { close(probe) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                bind(probe, general, length) == 0 && getsockname(probe, general, &length) == 0
            }
        }
        guard isBound else { throw TocsinError(.network, "there is no free port on 127.0.0.1") }
        return UInt16(bigEndian: place.sin_port)
    }
}
