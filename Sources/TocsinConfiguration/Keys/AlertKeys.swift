internal import TocsinCore

/// The channels that people are told through, and who is told what. `alerts.console`, `alerts.file` and
/// `alerts.webhooks` stand with the store's keys.
enum ChannelKeys {
    typealias Channel = TocsinConfiguration.Alerts.Channel

    static let list = "alerts.channels"
    static let maximum = 64
    static let kind = Key(
        "alerts.channels[].kind", .choice, default: Channel.Kind.webhook, shownAs: "none", isRequired: true,
        "What is at the other end.")
    static let name = Key(
        "alerts.channels[].name", .optionalText, default: nil, shownAs: "kind and position",
        "Name in routes, metrics and logs; unique.")
    static let url = Key(
        "alerts.channels[].url", ValueForm(.secret, orNone: ""), default: nil, shownAs: "the service's own",
        "Where messages go; for mail `smtp://host:587` or `smtps://host:465`.")
    static let headers = MapKey(
        "alerts.channels[].headers", .secret, default: [:], "Further request headers of a webhook.")
    static let secret = Key(
        "alerts.channels[].secret", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        "Key with which a webhook's requests are signed (HMAC-SHA256).")
    static let format = Key(
        "alerts.channels[].format", .choice, default: Channel.Format.cloudEvents, "Form of a webhook's body.")
    static let token = Key(
        "alerts.channels[].token", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        "Routing key (PagerDuty), API key (Opsgenie), auth token (SMS).")
    static let user = Key(
        "alerts.channels[].user", .optionalText, default: nil, shownAs: "none",
        "Login of the mail server, or account of the SMS service.")
    static let password = Key(
        "alerts.channels[].password", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        "Password of the mail server.")
    static let security = Key(
        "alerts.channels[].security", .choice, default: Channel.Security.auto,
        "How the mail server is reached; `auto` is TLS for `smtps` and STARTTLS for `smtp`.")
    static let from = Key(
        "alerts.channels[].from", .optionalText, default: nil, shownAs: "none", "Sender: mail address, or number.")
    static let to = Key(
        "alerts.channels[].to", ValueForm(listOf: .text), default: [], "Receivers: mail addresses, or numbers.")
    static let topic = Key(
        "alerts.channels[].topic", .optionalText, default: nil, shownAs: "none", "Topic of Kafka.")
    static let title = Key(
        "alerts.channels[].title", .optionalText, default: nil, shownAs: "the channel's own",
        "Template of the title, with fields such as `{sensor}`, see alerts.md.")
    static let text = Key(
        "alerts.channels[].text", .optionalText, default: nil, shownAs: "the channel's own", "Template of the text.")
    static let authorities = Key(
        "alerts.channels[].authorities", .optionalPath, default: nil, shownAs: "the system's",
        "Certificates of authorities that are trusted as well (PEM).")
    static let timeout = Key(
        "alerts.channels[].timeout", .duration(.milliseconds(100) ... .minutes(5)), default: .seconds(10),
        "How long one attempt may take.")
    static let severity = Key(
        "alerts.channels[].severity", .choice, default: Alarm.Severity.info, "The least severity that is told here.")
    static let cooldown = Key(
        "alerts.channels[].cooldown", ValueForm(.duration(.seconds(0) ... .days(7)), orNone: "inherit"), default: nil,
        "Least time between two messages on the same sensor and kind; `inherit` is `alerts.cooldown`.")
    static let rateMessages = Key(
        "alerts.channels[].rate.messages", .integer(0...1_000_000, unit: "messages"), default: 10,
        shownAs: "10 for people's channels, else no limit",
        "Messages within `rate.per`; what is beyond is told as one list; 0 is no limit.")
    static let ratePeriod = Key(
        "alerts.channels[].rate.per", .duration(.seconds(1) ... .days(1)), default: .minutes(10), "The time for that.")
    static let quiet = Key(
        "alerts.channels[].quietHours", .optionalText, default: nil, shownAs: "none",
        "When to keep quiet, `mon-fri 22:00-06:00; sat,sun 00:00-24:00`; what was held back is told as one list afterwards."
    )
    static let quietZone = Key(
        "alerts.channels[].quietZone", .text, default: "local", "Time zone of that: `local`, `UTC` or `+02:00`.")
    static let quietCritical = Key(
        "alerts.channels[].quietPassesCritical", .flag, default: true, "Whether critical alarms are told all the same.")
    static let delay = Key(
        "alerts.channels[].delay", .duration(.seconds(0) ... .days(7)), default: .seconds(0),
        "An alarm is told only when it has stood for this long and nobody has acknowledged it.")
    static let giveUpAfter = Key(
        "alerts.channels[].giveUpAfter", .duration(.seconds(1) ... .days(30)), default: .hours(24),
        "For how long delivery is tried before a message becomes a dead letter.")
    static let retryFirst = Key(
        "alerts.channels[].retry.first", .duration(.milliseconds(10) ... .hours(1)), default: .seconds(1),
        "Wait before the first repetition of a message that was not taken; it doubles from then on.")
    static let retryLongest = Key(
        "alerts.channels[].retry.longest", .duration(.milliseconds(10) ... .hours(24)), default: .seconds(60),
        "The longest wait between two attempts.")

