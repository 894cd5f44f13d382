internal import TocsinCore

/// PagerDuty's Events API v2: raised triggers, acknowledged acknowledges, cleared resolves, all under the alarm's id.
public struct PagerDutyChannel: AlertChannel {
    public static let address = "https://events.pagerduty.com/v2/enqueue"

    public let name: String
    public let traits = AlertChannelTraits(takesDigests: false, steps: AlertChannelTraits.lifeCycleSteps)
    private let url: WebAddress
    private let routingKey: String
    private let wording: AlertWording
    private let sender: ChannelHTTP
    /// PagerDuty's limit, and one that names stay below.
    private static let summaryLimit = 1024
    private static let nameLimit = 255
    /// An event may have 512 KB: names of many kilobytes, said many times, are more.
    private static let eventLimit = 500_000

    public init(
        name: String, url: WebAddress, routingKey: String, wording: AlertWording = AlertWording(), sender: ChannelHTTP
    ) {
        self.name = name
        self.url = url
        self.routingKey = routingKey
        self.wording = wording
        self.sender = sender
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        guard let change = message.change else { return AlertAnswer() }
        let action =
            switch change.step.rawValue {
            case "cleared": "resolve"
            case "acknowledged": "acknowledge"
            default: "trigger"
            }
        var json = event(change, action, message, isWhole: true)
        if json.bytes.count > Self.eventLimit { json = event(change, action, message, isWhole: false) }
        return try await sender.post(json: json, to: url, key: message.key)
    }

    /// - Parameter isWhole: with the alarm and the readings as they are.
    private func event(_ change: AlarmChange, _ action: String, _ message: AlertMessage, isWhole: Bool) -> JSONWriter {
        var json = JSONWriter()
        json.object { json in
            json.field("routing_key", routingKey)
            json.field("event_action", action)
            json.field("dedup_key", change.alarm.id)
            guard action == "trigger" else { return }
            json.field("client", "Tocsin")
            json.key("payload")
            json.object { payload(change.alarm, message, isWhole, to: &$0) }
            guard let link = message.link else { return }
            json.field("client_url", link)
            json.key("links")
            json.array { links in
                links.object {
                    $0.field("href", link)
                    $0.field("text", "Chart and alarm")
                }
            }
        }
        return json
    }

    private func payload(_ alarm: Alarm, _ message: AlertMessage, _ isWhole: Bool, to json: inout JSONWriter) {
        let sentence = wording.title == nil ? message.text(of: .sentence).unlessBlank : nil
        json.field("summary", (sentence ?? wording.title(message)).cut(to: Self.summaryLimit))
        json.field("source", (alarm.sensor.printable.unlessBlank ?? "-").cut(to: Self.nameLimit))
        json.field("severity", message.severity.name)
        json.field("timestamp", alarm.raised)
        json.field("component", (alarm.metric ?? alarm.sensor).printable.cut(to: Self.nameLimit))
        json.field("group", (message.details.zone?.printable.unlessBlank ?? "tocsin").cut(to: Self.nameLimit))
        json.field("class", alarm.kind.name)
        json.key("custom_details")
        json.object { details in
            if isWhole {
                details.key("alarm")
                details.value(alarm)
            }
            if wording.text != nil { details.field("text", wording.text(message).cut(to: 20_000)) }
            details.field("note", message.note)
            guard isWhole else { return }
            details.field("value", message.details.value)
            details.field("expected", message.details.expected)
            details.readings(message.details)
        }
    }
}
