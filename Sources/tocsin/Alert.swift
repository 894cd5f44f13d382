internal import ArgumentParser
internal import Logging
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct Alert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The channels that people are told of alarms through, and what did not arrive.",
        discussion: """
            Examples:
              tocsin alert list --config tocsin.yaml
              tocsin alert test slack-1 --config tocsin.yaml
              tocsin alert dead --resend all --config tocsin.yaml
              tocsin alert flush --data-dir /mnt/old/data --config tocsin.yaml
            """,
        subcommands: [AlertTestCommand.self, AlertListCommand.self, AlertDeadCommand.self, AlertFlushCommand.self])
}

struct AlertTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Sends a message that says it is a test through one channel, and shows what came back.",
        discussion: """
            It goes past routes, quiet hours and limits, once. Receivers that keep a state (pagers) are told at once that it
            is over. Ends with 0 when the receiver took it, 1 when it did not, 78 when the configuration is wrong.

            Examples:
              tocsin alert test slack-1 --config tocsin.yaml
              tocsin alert list --config tocsin.yaml
            """)

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "Name of the channel; `tocsin alert list` shows them.")
    var channel: String

    func run() async throws {
        try await Terminal.run {
            let loaded = try options.load()
            let result = try await AlertTestRun(configuration: loaded.configuration).run(channel: channel)
            print(result.text)
            if !result.isDelivered { throw ExitCode(1) }
        }
    }
}

struct AlertListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the configured channels.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await Terminal.run {
            let alerts = try options.load().configuration.alerts
            if alerts.channelNames.isEmpty { print("no channel is configured") }
            for name in alerts.channelNames { print(name) }
        }
    }
}

struct AlertDeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Lists what a channel was not told of in the end, sends it again, or throws it away.",
        discussion: """
            A message becomes a dead letter when its receiver refuses it, or has not taken it within giveUpAfter. Works on \
            the data folder, and through the API of the tocsin that runs on it; what is sent again in a folder that \
            nobody runs on goes out with the next start.

            Examples:
              tocsin alert dead
              tocsin alert dead --resend all --channel mes
              tocsin alert dead --discard 17
              tocsin alert dead --resend all --url http://127.0.0.1:8080
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(name: .long, help: ArgumentHelp("Sends one again, or all.", valueName: "id|all"))
    var resend: [String] = []

    @Option(name: .long, help: ArgumentHelp("Throws one away, or all.", valueName: "id|all"))
    var discard: [String] = []

    @Option(name: .long, help: "Only those of this channel; `tocsin alert list` shows the names.")
    var channel: String?

    @Option(name: .long, help: "Address of a running tocsin. Default: the data folder, and who runs on it.")
    var url: String?

    func validate() throws {
        guard resend.isEmpty || discard.isEmpty else {
            throw ValidationError("--resend and --discard are two different things: give one of them")
        }
        _ = try Self.numbers(resend + discard)
    }

    /// nil = all.
    private static func numbers(_ words: [String]) throws -> Set<UInt64>? {
        if words.contains("all") { return nil }
        return try Set(
            words.map { word in
                guard let number = UInt64(word) else {
                    throw ValidationError("'\(word)' is neither a number of the list nor all")
                }
                return number
            })
    }

    func run() async throws {
        try await Terminal.run {
            let box = DeadAlertBox(configuration: try options.load().configuration, url: url)
            if !resend.isEmpty {
                let outcome = try await box.act(.resend, Self.numbers(resend), channel: channel)
                let when = outcome.isRunning ? "" : "; they go out with the next start, or with tocsin alert flush"
                print("\(outcome.count) sent again\(outcome.count > 0 ? when : "")")
            } else if !discard.isEmpty {
                print("\(try await box.act(.discard, Self.numbers(discard), channel: channel).count) thrown away")
            } else {
                try await list(box)
            }
        }
    }

    private func list(_ box: DeadAlertBox) async throws {
        let letters = try await box.list(channel: channel)
        if letters.isEmpty { print("nothing was given up") }
        for letter in letters {
            let attempts = "\(letter.attempts) attempt\(letter.attempts == 1 ? "" : "s")"
            print(
                "\(letter.number)  \(letter.givenUp.iso8601)  \(letter.channel.printable)  \(letter.text.printable)  "
                    + "(\(attempts): \(letter.reason.printableLines))")
        }
    }
}

struct AlertFlushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush",
        abstract: "Sends what still waits in the data folder of a tocsin that has ended and does not come back.",
        discussion: """
            Each message is tried once, past quiet hours and cooldown; what is not taken waits on. Readings in the spool of \
            that folder are not worked through: `tocsin run` on it does that. Ends with 0 when nothing waits any more, and \
            with 1 when something does.

            Examples:
              tocsin alert flush --data-dir /mnt/old/data --config tocsin.yaml
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await Terminal.run {
            let lanes = try await AlertFlushRun(configuration: options.load().configuration).run()
            if lanes.isEmpty { print("nothing waits") }
            for lane in lanes {
                let refused = lane.failed > 0 ? ", \(lane.failed) refused (tocsin alert dead)" : ""
                let rest = lane.waiting > 0 ? ", \(lane.waiting) wait on" : ""
                let reason = lane.lastError.map { ": \($0.printableLines)" } ?? ""
                let taken = "\(lane.delivered) message\(lane.delivered == 1 ? "" : "s") taken"
                print("\(lane.name.printable)  \(taken)\(refused)\(rest)\(reason)")
            }
            if lanes.contains(where: { $0.waiting > 0 }) { throw ExitCode(1) }
        }
    }
}