    static let cooldownOfAll = Key(
        "alerts.cooldown", .secondsOrDuration(.seconds(0) ... .days(7)), default: .seconds(0),
        aliases: ["ALERT_COOLDOWN_SECONDS"],
        "Least time between two messages on the same sensor and kind, where a channel does not say otherwise.")
    static let link = Key(
        "alerts.link", .optionalText, default: nil, shownAs: "none",
        "Address of the dashboard as people reach it, for links in messages.")
    static let privateTargets = Key(
        "alerts.allowPrivateTargets", .flag, default: false,
        "Whether messages may go to private and loopback addresses (those of `alerts.allowedHosts` always may).")
    static let allowedHosts = Key(
        "alerts.allowedHosts", ValueForm(listOf: .text), default: [],
        "Host names, addresses and ranges (`10.20.0.0/16`) that messages may go to although they are private.")
    static let routing = Key(
        "alerts.routing", .choice, default: TocsinConfiguration.Alerts.Routing.all,
        "Whether every route that fits counts, or the first only.")

    static let routes = "alerts.routes"
    static let routeSeverity = Key(
        "alerts.routes[].severity", .choice, default: Alarm.Severity.info, "The least severity that it is for.")
    static let routeKinds = Key(
        "alerts.routes[].kinds", ValueForm(listOf: .alarmKind), default: [], shownAs: "all", "Kinds that it is for.")
    static let routeZones = Key(
        "alerts.routes[].zones", ValueForm(listOf: .text), default: [], shownAs: "all", "Zones that it is for.")
    static let routeSensors = Key(
        "alerts.routes[].sensors", ValueForm(listOf: .text), default: [], shownAs: "all",
        "Patterns of sensors' names, with `*` and `?`.")
    static let routeChannels = Key(
        "alerts.routes[].channels", ValueForm(listOf: .text), default: [], shownAs: "none", isRequired: true,
        "Names of the channels that are told; without any route all are.")

    static let escalations = "alerts.escalations"
    static let escalationAfter = Key(
        "alerts.escalations[].after", .duration(.seconds(1) ... .days(7)), default: .minutes(15),
        "How long an alarm stands without an acknowledgement before these channels are told.")
    static let escalationSeverity = Key(
        "alerts.escalations[].severity", .choice, default: Alarm.Severity.info, "The least severity that it is for.")
    static let escalationKinds = Key(
        "alerts.escalations[].kinds", ValueForm(listOf: .alarmKind), default: [], shownAs: "all",
        "Kinds that it is for.")
    static let escalationZones = Key(
        "alerts.escalations[].zones", ValueForm(listOf: .text), default: [], shownAs: "all", "Zones that it is for.")
    static let escalationSensors = Key(
        "alerts.escalations[].sensors", ValueForm(listOf: .text), default: [], shownAs: "all",
        "Patterns of sensors' names.")
    static let escalationChannels = Key(
        "alerts.escalations[].channels", ValueForm(listOf: .text), default: [], shownAs: "none", isRequired: true,
        "Names of the channels.")

