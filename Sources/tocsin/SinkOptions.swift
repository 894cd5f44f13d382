internal import ArgumentParser
internal import Synchronization
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

/// Where `simulate` and `send` put readings.
struct SinkOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "- for standard output, a file, http(s)://host:8080/ingest, kafka://host:9092[,host2:9092]/topic, or "
                + "mqtt[s]://host/topic/{sensor_id}[?qos=0|1|2].", valueName: "sink"), completion: .file())
    var to: String?

    @Option(name: .long, help: "User at the MQTT broker (MQTT_USER).")
    var user: String?

    @Option(name: .long, help: "File with the password at the MQTT broker (MQTT_PASSWORD).", completion: .file())
    var passwordFile: String?

    @Option(name: .long, help: "File with the key of POST /ingest (TOCSIN_API_KEY).", completion: .file())
    var apiKeyFile: String?

    @Option(name: .long, help: "PEM file of the authorities that mqtts:// trusts.", completion: .file())
    var caFile: String?

    @Option(name: .long, help: "PEM file of the client's own certificate for mqtts://.", completion: .file())
    var certFile: String?

    @Option(name: .long, help: "PEM file of the certificate's private key.", completion: .file())
    var keyFile: String?

    @Flag(name: .long, help: "No progress.")
    var quiet = false

    /// Kafka's connection comes from the configuration.
    func settings(_ to: String, _ options: ConfigurationOptions) throws -> SinkSettings {
        var settings = SinkSettings(address: to)
        if settings.isKafka { settings.kafka = try options.load().configuration.kafka }
        let environment = Terminal.environment
        settings.user = user ?? environment["MQTT_USER"]
        settings.password = try secret(passwordFile, environment["MQTT_PASSWORD"])
        settings.key = try secret(apiKeyFile, environment["TOCSIN_API_KEY"])
        settings.tls.authorities = caFile
        settings.tls.certificate = certFile
        settings.tls.privateKey = keyFile
        return settings
    }

    private func secret(_ path: String?, _ other: String?) throws -> Secret? {
        guard let path else { return other.map { Secret($0) } }
        return Secret(try SecretFile.read(path))
    }
}

/// What a sending shows on standard error.
final class SendDisplay: Sendable {
    private let isQuiet: Bool
    private let skipped: Int
    private let state = Mutex(State())
    /// Where no terminal is there to see it, a line comes this often, in seconds.
    private static let lineSeconds = 10.0
    /// Trouble that lasts is told again this often; its words may change all the time.
    private static let troubleSeconds = 60.0

    private struct State {
        var trouble: String?
        var lastTrouble = 0.0
        var lastLine = 0.0
    }

    /// - Parameter skipped: messages that an earlier run has sent.
    init(isQuiet: Bool, skipped: Int = 0) {
        self.isQuiet = isQuiet
        self.skipped = skipped
    }

    /// Runs a sending; of one that fails it says how far it came.
    func watch<Result: Sendable>(
        _ body: (@escaping @Sendable (SendProgress) -> Void) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body { self.show($0) }
            clear()
            return result
        } catch let failure as SendFailure {
            clear()
            if failure.summary.progress.sent > 0 { say(failure.summary) }
            throw failure.cause
        }
    }

    func end(_ summary: SendSummary) {
        if !isQuiet || summary.isInterrupted { say(summary) }
    }

    private func say(_ summary: SendSummary) {
        let progress = summary.progress
        var text = "\(progress.confirmed) messages sent to \(summary.sink) in \(Self.rounded(progress.seconds)) s"
        if progress.seconds > 0.5 { text += ", \(Int(progress.rate))/s" }
        if progress.sent > progress.confirmed {
            text += "; of \(progress.sent - progress.confirmed) more it is not known whether they arrived"
        }
        if summary.isInterrupted || progress.sent > progress.confirmed {
            text +=
                "; all that was read is safe up to message \(skipped + progress.confirmed): go on with --skip "
                + "\(skipped + progress.confirmed)"
        }
        Terminal.complain(text)
    }

    private func show(_ progress: SendProgress) {
        let isShown = Terminal.errorsAreShown
        let line =
            "\(progress.confirmed) messages safe, \(progress.sent - progress.confirmed) under way, "
            + "\(progress.bytes >> 20) MiB, \(Int(progress.rate))/s"
        state.withLock { state in
            let isOther = (progress.trouble == nil) != (state.trouble == nil)
            if isOther || (progress.trouble != nil && progress.seconds - state.lastTrouble >= Self.troubleSeconds) {
                state.lastTrouble = progress.seconds
                state.trouble = progress.trouble
                if isShown { Terminal.write("\r\u{1B}[K") }
                Terminal.complain(progress.trouble.map { "waiting: \($0)" } ?? "going on")
            }
            guard !isQuiet else { return }
            if isShown {
                Terminal.write("\r" + line + "\u{1B}[K")
            } else if progress.seconds - state.lastLine >= Self.lineSeconds {
                state.lastLine = progress.seconds
                Terminal.complain(line)
            }
        }
    }

    private func clear() {
        if !isQuiet, Terminal.errorsAreShown { Terminal.write("\r\u{1B}[K") }
    }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 100).rounded() / 100 }
}
