public import Logging
internal import TocsinConfiguration
public import TocsinCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Writes log events as JSON lines or plain text, one `write` a line, and never a secret: values whose names look like
/// credentials and passwords inside addresses become `****`.
///
/// ```swift
/// let logger = Logs.bootstrap(configuration.log)   // once, before the first Logger
/// logger.warning("disk is full", metadata: ["path": "/data"])
/// // {"time":"2026-01-02T03:04:05.250Z","level":"warning","label":"tocsin","message":"disk is full","path":"/data"}
/// ```
public struct TocsinLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let clock: any WallClock
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - label: the logger's name.
    ///   - clock: for the time of each line.
    ///   - write: takes one whole line at a time, from any thread; standard error unless given.
    public init(
        label: String, level: Logger.Level, format: LogFormat, clock: any WallClock,
        metadataProvider: Logger.MetadataProvider? = nil,
        write: @escaping @Sendable ([UInt8]) -> Void = TocsinLogHandler.writeToStandardError
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.clock = clock
        self.metadataProvider = metadataProvider
        self.write = write
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
        let line = LogLine(
            time: clock.now(), level: event.level, label: label,
            message: CredentialMask.maskingPasswords(in: event.message.description), fields: LogLine.flatten(all))
        write(line.bytes(format))
    }

    /// One `write` for the whole line, so that lines of several threads and processes stay whole; what cannot be
    /// written is dropped, as there is no one left to tell.
    public static let writeToStandardError: @Sendable ([UInt8]) -> Void = { line in
        var rest = line[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe systemWrite(STDERR_FILENO, bytes)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EINTR {
                continue
            } else {
                return
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
    unsafe write(descriptor, buffer.baseAddress, buffer.count)
}
