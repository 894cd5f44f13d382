/// Every kind of channel there is; the conformance suite runs over all of them.
public enum AlertChannelKind: String, Sendable, CaseIterable {
    case console, file, webhook, slack, teams, discord, email, pagerduty, opsgenie, alertmanager, sms, kafka

    /// Whether people read it as a list: such channels have a rate limit unless the configuration says otherwise.
    public var isForPeople: Bool {
        switch self {
        case .slack, .teams, .discord, .email, .sms: true
        case .console, .file, .webhook, .pagerduty, .opsgenie, .alertmanager, .kafka: false
        }
    }
}

/// One entry of `alerts.channels[]`, as it was read: only what its kind needs must be there.
public struct AlertChannelSettings: Sendable {
    public var kind: AlertChannelKind
    public var name: String
    /// Address of the receiver; of e-mail: `smtp://host:587` or `smtps://host:465`.
    public var url: String?
    public var headers: [(name: String, value: String)] = []
    /// Key that signs webhooks.
    public var secret: String?
    public var format: WebhookChannel.Format = .cloudEvents
    /// Routing key (PagerDuty), API key (Opsgenie), auth token (SMS).
    public var token: String?
    /// Login of the mail server, or the account of the SMS service.
    public var user: String?
    public var password: String?
    public var security: SMTPSettings.Security?
    public var from: String?
    /// Addresses or telephone numbers.
    public var recipients: [String] = []
    /// Of the alert log.
    public var path: String?
    /// Of Kafka.
    public var topic: String?
    public var title: String?
    public var text: String?
    /// Further certificate authorities (PEM).
    public var authorities: String?
    public var timeout: Duration = .seconds(10)

    public init(kind: AlertChannelKind, name: String) {
        self.kind = kind
        self.name = name
    }
}
