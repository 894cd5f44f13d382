public import TocsinCore

/// Settings to channels.
public struct AlertChannelFactory: Sendable {
    private let http: AlertHTTP
    private let targets: TargetGuard
    private let resolver: HostResolver
    private let clock: any WallClock
    private let produce: (@Sendable (_ topic: String) -> TopicChannel.Produce)?

    /// - Parameter produce: gives the producer of a topic; nil where no broker is configured.
    public init(
        http: AlertHTTP, targets: TargetGuard, resolver: HostResolver = .system, clock: any WallClock,
        produce: (@Sendable (_ topic: String) -> TopicChannel.Produce)? = nil
    ) {
        self.http = http
        self.targets = targets
        self.resolver = resolver
        self.clock = clock
        self.produce = produce
    }

    /// - Throws: `TocsinError(.configuration)` that names what is missing or wrong, and never shows a secret.
    public func make(_ settings: AlertChannelSettings) throws(TocsinError) -> any AlertChannel {
        let name = settings.name
        try checkHeaders(settings)
        let wording = AlertWording(
            title: try template(settings.title, settings, "title"), text: try template(settings.text, settings, "text"))
        let sender = ChannelHTTP(http: http, timeout: settings.timeout, authorities: settings.authorities)
        switch settings.kind {
        case .console: return ConsoleChannel(name: name, wording: wording)
        case .file: return FileChannel(name: name, path: try need(settings.path, settings, "path"), clock: clock)
        case .webhook:
            return WebhookChannel(
                name: name, url: try address(settings), format: settings.format, headers: settings.headers,
                secret: settings.secret, sender: sender)
        case .slack: return SlackChannel(name: name, url: try address(settings), wording: wording, sender: sender)
        case .teams: return TeamsChannel(name: name, url: try address(settings), wording: wording, sender: sender)
        case .discord: return DiscordChannel(name: name, url: try address(settings), wording: wording, sender: sender)
        case .email: return try mail(settings, wording)
        case .pagerduty:
            return PagerDutyChannel(
                name: name, url: try address(settings, PagerDutyChannel.address),
                routingKey: try need(settings.token, settings, "token"), wording: wording, sender: sender)
        case .opsgenie:
            return OpsgenieChannel(
                name: name, url: try address(settings, OpsgenieChannel.address),
                apiKey: try need(settings.token, settings, "token"), wording: wording, sender: sender)
        case .alertmanager:
            return AlertmanagerChannel(name: name, url: try address(settings), wording: wording, sender: sender)
        case .sms: return try sms(settings, wording, sender)
        case .kafka:
            let topic = try need(settings.topic, settings, "topic")
            guard let produce else {
                throw problem(settings, "topic", "there is no broker to send it to", "set kafka.bootstrapServers")
            }
            return TopicChannel(name: name, topic: topic, produce: produce(topic))
        }
    }

    /// What goes into a header must not end it; the value is a secret and is not shown.
    private func checkHeaders(_ settings: AlertChannelSettings) throws(TocsinError) {
        func isLine(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }
        for (key, value) in [("token", settings.token), ("secret", settings.secret), ("user", settings.user)] {
            guard let value, !isLine(value) else { continue }
            throw problem(
                settings, key, "it holds a line break or another control character",
                "write it in one line; in YAML, `|` keeps the line break at the end")
        }
        for (name, value) in settings.headers {
            let isName = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
            guard !isName || !isLine(value) else { continue }
            throw problem(
                settings, "headers", "\"\(name.printable)\" or its value cannot stand in a header",
                "a name is one word without a colon, a value one line")
        }
    }

    private func mail(_ settings: AlertChannelSettings, _ wording: AlertWording) throws(TocsinError) -> any AlertChannel
    {
        let url = try located(settings) { () throws(TocsinError) in
            try WebAddress(try need(settings.url, settings, "url"), schemes: ["smtp", "smtps"])
        }
        let smtp = try SMTPSettings(
            host: url.host, port: url.port,
            security: settings.security ?? (url.scheme == "smtps" ? .implicit : .startTLS), user: settings.user,
            password: settings.password, authorities: settings.authorities, timeout: settings.timeout)
        let sender = try need(settings.from, settings, "from")
        guard let from = MailAddress(sender) else { throw notMail(settings, "from", sender) }
        var recipients: [MailAddress] = []
        for text in settings.recipients {
            guard let recipient = MailAddress(text) else { throw notMail(settings, "to", text) }
            recipients.append(recipient)
        }
        guard !recipients.isEmpty else { throw problem(settings, "to", "nobody gets it", "name one address or more") }
        return MailChannel(
            name: settings.name, settings: smtp, from: from, recipients: recipients, wording: wording, targets: targets,
            resolver: resolver)
    }

    private func sms(
        _ settings: AlertChannelSettings, _ wording: AlertWording, _ sender: ChannelHTTP
    ) throws(TocsinError) -> any AlertChannel {
        let account = try need(settings.user, settings, "user")
        guard WebAddress.isHostName(account.lowercased()) else {
            throw problem(settings, "user", "this is no account id", "copy it from the service's console")
        }
        guard !settings.recipients.isEmpty else {
            throw problem(settings, "to", "nobody gets it", "name one number or more")
        }
        for number in settings.recipients {
            guard number.hasPrefix("+"), (8...16).contains(number.utf8.count),
                number.dropFirst().utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
            else {
                throw problem(settings, "to", "\"\(number)\" is no telephone number", "write it as +49301234567")
            }
        }
        return SMSChannel(
            name: settings.name, url: try address(settings, SMSChannel.address(account: account)), account: account,
            token: try need(settings.token, settings, "token"), from: try need(settings.from, settings, "from"),
            recipients: settings.recipients, wording: wording, sender: sender)
    }

    private func address(_ settings: AlertChannelSettings, _ usual: String? = nil) throws(TocsinError) -> WebAddress {
        try located(settings) { () throws(TocsinError) in
            try WebAddress(try need(settings.url ?? usual, settings, "url"))
        }
    }

    /// Says which channel's address is meant.
    private func located(
        _ settings: AlertChannelSettings, _ body: () throws(TocsinError) -> WebAddress
    ) throws(TocsinError) -> WebAddress {
        do throws(TocsinError) {
            return try body()
        } catch {
            var error = error
            error.place = "alerts.channels \(settings.name) url"
            throw error
        }
    }

    private func template(
        _ text: String?, _ settings: AlertChannelSettings, _ key: String
    ) throws(TocsinError) -> AlertTemplate? {
        guard let text else { return nil }
        return try AlertTemplate(text, place: "alerts.channels \(settings.name) \(key)")
    }

    private func need(_ value: String?, _ settings: AlertChannelSettings, _ key: String) throws(TocsinError) -> String {
        guard let value, !value.isEmpty else {
            throw problem(settings, key, "a channel of kind \(settings.kind.rawValue) needs it", "set it")
        }
        return value
    }

    private func notMail(_ settings: AlertChannelSettings, _ key: String, _ text: String) -> TocsinError {
        problem(
            settings, key, "\"\(text)\" is no mail address", "write name@plant.example or Name <name@plant.example>")
    }

    private func problem(
        _ settings: AlertChannelSettings, _ key: String, _ message: String, _ remedy: String
    ) -> TocsinError {
        TocsinError(.configuration, message, place: "alerts.channels \(settings.name) \(key)", remedy: remedy)
    }
}
