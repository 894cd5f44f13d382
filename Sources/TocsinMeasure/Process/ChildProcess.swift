#if canImport(Glibc)
@preconcurrency internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
package import TocsinCore

/// What a child process used in all.
package struct ChildUsage: Sendable {
    /// Exit code, or 128 + signal.
    package var status: Int32
    package var cpuSeconds: Double
    package var peakResidentBytes: Int64
}

/// This program once more, or another one, in a process of its own: what is measured there is not mixed with the
/// measuring.
package final class ChildProcess {
    private let identifier: pid_t
    private let output: Int32
    private var pending: [UInt8] = []
    private var usage: ChildUsage?

    /// - Parameters:
    ///   - program: a file, or a name that is looked for in PATH; nil = this program.
    ///   - arguments: after the program's name.
    /// - Throws: `TocsinError(.file)` when it cannot be started.
    package init(program: String? = nil, arguments: [String]) throws(TocsinError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Self.failure("cannot make a pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #if canImport(Glibc)
        var actions = posix_spawn_file_actions_t()
        #else
        var actions: posix_spawn_file_actions_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        #if canImport(Glibc)
        var attributes = posix_spawnattr_t()
        #else
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawnattr_init(&attributes)
        Self.resetSignals(&attributes)
        let path = program ?? Self.executable
        var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        pointers.append(nil)
        var process = pid_t()
        let result = posix_spawnp(&process, path, &actions, &attributes, pointers, environ)
        for pointer in pointers { free(pointer) }
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        close(ends[1])
        guard result == 0 else {
            close(ends[0])
            throw Self.failure("cannot start \(path)", result)
        }
        identifier = process
        output = ends[0]
    }

    #if canImport(Glibc)
    private typealias Attributes = posix_spawnattr_t
    #else
    private typealias Attributes = posix_spawnattr_t?
    #endif

    /// This process may block or ignore signals (services wait for SIGTERM by other ways), which a child would inherit: it
    /// could not be asked to end.
    private static func resetSignals(_ attributes: inout Attributes) {
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        sigemptyset(&usual)
        for signal in [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    }

    /// Ends the child if it still runs: nobody else would.
    deinit {
        if usage == nil {
            kill(identifier, SIGKILL)
            _ = wait()
        }
        close(output)
    }

    /// The next line of its output; nil at the end.
    package func readLine() -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeFirst(end + 1)
                return line
            }
            guard fill() else {
                defer { pending = [] }
                return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
            }
        }
    }

    /// The rest of its output, to the end.
    package func readAll() -> [UInt8] {
        while fill() {}
        defer { pending = [] }
        return pending
    }

    /// Asks it to end.
    package func terminate() { kill(identifier, SIGTERM) }

    /// Waits for its end.
    package func wait() -> ChildUsage {
        if let usage { return usage }
        var status: Int32 = 0
        var used = rusage()
        while wait4(identifier, &status, 0, &used) < 0, errno == EINTR {}
        let cpu =
            Double(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
            + Double(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6
        #if canImport(Glibc)
        let peak = Int64(used.ru_maxrss) * 1024
        #else
        let peak = Int64(used.ru_maxrss)
        #endif
        let signal = status & 0x7f
        let result = ChildUsage(
            status: signal == 0 ? status >> 8 & 0xff : 128 + signal, cpuSeconds: cpu, peakResidentBytes: peak)
        usage = result
        return result
    }

    /// What it has used so far; zero where there is no /proc.
    package func runningUsage() -> (cpuSeconds: Double, peakResidentBytes: Int64) {
        // proc(5): the fields after the name in brackets; utime and stime are the 14th and 15th of all.
        let stat = Self.text(of: "/proc/\(identifier)/stat")
        let fields = stat.drop { $0 != ")" }.split(separator: " ")
        let ticks = fields.count > 13 ? (Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0) : 0
        let status = Self.text(of: "/proc/\(identifier)/status").split(separator: "\n")
        let peak = status.first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace)
        let kibibytes = peak.flatMap { $0.count > 1 ? Int64($0[1]) : nil } ?? 0
        return (ticks / Double(max(1, sysconf(Int32(_SC_CLK_TCK)))), kibibytes * 1024)
    }

    private static func text(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(output, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            pending.append(contentsOf: chunk[..<count])
            return true
        }
    }

    /// This program's file.
    private static var executable: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let length = buffer.withUnsafeMutableBytes { bytes in
            bytes.bindMemory(to: CChar.self).baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? -1
        }
        if length > 0, length < buffer.count { return String(decoding: buffer[..<length], as: UTF8.self) }
        return CommandLine.arguments.first ?? "tocsin"
    }

    private static func failure(_ what: String, _ number: Int32) -> TocsinError {
        TocsinError(.file, "\(what): \(String(cString: strerror(number)))")
    }
}
