#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// Appends each alarm change as one JSON line; opened anew for each, so that log rotation needs no signal.
public struct FileChannel: AlertChannel {
    public let name: String
    public let traits = AlertChannelTraits(takesDigests: false, steps: ["*"])
    private let path: String
    private let clock: any WallClock

    public init(name: String = "file", path: String, clock: any WallClock) {
        self.name = name
        self.path = path
        self.clock = clock
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        for change in message.changes { try append(change, isTest: message.isTest) }
        return AlertAnswer()
    }

    private func append(_ change: AlarmChange, isTest: Bool) throws(AlertFailure) {
        var json = JSONWriter()
        json.object {
            $0.field("time", clock.now())
            if isTest { $0.field("test", true) }
            $0.field("step", change.step.rawValue)
            $0.key("alarm")
            $0.value(change.alarm)
        }
        json.newline()
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw failure("cannot open the alert log") }
        defer { close(file) }
        // One write of one line: lines of several processes never mix (O_APPEND, POSIX write).
        let end = lseek(file, 0, SEEK_END)
        let written = json.bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard written == json.bytes.count else {
            guard written >= 0 else { throw failure("cannot write to the alert log") }
            // A full disk takes the beginning of a line: the next attempt must not stand behind it.
            if end >= 0 { _ = ftruncate(file, end) }
            throw AlertFailure(
                TocsinError(
                    .file, "only the beginning of a line fits into the alert log: the disk is full", place: path,
                    remedy: "make room, or set alerts.file.path", isRetriable: true))
        }
    }

    private func failure(_ message: String) -> AlertFailure {
        AlertFailure(
            TocsinError(
                .file, "\(message): \(String(cString: strerror(errno)))", place: path,
                remedy: "check the folder's rights and free space, or set alerts.file.path", isRetriable: true))
    }
}
