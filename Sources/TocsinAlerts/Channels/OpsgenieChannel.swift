internal import TocsinCore

/// Opsgenie's alert API: raised creates, acknowledged acknowledges, cleared closes, all under the alarm's id as alias.
public struct OpsgenieChannel: AlertChannel {
    public static let address = "https://api.opsgenie.com"

    public let name: String
    public let traits = AlertChannelTraits(takesDigests: false, steps: AlertChannelTraits.lifeCycleSteps)
    private let url: WebAddress
    private let apiKey: String
    private let wording: AlertWording
    private let sender: ChannelHTTP
    /// All details together may have 8000 characters, and there are at most nine, and the link.
    private static let detailLimit = 700

    /// - Parameter url: `https://api.opsgenie.com` or `https://api.eu.opsgenie.com`.
    public init(
        name: String, url: WebAddress, apiKey: String, wording: AlertWording = AlertWording(), sender: ChannelHTTP
    ) {
        self.name = name
        self.url = url
        self.apiKey = apiKey
        self.wording = wording
        self.sender = sender
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        guard let change = message.change else { return AlertAnswer() }
        let alias = "tocsin-\(change.alarm.id)"
        var json = JSONWriter()
        let path: String
        switch change.step.rawValue {
        case "cleared", "acknowledged":
            path = "/v2/alerts/\(alias)/\(change.step == .cleared ? "close" : "acknowledge")?identifierType=alias"
            json.object {
                $0.field("source", "Tocsin")
                $0.field("user", (message.person?.printable.unlessBlank ?? "Tocsin").cut(to: 100))
                $0.field("note", message.lead.cut(to: 20_000))
            }
        default:
            path = "/v2/alerts"
            json.object { create(change.alarm, alias, message, to: &$0) }
        }
        let answer = try await sender.post(
            json: json, to: WebAddress(path: path, of: url), key: message.key,
            headers: [("Authorization", "GenieKey \(apiKey)")])
        guard change.step == .escalated else { return answer }
        // One that is open only counts the creation; its priority stays.
        var urgency = JSONWriter()
        urgency.object { $0.field("priority", Self.priority(message)) }
        return try await sender.put(
            json: urgency, to: WebAddress(path: "/v2/alerts/\(alias)/priority?identifierType=alias", of: url),
            key: "\(message.key)-priority", headers: [("Authorization", "GenieKey \(apiKey)")])
    }

    private static func priority(_ message: AlertMessage) -> String {
        switch message.severity {
        case .critical: "P1"
        case .warning: "P3"
        case .info: "P5"
        }
    }

    private func create(_ alarm: Alarm, _ alias: String, _ message: AlertMessage, to json: inout JSONWriter) {
        json.field("message", wording.title(message).cut(to: 130))
        json.field("alias", alias)
        json.field("description", wording.text(message).cut(to: 15_000))
        json.field("priority", Self.priority(message))
        json.field("source", "Tocsin")
        json.field("entity", alarm.sensor.printable.cut(to: 512))
        json.key("tags")
        json.array {
            $0.value(alarm.kind.name)
            $0.value(message.severity.name)
        }
        json.key("details")
        json.object { details in
            for fact in message.facts { details.field(fact.label.lowercased(), fact.text.cut(to: Self.detailLimit)) }
            if let link = message.link { details.field("link", link) }
        }
    }
}