    static let system = Key(
        "alerts.system.enabled", .flag, default: true, "Whether the program's own troubles are told as alarms.")
    static let dataQuality = Key(
        "alerts.system.dataQuality", .number(0...1, unit: "share of readings"), default: 0.7,
        "Critical below this share of good readings in five minutes.")
    static let anomalyRate = Key(
        "alerts.system.anomalyRate", .number(0...1, unit: "share of readings"), default: 0.1,
        "Warning above this share of anomalous readings in five minutes.")
    static let completeness = Key(
        "alerts.system.completeness", .number(0...1, unit: "share of readings"), default: 0.9,
        "Information below this share of the sensors that are expected to speak.")
    static let modelAccuracy = Key(
        "alerts.system.modelAccuracy", .number(0...1, unit: "share"), default: 0.7,
        "Critical when less than this share of the alarms that people have answered was right.")
    static let response = Key(
        "alerts.system.response", .duration(.milliseconds(1) ... .hours(1)), default: .seconds(5),
        "Warning when it takes longer than this from a reading to its stored verdict.")
    static let temperature = Key(
        "alerts.thresholds.temperature", ValueForm(.number(-1e6...1e6, unit: "the metric's unit"), orNone: "off"),
        default: nil, aliases: ["TEMP_ALERT_THRESHOLD"],
        "Highest normal `temperature`; the same as an upper bound in `detection.limits`.")
    static let humidity = Key(
        "alerts.thresholds.humidity", ValueForm(.number(-1e6...1e6, unit: "the metric's unit"), orNone: "off"),
        default: nil, aliases: ["HUMIDITY_ALERT_THRESHOLD"], "Highest normal `humidity`.")

    static let all: [KeyEntry] = [
        cooldownOfAll.entry, link.entry, privateTargets.entry, allowedHosts.entry, kind.entry, name.entry, url.entry,
        headers.entry, secret.entry, format.entry, token.entry, user.entry, password.entry, security.entry,
        from.entry, to.entry, topic.entry, title.entry, text.entry, authorities.entry, timeout.entry, severity.entry,
        cooldown.entry, rateMessages.entry, ratePeriod.entry, quiet.entry, quietZone.entry, quietCritical.entry,
        delay.entry, giveUpAfter.entry, retryFirst.entry, retryLongest.entry, routing.entry, routeSeverity.entry,
        routeKinds.entry, routeZones.entry,
        routeSensors.entry, routeChannels.entry, escalationAfter.entry, escalationSeverity.entry,
        escalationKinds.entry, escalationZones.entry, escalationSensors.entry, escalationChannels.entry, system.entry,
        dataQuality.entry, anomalyRate.entry, completeness.entry, modelAccuracy.entry, response.entry,
        temperature.entry, humidity.entry,
    ]
}

extension ValueForm<Span64> {
    /// A bare number counts seconds, as in variables whose names end in `_SECONDS`.
    static func secondsOrDuration(_ range: ClosedRange<Span64>) -> ValueForm {
        let form = duration(range)
        return ValueForm(
            type: form.type, accepted: form.accepted, bounds: form.bounds,
            read: { text in
                guard let seconds = Double(text), seconds >= 0, seconds < 1e9 else {
                    return try? form.parse(.scalar(text))
                }
                let span = Span64(nanoseconds: Int64(seconds * 1e9))
                return range.contains(span) ? span : nil
            }, show: { Quantity.text($0) })
    }
}
