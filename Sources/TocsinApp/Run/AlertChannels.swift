internal import Logging
internal import TocsinAlerts
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinKafka
internal import TocsinServer

/// The alert channels that the configuration names, and the rules of who is told what.
struct AlertChannels: Sendable {
    let configuration: TocsinConfiguration
    let clock: any WallClock
    let logger: Logger

    private var alerts: TocsinConfiguration.Alerts { configuration.alerts }

    /// - Throws: `TocsinError(.configuration)` for a channel that lacks what its kind needs.
    func make() throws -> [AlertDispatcher.Channel] {
        let factory = try factory()
        var channels: [AlertDispatcher.Channel] = []
        if alerts.consoleEnabled {
            channels.append(
                (try factory.make(AlertChannelSettings(kind: .console, name: "console")), LanePolicy(retries: 0)))
        }
        if alerts.file.enabled {
            var settings = AlertChannelSettings(kind: .file, name: "file")
            settings.path = configuration.alertsFilePath
            channels.append((try factory.make(settings), LanePolicy()))
        }
        for (number, webhook) in alerts.webhooks.enumerated() {
            var settings = AlertChannelSettings(kind: .webhook, name: "webhook-\(number + 1)")
            settings.url = webhook.url.value
            settings.format = .plain
            settings.headers = webhook.headers.map { ($0.key, $0.value.value) }.sorted { $0.0 < $1.0 }
            settings.secret = webhook.secret?.value
            settings.timeout = .nanoseconds(webhook.timeout.nanoseconds)
            channels.append(
                (try factory.make(settings), LanePolicy(cooldown: webhook.cooldown, retries: webhook.retries)))
        }
        for channel in alerts.channels {
            channels.append((try factory.make(AlertChannelSettings(channel)), try policy(channel)))
        }
        return channels
    }

    /// One of them by name, for a test message.
    func channel(_ name: String) throws -> any AlertChannel {
        let all = try make()
        guard let found = all.first(where: { $0.channel.name == name }) else {
            throw TocsinError(
                .configuration, "there is no channel '\(name)'", place: "alerts",
                remedy: "known are " + all.map(\.channel.name).joined(separator: ", "))
        }
        return found.channel
    }

    var routing: AlertRouting {
        AlertRouting(
            routes: alerts.routes.map { AlertRoute(filter: AlertFilter($0.filter), channels: Set($0.channels)) },
            mode: alerts.routing == .first ? .first : .all)
    }

    var escalations: [AlertEscalation] {
        alerts.escalations.map {
            AlertEscalation(after: $0.after, filter: AlertFilter($0.filter), channels: $0.channels)
        }
    }

    private func factory() throws -> AlertChannelFactory {
        let targets = try TargetGuard(allowsPrivate: alerts.allowsPrivateTargets, allowed: alerts.allowedHosts)
        return AlertChannelFactory(
            http: AlertHTTP(targets: targets, clock: clock), targets: targets, clock: clock, produce: try producer())
    }

    /// Opened only where a channel sends to Kafka.
    private func producer() throws -> (@Sendable (_ topic: String) -> TopicChannel.Produce)? {
        let kafka = configuration.kafka
        guard !kafka.bootstrapServers.isEmpty, alerts.channels.contains(where: { $0.kind == .kafka }) else {
            return nil
        }
        let logger = logger
        let producer = try KafkaProducer(
            KafkaSettings(kafka),
            observer: KafkaObserver(
                problem: { logger.error("\($0)", metadata: ["connector": "alerts"]) },
                note: { logger.notice("\($0)", metadata: ["connector": "alerts"]) }))
        return { topic in
            { key, value, headers in
                try await producer.produce([
                    KafkaRecord(
                        topic: topic, key: key, value: value, headers: headers.map { KafkaHeader($0.name, $0.value) })
                ])
            }
        }
    }

    private func policy(_ channel: TocsinConfiguration.Alerts.Channel) throws -> LanePolicy {
        let isForPeople = AlertChannelKind(rawValue: channel.kind.rawValue)?.isForPeople ?? false
        let messages = channel.rateMessages ?? (isForPeople ? 10 : 0)
        return LanePolicy(
            severity: AlertSeverity(channel.severity), cooldown: channel.cooldown ?? alerts.cooldown,
            rate: messages > 0 ? .init(messages: messages, period: channel.ratePeriod) : nil,
            quiet: try channel.quietHours.map {
                try QuietHours($0, zone: channel.quietZone, place: "alerts.channels \(channel.name) quietHours")
            }, quietPassesCritical: channel.quietPassesCritical, delay: channel.delay,
            giveUpAfter: channel.giveUpAfter, firstDelay: channel.retryFirst,
            longestDelay: max(channel.retryFirst, channel.retryLongest))
    }
}

extension AlertChannelSettings {
    init(_ channel: TocsinConfiguration.Alerts.Channel) {
        self.init(kind: AlertChannelKind(rawValue: channel.kind.rawValue) ?? .webhook, name: channel.name)
        url = channel.url?.value
        headers = channel.headers.map { ($0.key, $0.value.value) }.sorted { $0.0 < $1.0 }
        secret = channel.secret?.value
        format = channel.format == .plain ? .plain : .cloudEvents
        token = channel.token?.value
        user = channel.user
        password = channel.password?.value
        security =
            switch channel.security {
            case .auto: nil
            case .tls: .implicit
            case .starttls: .startTLS
            case .none: SMTPSettings.Security.none
            }
        from = channel.from
        recipients = channel.to
        topic = channel.topic
        title = channel.title
        text = channel.text
        authorities = channel.authorities
        timeout = .nanoseconds(channel.timeout.nanoseconds)
    }
}

extension AlertFilter {
    init(_ filter: TocsinConfiguration.Alerts.Filter) {
        self.init(
            severity: AlertSeverity(filter.severity), kinds: filter.kinds.isEmpty ? nil : Set(filter.kinds),
            zones: filter.zones.isEmpty ? nil : Set(filter.zones),
            sensors: filter.sensors.isEmpty ? nil : filter.sensors.map { TocsinAlerts.NamePattern($0) })
    }
}

extension AlertDispatcher {
    /// How the channels stand, for `/health`, `/metrics` and the dashboard.
    var connectors: [ConnectorStatus] {
        zip(status, counts).map { lane, counts in
            let text =
                lane.failures == 0
                ? (lane.heldBack > 0 ? "\(lane.heldBack) held back" : "ok")
                : "\(lane.failures) failures in a row, \(lane.waiting) wait: \(lane.lastError ?? "")"
            let told = counts.delivered > 0 ? "; \(counts.delivered) told since the start" : ""
            let dead = lane.dead > 0 ? "; \(lane.dead) given up (tocsin alert dead)" : ""
            return ConnectorStatus(
                name: lane.lane, kind: "alerts", isHealthy: lane.failures == 0, text: text + told + dead,
                lastMessage: lane.lastDelivered,
                figures: [
                    .init("tocsin_alert_outbox_waiting", Double(lane.waiting)),
                    .init("tocsin_alert_held_back", Double(lane.heldBack)),
                    .init("tocsin_alert_dead_letters", Double(lane.dead)),
                    .init("tocsin_alert_channel_failures", Double(lane.failures)),
                ])
        }
    }
}
