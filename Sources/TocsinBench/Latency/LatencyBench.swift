internal import TocsinApp
internal import TocsinCore
public import TocsinMeasure

/// `tocsin bench latency`: from the due time of a request to its durable acknowledgement, to a stored verdict, to the
/// screen.
public struct LatencyBench: Sendable {
    private let settings: LatencySettings
    private let progress: ProgressLine?

    public init(settings: LatencySettings, progress: ProgressLine?) {
        self.settings = settings
        self.progress = progress
    }

    /// - Throws: `TocsinError` when the server cannot be started or reached.
    public func run() throws -> LatencyReport {
        try settings.validate()
        if let url = settings.url {
            var loop = try OpenLoop(settings: settings, address: try HTTPAddress(url))
            return LatencyReport(settings, try loop.run(progress: progress), server: nil)
        }
        let folder = try DataFolder.temporary()
        defer { DataFolder.removeTemporary(folder) }
        progress?("starting a server")
        let receiver = settings.hasWebhook ? try AlertReceiver() : nil
        let server = try ServerProcess(folder: folder, flags: Self.webhook(receiver?.url) + settings.flags)
        var loop = try OpenLoop(settings: settings, address: server.address, receiver: receiver)
        let before = server.usage()
        let measurements = try loop.run(progress: progress)
        let usage = server.usage()
        let seconds = Double(measurements.wallNanoseconds) / 1e9
        server.stop()
        return LatencyReport(
            settings, measurements,
            server: LatencyReport.Server(
                cores: seconds > 0 ? (usage.cpuSeconds - before.cpuSeconds) / seconds : 0,
                peakResidentBytes: usage.peakResidentBytes))
    }
}

extension LatencyBench {
    /// Every spike raises an alarm of its own, and the webhook alone is told.
    private static func webhook(_ url: String?) -> [String] {
        guard let url else { return [] }
        return [
            "alerts.channels.0.kind=webhook", "alerts.channels.0.url=\(url)", "alerts.allowPrivateTargets=true",
            "alerts.console.enabled=false", "alerts.file.enabled=false", "alarms.clearAfter=1s", "alarms.cooldown=0s",
            "alarms.flood.incidents=1000000",
        ].flatMap { ["--set", $0] }
    }
}

/// `tocsin run` as a child, with data in a folder of its own.
struct ServerProcess {
    let address: HTTPAddress
    private let child: ChildProcess

    /// Returns when it listens.
    init(folder: String, flags: [String]) throws(TocsinError) {
        let child = try ChildProcess(
            arguments: ["run", "--port", "0", "--host", "127.0.0.1", "--data-dir", folder, "--log-level", "warning"]
                + flags)
        while let line = child.readLine() {
            guard let start = line.split(separator: " ").first(where: { $0.hasPrefix("http://") }) else { continue }
            address = try HTTPAddress(String(start))
            self.child = child
            return
        }
        throw TocsinError(
            .network, "tocsin run ended with \(child.wait()) before it listened",
            remedy: "its own message stands above")
    }

    func usage() -> (cpuSeconds: Double, peakResidentBytes: Int64) { child.runningUsage() }

    func stop() {
        child.terminate()
        _ = child.wait()
    }
}
