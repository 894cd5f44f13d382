internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct CaseOptions: ParsableArguments {
    @Option(name: .long, help: "First event time: ISO 8601, or a day such as 2025-10-01 (UTC).")
    var from: String?
    @Option(name: .long, help: "Event time at which it ends, not included.")
    var to: String?
    @Option(name: .long, help: "One sensor only.")
    var sensor: String?
    @Flag(name: .long, help: "Leaves the messages out: anomalies, alarms, windows and models only.")
    var noEvents = false

    func selection() throws -> CaseSelection {
        CaseSelection(
            start: try Self.time(from, "--from"), end: try Self.time(to, "--to"), sensor: sensor,
            withEvents: !noEvents)
    }

    static func time(_ text: String?, _ option: String) throws -> Timestamp? {
        guard let text else { return nil }
        guard let time = Timestamp(iso8601: text) else {
            throw ValidationError(
                "\(option) is a time such as 2025-10-01T10:00:00Z or a day such as 2025-10-01, not '\(text)'")
        }
        return time
    }
}

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copies a range of time, with its models, into a folder: a case to keep, to move or to share.",
        discussion: """
            The case is a data folder of its own: every command reads it (--data-dir), and sqlite3 does. Works beside a \
            running tocsin. The messages are in it where the store keeps them (store.storeEvents).

            Examples:
              tocsin export ./pump-7 --from 2025-10-01T06:00:00Z --to 2025-10-01T09:00:00Z --sensor pump-7
              tocsin explain --last --data-dir ./pump-7
              tar c pump-7 | zstd > pump-7.tar.zst
            """)

    @Argument(help: "Folder of the new case.", completion: .directory)
    var folder: String
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var part: CaseOptions

    func run() async throws {
        try await Terminal.run {
            let run = CaseRun(configuration: try options.load().configuration, progress: CaseProgress.show)
            let counts = try await run.export(try part.selection(), to: folder)
            CaseProgress.finish(counts, "exported to \(folder)")
        }
    }
}

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copies a case that tocsin export has made into the store.",
        discussion: """
            Rows keep their keys: importing again changes nothing. With SQLite the running tocsin of this data folder \
            must be stopped first.

            Examples:
              tocsin import ./pump-7
              tocsin import ./pump-7 --data-dir ./laboratory --no-events
            """)

    @Argument(help: "Folder of the case.", completion: .directory)
    var folder: String
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var part: CaseOptions

    func run() async throws {
        try await Terminal.run {
            let run = CaseRun(configuration: try options.load().configuration, progress: CaseProgress.show)
            let counts = try await run.import(try part.selection(), from: folder)
            CaseProgress.finish(counts, "imported from \(folder)")
        }
    }
}

private enum CaseProgress {
    static func show(_ what: String, _ rows: Int) {
        if Terminal.errorsAreShown { Terminal.write("\r\u{1B}[K\(rows) \(what)") }
    }

    static func finish(_ counts: CaseCounts, _ end: String) {
        if Terminal.errorsAreShown { Terminal.write("\r\u{1B}[K") }
        print(
            "\(end): \(counts.events) events, \(counts.windows) windows, \(counts.anomalies) anomalies, "
                + "\(counts.alarms) alarms, \(counts.models) models")
        if counts.unknownWindows > 0 {
            Terminal.complain(
                "\(counts.unknownWindows) windows are of a length that is not configured here and were left out: add it to `windows`"
            )
        }
    }
}
