internal import ArgumentParser
internal import TocsinBench
internal import TocsinCore
internal import TocsinMeasure

struct BenchMQTT: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt",
        abstract: "Messages a second from an MQTT broker on this machine, scored and stored.",
        discussion: """
            Mosquitto is started on a free port (or --broker names one that runs), and messages of 1,000 sensors are \
            published as fast as it takes them. They go through the whole program, a process of its own with spool and \
            SQLite as `tocsin run` has them; the time ends when the last one is stored. In turn with it a subscriber that \
            does nothing but count (and confirm at QoS 1) shows the broker's own limit. Publisher, broker and program \
            share this machine's cores.

            Examples:
              tocsin bench mqtt
              tocsin bench mqtt --qos 1 --messages 1000000
              tocsin bench mqtt --broker mqtt://127.0.0.1:1883
            """)

    @OptionGroup var output: BenchOutput

    @Option(
        name: .long, help: ArgumentHelp("A broker that runs; it must let anybody in.", valueName: "mqtt://host:port"))
    var broker: String?

    @Option(name: .long, help: "Messages in each run. Default: 500000 at QoS 0, 200000 at QoS 1.")
    var messages: Int?

    @Option(name: .long, help: "0, 1 or 0,1.")
    var qos = "0,1"

    @Option(name: .customLong("repeat"), help: "Runs of either side; the median counts.")
    var repeats = 3

    @Option(
        name: .long,
        help: ArgumentHelp("Sets one key of the program that is measured; may be repeated.", valueName: "key=value"))
    var set: [String] = []

    func run() async throws {
        try await Terminal.run {
            var settings = MQTTBenchSettings()
            settings.broker = broker
            settings.messages = messages
            settings.qos = try qos.split(separator: ",").map { word in
                guard let number = Int(word) else { throw ValidationError("--qos takes 0, 1 or 0,1, not '\(qos)'") }
                return number
            }
            settings.repeats = repeats
            settings.flags = set.flatMap { ["--set", $0] }
            let report = try MQTTBench(settings: settings, progress: Bench.progress).run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
