internal import ArgumentParser
internal import TocsinBench
internal import TocsinCore
internal import TocsinMeasure

struct BenchKafka: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kafka",
        abstract: "How fast readings come out of Kafka, scored and stored, beside a consumer that only reads.",
        discussion: """
            JSON messages of many sensors are sent to a topic, keyed by sensor. Then, in turn, a consumer of librdkafka reads \
            them and does nothing else, and the whole program (`tocsin run` in a process of its own) consumes, scores and \
            stores them, with every event and with windows and anomalies only; the raw input is durable in both.
            Without --bootstrap-servers the broker is librdkafka's own cluster in a process of its own, whose share of the \
            machine is shown; it keeps 5 MiB of a partition. Given brokers must make topics by themselves \
            (auto.create.topics.enable); these stay.

            Examples:
              tocsin bench kafka
              tocsin bench kafka --per-message 1 --messages 4000000 --partitions 64
              tocsin bench kafka --bootstrap-servers localhost:9092
            """)

    @OptionGroup var output: BenchOutput

    @Option(name: .long, help: "Messages sent, for each form of them.")
    var messages = 2_000_000

    @Option(name: .long, help: "Sensors, a message a second each.")
    var sensors = 10_000

    @Option(name: .long, help: "Readings in a message, 1 to 4; several numbers apart by commas are measured in turn.")
    var perMessage = "4,1"

    @Option(name: .long, help: "Partitions of a topic.")
    var partitions = 32

    @Option(name: .customLong("repeat"), help: "Runs of everything; the median counts.")
    var repeats = 3

    @Option(name: .long, help: ArgumentHelp("Brokers, apart by commas.", valueName: "host:port"))
    var bootstrapServers: String?

    @Option(name: .long, help: "File of librdkafka. Default: the system's own.", completion: .file())
    var library: String?

    @Option(
        name: .long, help: ArgumentHelp("Sets a key of `tocsin run`; may be repeated.", valueName: "key=value"))
    var set: [String] = []

    @Option(name: .long, help: "Where the temporary folder is made. Default: TMPDIR.", completion: .directory)
    var folder: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Topics of librdkafka's cluster, as a child of this command.", visibility: .private))
    var serve: String?

    func run() async throws {
        try await Terminal.run {
            if let serve {
                return try await KafkaBench.serve(
                    topics: serve.split(separator: ",").map(String.init), partitions: partitions, library: library)
            }
            var settings = KafkaBenchSettings()
            settings.messages = messages
            settings.sensors = sensors
            settings.perMessage = perMessage.split(separator: ",").map { Int($0.filter { $0 != " " }) ?? 0 }
            settings.partitions = partitions
            settings.repeats = repeats
            settings.brokers = bootstrapServers?.split(separator: ",").map(String.init) ?? []
            settings.library = library
            settings.flags = set.flatMap { ["--set", $0] }
            settings.folder = folder
            let report = try await KafkaBench(settings: settings, progress: Bench.progress).run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
