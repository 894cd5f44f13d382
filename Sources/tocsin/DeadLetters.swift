public import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
public import TocsinCore

struct DeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Shows what was refused and why, and sends it again once the cause is mended.",
        discussion: """
            Examples:
              tocsin dead-letters list --reason out_of_range
              tocsin dead-letters show 17
              tocsin dead-letters replay --reason out_of_range --set input.validRanges.temperature=-50..200
            """,
        subcommands: [List.self, Show.self, Replay.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One line each, newest first.")

        @OptionGroup var options: ConfigurationOptions
        @Option(name: .long, help: "Only letters refused for this reason.")
        var reason: DeadLetterReason?
        @Option(name: .long, help: "At most so many.")
        var limit = 50
        @Option(name: .long, help: "Skips so many first.")
        var offset = 0

        func validate() throws {
            guard limit > 0, offset >= 0 else {
                throw ValidationError("--limit must be positive, --offset not negative")
            }
        }

        func run() async throws {
            try await Terminal.run {
                let box = DeadLetterBox(configuration: try options.load().configuration)
                let counts = try await box.counts()
                let total = counts.values.reduce(0, +)
                guard total > 0 else {
                    print("no dead letters")
                    return
                }
                let reasons = counts.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key.rawValue)" }
                print("\(total) dead letter(s): \(reasons.joined(separator: ", "))")
                for letter in try await box.list(reason: reason, limit: limit, offset: offset) {
                    let place = "\(letter.source.printable):\(letter.position)"
                    let start = "\(letter.id)  \(letter.received.iso8601)  \(letter.reason.rawValue)"
                    print("\(start)  \(place)  \(letter.detail.printable)")
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One letter whole, with the bytes as they came.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "Number of the letter, as list shows it.")
        var id: Int64
        @Flag(name: .long, help: "Prints the bytes only.")
        var raw = false

        func run() async throws {
            try await Terminal.run {
                let letter = try await DeadLetterBox(configuration: try options.load().configuration).letter(id)
                if !raw {
                    print("number    \(letter.id)")
                    print("reason    \(letter.reason.rawValue)")
                    print("detail    \(letter.detail.printable)")
                    print("source    \(letter.source.printable), position \(letter.position)")
                    print("received  \(letter.received.iso8601)")
                    print("readings  \(letter.readings)")
                    print("bytes     \(letter.payload.count)")
                    print("")
                }
                print(String(decoding: letter.payload, as: UTF8.self).printableLines)
            }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends letters through the engine again; those accepted now are removed.",
            discussion: "The running tocsin of this data folder must be stopped first.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "Numbers of the letters; none = all.")
        var ids: [Int64] = []
        @Option(name: .long, help: "Only letters refused for this reason.")
        var reason: DeadLetterReason?

        func run() async throws {
            try await Terminal.run {
                let loaded = try options.load()
                let logger = Logs.bootstrap(loaded.configuration.log)
                let box = DeadLetterBox(configuration: loaded.configuration)
                let outcome = try await box.replay(ids: ids.isEmpty ? nil : ids, reason: reason, logger: logger)
                print("sent \(outcome.sent): \(outcome.accepted) accepted, \(outcome.refused) refused again")
                if outcome.refused > 0 { throw ExitCode(1) }
            }
        }
    }
}

extension DeadLetterReason: ExpressibleByArgument {}
