#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import AsyncHTTPClient
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import TocsinConnectors
public import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine
internal import TocsinMQTT

/// `tocsin check`: whether everything that the configuration names is there and answers.
public struct ConfigurationCheck: Sendable {
    public struct Finding: Sendable {
        public var subject: String
        /// nil = fine.
        public var problem: String?
        public var note: String
    }

    private let configuration: TocsinConfiguration

    public init(configuration: TocsinConfiguration) { self.configuration = configuration }

    /// Looks at the data folder, the database, the port, every source and every webhook. Changes nothing but that it
    /// makes the data folder.
    public func run() async -> [Finding] {
        var findings = [rules(), folder(), await store(), port()]
        for source in configuration.sources { findings.append(self.source(source)) }
        if let place = configuration.kafka.checkpoints { findings.append(await checkpoints(place)) }
        if configuration.alerts.file.enabled { findings.append(alertLog()) }
        for webhook in configuration.alerts.webhooks { findings.append(await reach(webhook)) }
        if !configuration.alerts.channels.isEmpty { findings.append(channels()) }
        return findings
    }

    /// What only the engine can read: times of maintenance, classes that rules speak of.
    private func rules() -> Finding {
        let note = "\(configuration.rules.count) rules, \(configuration.maintenance.count) maintenance times"
        do {
            _ = try EngineSettings(configuration, isLive: true)
            return Finding(subject: "rules", note: note)
        } catch {
            return Finding(subject: "rules", problem: "\(error)", note: note)
        }
    }

    private func folder() -> Finding {
        let path = configuration.data.directory
        do {
            try DataFolder.create(at: path)
            return Finding(subject: "data folder", note: path)
        } catch {
            return Finding(subject: "data folder", problem: "\(error)", note: path)
        }
    }

    private func store() async -> Finding {
        let stores = StoreAccess(configuration)
        guard configuration.store.usesPostgres || access(configuration.storePath, F_OK) == 0 else {
            return Finding(subject: "store", note: "\(stores.place) will be made")
        }
        do {
            let statistics = try await stores.reading { try await $0.statistics() }
            let rows = statistics.rows.values.reduce(0, +)
            return Finding(
                subject: "store", note: "\(stores.place): \(rows) rows, \(ReplayReport.size(statistics.bytes))")
        } catch {
            return Finding(subject: "store", problem: "\(error)", note: stores.place)
        }
    }

    private func alertLog() -> Finding {
        let path = configuration.alertsFilePath
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let subject = access(path, F_OK) == 0 ? path : folder
        guard access(subject, W_OK) == 0 else {
            return Finding(
                subject: "alert log", problem: "\(subject): cannot be written: \(String(cString: strerror(errno)))",
                note: path)
        }
        return Finding(subject: "alert log", note: path)
    }

    private func port() -> Finding {
        let server = configuration.server
        let address = "\(server.host):\(server.port)"
        guard server.port > 0 else { return Finding(subject: "port", note: "any free one") }
        guard PortProbe.isFree(UInt16(clamping: server.port), host: server.host) else {
            return Finding(
                subject: "port",
                problem: "\(address) is in use, perhaps by another tocsin\n  -> stop it or set server.port",
                note: address)
        }
        return Finding(subject: "port", note: "\(address) is free")
    }

    private func source(_ source: TocsinConfiguration.Source) -> Finding {
        let subject = "source \(source.name)"
        guard let path = source.path else {
            let place =
                source.kind == .kafka ? configuration.kafka.bootstrapServers.joined(separator: ",") : source.mqtt.url
            do {
                if source.kind == .mqtt {
                    _ = try MQTTAddress(source.mqtt.url ?? "")
                    for topic in source.topics { _ = try TopicTemplate(topic) }
                }
            } catch {
                return Finding(subject: subject, problem: "\(error)", note: place ?? "")
            }
            return Finding(
                subject: subject, note: source.kind.rawValue + (place.map { " at \($0)" } ?? "") + company(of: source))
        }
        do {
            let files = try FolderListing.files(at: path, mayBeEmpty: source.follow)
            for file in files where access(file, R_OK) != 0 {
                return Finding(
                    subject: subject, problem: "\(file): cannot be read: \(String(cString: strerror(errno)))",
                    note: path)
            }
            return Finding(subject: subject, note: "\(files.count) file(s) at \(path)")
        } catch {
            return Finding(subject: subject, problem: "\(error)", note: path)
        }
    }

    private func checkpoints(_ place: String) async -> Finding {
        do {
            let logger = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
            try await CheckpointPlace.probe(
                try CheckpointPlace.storage(place, configuration, clock: SystemClock(), logger: logger))
            return Finding(subject: "kafka.checkpoints", note: "\(place) takes files")
        } catch {
            return Finding(subject: "kafka.checkpoints", problem: "\(error)", note: place)
        }
    }

    /// The other sources of a consumer group, which a rebalance concerns as well.
    private func company(of source: TocsinConfiguration.Source) -> String {
        guard source.kind == .kafka else { return "" }
        let others = configuration.sources.filter {
            $0.kind == .kafka && $0.name != source.name && $0.kafka.group == source.kafka.group
        }
        guard !others.isEmpty else { return "" }
        return ", in the group \(source.kafka.group) with \(others.map(\.name).joined(separator: ", "))"
            + ": a rebalance of one stops all for a moment; a group each avoids that"
    }

    /// That each has what its kind needs; `tocsin alert test` sends something.
    private func channels() -> Finding {
        let names = configuration.alerts.channels.map(\.name).joined(separator: ", ")
        do {
            _ = try AlertChannels(
                configuration: configuration, clock: SystemClock(),
                logger: Logger(label: "check") { _ in
                    SwiftLogNoOpLogHandler()
                }
            ).make()
            return Finding(subject: "alert channels", note: "\(names): try one with `tocsin alert test`")
        } catch {
            return Finding(subject: "alert channels", problem: "\(error)", note: names)
        }
    }

    /// Any HTTP answer will do: the receiver may refuse a GET, but it is there.
    private func reach(_ webhook: TocsinConfiguration.Alerts.Webhook) async -> Finding {
        let shown = "\(webhook.url)"
        do {
            var request = HTTPClientRequest(url: webhook.url.value)
            request.method = .HEAD
            let response = try await OutgoingHTTP.client.execute(request, timeout: .seconds(5))
            return Finding(subject: "webhook", note: "\(shown) answers (\(response.status.code))")
        } catch {
            return Finding(subject: "webhook", problem: "\(shown) cannot be reached: \(error)", note: shown)
        }
    }
}
