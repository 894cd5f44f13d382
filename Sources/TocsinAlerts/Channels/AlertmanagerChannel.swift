internal import Synchronization
internal import TocsinCore

/// Prometheus Alertmanager, API v2: posts to `/api/v2/alerts`, and again every minute while the alarm is open, because
/// Alertmanager takes an alert as over when `endsAt` has passed.
public struct AlertmanagerChannel: AlertChannel {
    public let name: String
    public let traits: AlertChannelTraits
    private let url: WebAddress
    private let wording: AlertWording
    private let sender: ChannelHTTP
    /// How long an alert stands without being said again.
    private let life: Span64
    private let zones = ToldZones()

    /// - Parameter refresh: how often open alarms are said again; they stand five times as long.
    public init(
        name: String, url: WebAddress, wording: AlertWording = AlertWording(), refresh: Duration = .seconds(60),
        sender: ChannelHTTP
    ) {
        self.name = name
        self.url = WebAddress(path: "/api/v2/alerts", of: url)
        self.wording = wording
        self.sender = sender
        life = .seconds(max(5, Int64(refresh.inSeconds * 5)))
        traits = AlertChannelTraits(takesDigests: false, refresh: refresh)
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        var json = JSONWriter()
        json.array { list in
            switch message.content {
            case .change(let change):
                // Severity is a label, and labels are the identity: the milder alert ends where the graver begins.
                let zone = zones.zone(of: change.alarm, isNow: message.details.zone)
                if change.step == .escalated {
                    write(change.alarm, zone, message, severity: .warning, end: message.time, to: &list)
                }
                let end = change.step == .cleared ? message.time : message.time.advanced(by: life)
                write(change.alarm, zone, message, severity: message.severity, end: end, to: &list)
            case .open(let alarms):
                for alarm in alarms {
                    let zone = zones.zone(of: alarm, isNow: message.zones[alarm.id])
                    let end = message.time.advanced(by: life)
                    write(alarm, zone, message, severity: AlertSeverity(alarm.severity), end: end, to: &list)
                }
            case .digest: break
            }
        }
        let answer = try await sender.post(json: json, to: url, key: message.key)
        if let change = message.change, change.step == .cleared { zones.forget(change.alarm) }
        return answer
    }

    private func write(
        _ alarm: Alarm, _ zone: String?, _ message: AlertMessage, severity: AlertSeverity, end: Timestamp,
        to json: inout JSONWriter
    ) {
        // An alert that ends before it starts is refused; a sensor's clock may be ahead.
        let start = min(alarm.raised, end)
        json.object { alert in
            alert.key("labels")
            alert.object {
                $0.field("alertname", "Tocsin_\(alarm.kind.name)")
                $0.field("alarm_id", alarm.id)
                $0.field("kind", alarm.kind.name)
                $0.field("severity", severity.name)
                $0.field("sensor", alarm.sensor)
                if let metric = alarm.metric { $0.field("metric", metric) }
                if let zone { $0.field("zone", zone) }
            }
            alert.key("annotations")
            alert.object {
                $0.field("summary", "\(severity.name.uppercased()): \(AlertMessage.subject(alarm))")
                $0.field("description", message.change == nil ? alarm.sentence : wording.text(message))
                if let cause = alarm.cause { $0.field("cause", cause) }
            }
            alert.field("startsAt", start)
            alert.field("endsAt", end)
            if let link = message.link { alert.field("generatorURL", link) }
        }
    }
}

/// The zones that were told. Labels are an alert's identity: one that is said again with another zone would be a second
/// alert beside the first.
private final class ToldZones: Sendable {
    private let zones = Mutex<[String: String]>([:])
    /// Ends that nobody told are not noted: the old go, and are looked up again.
    private static let limit = 20_000

    func zone(of alarm: Alarm, isNow zone: String?) -> String? {
        zones.withLock { zones in
            if let told = zones[alarm.id] { return told }
            if zones.count >= Self.limit { zones.removeAll() }
            zones[alarm.id] = zone
            return zone
        }
    }

    func forget(_ alarm: Alarm) { zones.withLock { $0[alarm.id] = nil } }
}
