internal import TocsinCore

extension TocsinConfiguration.Alerts {
    init(from reader: inout SettingReader) {
        consoleEnabled = reader.read(AlertKeys.console)
        file = File(enabled: reader.read(AlertKeys.file), path: reader.read(AlertKeys.filePath))
        webhooks = Self.webhooks(from: &reader)
        channels = Self.channels(from: &reader)
        cooldown = reader.read(ChannelKeys.cooldownOfAll)
        link = reader.read(ChannelKeys.link)
        if let link, !link.lowercased().hasPrefix("http://"), !link.lowercased().hasPrefix("https://") {
            reader.note(
                ConfigurationProblem(
                    "`alerts.link` is \"\(link.prefix(100))\", which is no address of a page",
                    at: reader.origin(of: ChannelKeys.link.entry),
                    remedy: "write it as https://tocsin.plant.example/"))
        }
        allowsPrivateTargets = reader.read(ChannelKeys.privateTargets)
        allowedHosts = reader.read(ChannelKeys.allowedHosts)
        routing = reader.read(ChannelKeys.routing)
        routes = []
        for index in 0..<(reader.count(of: ChannelKeys.routes, maximum: 1000) ?? 0) {
            let filter = Filter(
                severity: reader.read(ChannelKeys.routeSeverity, at: index),
                kinds: reader.read(ChannelKeys.routeKinds, at: index),
                zones: reader.read(ChannelKeys.routeZones, at: index),
                sensors: reader.read(ChannelKeys.routeSensors, at: index))
            routes.append(Route(filter: filter, channels: reader.read(ChannelKeys.routeChannels, at: index)))
        }
        escalations = []
        for index in 0..<(reader.count(of: ChannelKeys.escalations, maximum: 1000) ?? 0) {
            let after = reader.read(ChannelKeys.escalationAfter, at: index)
            let filter = Filter(
                severity: reader.read(ChannelKeys.escalationSeverity, at: index),
                kinds: reader.read(ChannelKeys.escalationKinds, at: index),
                zones: reader.read(ChannelKeys.escalationZones, at: index),
                sensors: reader.read(ChannelKeys.escalationSensors, at: index))
            escalations.append(
                Escalation(
                    after: after, filter: filter, channels: reader.read(ChannelKeys.escalationChannels, at: index)))
        }
        system = System(
            enabled: reader.read(ChannelKeys.system), dataQuality: reader.read(ChannelKeys.dataQuality),
            anomalyRate: reader.read(ChannelKeys.anomalyRate), completeness: reader.read(ChannelKeys.completeness),
            modelAccuracy: reader.read(ChannelKeys.modelAccuracy), response: reader.read(ChannelKeys.response))
        temperatureThreshold = reader.read(ChannelKeys.temperature)
        humidityThreshold = reader.read(ChannelKeys.humidity)
        checkNames(in: &reader)
    }

    /// Names of all channels, in configured order.
    public var channelNames: [String] {
        (consoleEnabled ? ["console"] : []) + (file.enabled ? ["file"] : [])
            + webhooks.indices.map { "webhook-\($0 + 1)" } + channels.map(\.name)
    }

    private func checkNames(in reader: inout SettingReader) {
        let names = channelNames
        for (index, channel) in channels.enumerated() where names.count(where: { $0 == channel.name }) > 1 {
            reader.note(
                ConfigurationProblem(
                    "`alerts.channels.\(index).name` is \"\(channel.name)\", the name of another channel",
                    at: reader.origin(of: ChannelKeys.name.entry, at: index),
                    remedy: "give each channel its own name; console, file and webhook-1 are taken"))
        }
        let used =
            routes.enumerated().map { ("routes", $0, $1.channels, ChannelKeys.routeChannels.entry) }
            + escalations.enumerated().map { ("escalations", $0, $1.channels, ChannelKeys.escalationChannels.entry) }
        for (list, index, channels, entry) in used {
            if channels.isEmpty, reader.origin(of: entry, at: index) != .default {
                reader.note(
                    ConfigurationProblem(
                        "`alerts.\(list).\(index).channels` is empty: what matches would be told to nobody",
                        at: reader.origin(of: entry, at: index), remedy: "name one channel or more"))
            }
            for name in channels where !names.contains(name) {
                reader.note(
                    ConfigurationProblem(
                        "`alerts.\(list).\(index).channels` names \"\(name)\", and there is no such channel",
                        at: reader.origin(of: entry, at: index),
                        remedy: names.isEmpty ? "configure one" : "known are " + names.joined(separator: ", ")))
            }
        }
    }

    private static func channels(from reader: inout SettingReader) -> [Channel] {
        typealias Keys = ChannelKeys
        return (0..<(reader.count(of: Keys.list, maximum: Keys.maximum) ?? 0)).map { index in
            let kind = reader.read(Keys.kind, at: index)
            let rate = reader.read(Keys.rateMessages, at: index)
            return Channel(
                kind: kind, name: reader.read(Keys.name, at: index) ?? "\(kind.rawValue)-\(index + 1)",
                url: reader.read(Keys.url, at: index), headers: reader.read(Keys.headers, at: index),
                secret: reader.read(Keys.secret, at: index), format: reader.read(Keys.format, at: index),
                token: reader.read(Keys.token, at: index), user: reader.read(Keys.user, at: index),
                password: reader.read(Keys.password, at: index), security: reader.read(Keys.security, at: index),
                from: reader.read(Keys.from, at: index), to: reader.read(Keys.to, at: index),
                topic: reader.read(Keys.topic, at: index), title: reader.read(Keys.title, at: index),
                text: reader.read(Keys.text, at: index), authorities: reader.read(Keys.authorities, at: index),
                timeout: reader.read(Keys.timeout, at: index), severity: reader.read(Keys.severity, at: index),
                cooldown: reader.read(Keys.cooldown, at: index),
                rateMessages: reader.isSet(Keys.rateMessages.entry, at: index) ? rate : nil,
                ratePeriod: reader.read(Keys.ratePeriod, at: index),
                quietHours: reader.read(Keys.quiet, at: index), quietZone: reader.read(Keys.quietZone, at: index),
                quietPassesCritical: reader.read(Keys.quietCritical, at: index),
                delay: reader.read(Keys.delay, at: index), giveUpAfter: reader.read(Keys.giveUpAfter, at: index),
                retryFirst: reader.read(Keys.retryFirst, at: index),
                retryLongest: reader.read(Keys.retryLongest, at: index))
        }
    }

    private static func webhooks(from reader: inout SettingReader) -> [Webhook] {
        var webhooks: [Webhook] = []
        for index in 0..<(reader.count(of: AlertKeys.webhooks, maximum: AlertKeys.maximumWebhooks) ?? 0) {
            let url = reader.read(AlertKeys.url, at: index)
            let webhook = (
                headers: reader.read(AlertKeys.headers, at: index), secret: reader.read(AlertKeys.secret, at: index),
                timeout: reader.read(AlertKeys.timeout, at: index),
                cooldown: reader.read(AlertKeys.cooldown, at: index),
                retries: reader.read(AlertKeys.retries, at: index)
            )
            // Without an address there is a problem already, and the configuration is refused.
            guard let url else { continue }
            webhooks.append(
                Webhook(
                    url: url, headers: webhook.headers, secret: webhook.secret, timeout: webhook.timeout,
                    cooldown: webhook.cooldown, retries: webhook.retries))
        }
        return webhooks
    }
}
