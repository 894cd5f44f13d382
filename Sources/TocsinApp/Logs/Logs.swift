#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif
public import Logging
public import TocsinConfiguration
public import TocsinCore

/// Sets the process' logging up.
public enum Logs {
    /// Makes `TocsinLogHandler` the handler of all loggers; once, before the first `Logger` is made.
    /// - Returns: the program's own logger, labelled `tocsin`.
    public static func bootstrap(
        _ configuration: TocsinConfiguration.Log, clock: any WallClock = SystemClock()
    ) -> Logger {
        let level = Logger.Level(rawValue: configuration.level.rawValue) ?? .info
        let format = LogFormat(configuration.format)
        LoggingSystem.bootstrap(
            { label, provider in
                TocsinLogHandler(label: label, level: level, format: format, clock: clock, metadataProvider: provider)
            }, metadataProvider: nil)
        return Logger(label: "tocsin")
    }
}

extension LogFormat {
    /// `auto` is plain on a terminal and JSON elsewhere. Colours need a terminal, and obey `NO_COLOR` (no-color.org).
    public init(_ format: TocsinConfiguration.Log.Format) {
        let isTerminal = isatty(STDERR_FILENO) == 1
        let isColored = unsafe isTerminal && getenv("NO_COLOR") == nil
        self =
            switch format {
            case .json: .json
            case .plain: .plain(colored: isColored)
            case .auto: isTerminal ? .plain(colored: isColored) : .json
            }
    }
}
