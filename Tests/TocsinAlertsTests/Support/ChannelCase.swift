import Foundation
import Synchronization
import TocsinAlerts
import TocsinCore
import TocsinTestKit

/// What a receiver got, whatever its protocol.
struct Arrived: Sendable {
    var target = ""
    var headers: [String: String] = [:]
    var text: String

    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:] }
    var list: [[String: Any]] { (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [[String: Any]] ?? [] }
}

/// One kind of channel under the suite: how it is made to talk to a receiver of the test, and what must arrive there.
protocol Receiver: Sendable {
    var arrived: [Arrived] { get }
    func channel(_ kind: AlertChannelKind, _ timeout: Duration, targets: TargetGuard, authorities: String?) throws
        -> any AlertChannel
}

extension Receiver {
    func channel(_ kind: AlertChannelKind) throws -> any AlertChannel {
        try channel(kind, Receivers.patience, targets: TargetGuard(allowsPrivate: true), authorities: nil)
    }
}

enum Receivers {
    /// How long an answer may take where the test is not about that: all tests run at once.
    static let patience = Duration.seconds(120)

    /// The one place that knows which receiver a kind of channel talks to.
    static func make(
        _ kind: AlertChannelKind, _ behaviours: [Behaviour] = [.taken], tls: Bool = false, other: String? = nil
    ) async throws -> any Receiver {
        switch kind {
        case .console, .file: return LocalReceiver(behaviours)
        case .kafka: return TopicReceiver(behaviours)
        case .email:
            var options = FakeMailServer.Options()
            options.behaviour = behaviours[0]
            options.isImplicit = tls
            return MailReceiver(server: try await FakeMailServer(options), isEncrypted: tls)
        default:
            let server = try await FakeReceiver(behaviours, tls: tls, other: other ?? "http://127.0.0.1:9/")
            return HTTPReceiver(server: server, scheme: tls ? "https" : "http")
        }
    }

    static func settings(_ kind: AlertChannelKind) -> AlertChannelSettings {
        var settings = AlertChannelSettings(kind: kind, name: "under-test")
        settings.token = "t0ken"
        settings.user = kind == .sms ? "AC123" : nil
        settings.from = kind == .sms ? "+15550100" : "Tocsin <tocsin@plant.example>"
        settings.recipients = kind == .sms ? ["+49301111111"] : ["shift@plant.example"]
        settings.secret = "s3cret"
        settings.topic = "iot.alerts"
        settings.timeout = patience
        return settings
    }

    static func factory(
        _ targets: TargetGuard, produce: (@Sendable (String) -> TopicChannel.Produce)? = nil
    ) -> AlertChannelFactory {
        let clock = HandClock(Timestamp(seconds: 784_111_777 - 90))
        let resolver = HostResolver { _ in [IPAddress("127.0.0.1")].compactMap { $0 } }
        return AlertChannelFactory(
            http: AlertHTTP(targets: targets, resolver: resolver, clock: clock), targets: targets, resolver: resolver,
            clock: clock, produce: produce)
    }
}

struct HTTPReceiver: Receiver {
    let server: FakeReceiver
    let scheme: String

    var arrived: [Arrived] {
        server.requests.map { request in
            let headers = Dictionary(request.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
            return Arrived(target: "\(request.method) \(request.target)", headers: headers, text: request.text)
        }
    }

    func channel(_ kind: AlertChannelKind, _ timeout: Duration, targets: TargetGuard, authorities: String?) throws
        -> any AlertChannel
    {
        var settings = Receivers.settings(kind)
        let path = kind == .opsgenie || kind == .alertmanager ? "/base" : "/hook?key=1"
        settings.url = "\(scheme)://receiver.test:\(server.port)\(path)"
        settings.timeout = timeout
        settings.authorities = authorities
        return try Receivers.factory(targets).make(settings)
    }
}

struct MailReceiver: Receiver {
    let server: FakeMailServer
    let isEncrypted: Bool

    var arrived: [Arrived] {
        server.mails.map { mail in
            Arrived(target: mail.to.joined(separator: ","), text: mail.lines.joined(separator: "\n"))
        }
    }

    func channel(_ kind: AlertChannelKind, _ timeout: Duration, targets: TargetGuard, authorities: String?) throws
        -> any AlertChannel
    {
        var settings = Receivers.settings(kind)
        settings.url = "\(isEncrypted ? "smtps" : "smtp")://receiver.test:\(server.port)"
        settings.security = isEncrypted ? .implicit : SMTPSettings.Security.none
        settings.timeout = timeout
        settings.authorities = authorities
        return try Receivers.factory(targets).make(settings)
    }
}

final class TopicReceiver: Receiver {
    private let state = Mutex<[Arrived]>([])
    private let behaviour: Behaviour

    init(_ behaviours: [Behaviour]) { behaviour = behaviours[0] }

    var arrived: [Arrived] { state.withLock { $0 } }

    func channel(_ kind: AlertChannelKind, _ timeout: Duration, targets: TargetGuard, authorities: String?) throws
        -> any AlertChannel
    {
        TopicChannel(name: "under-test", topic: "iot.alerts", timeout: timeout) { [self] key, value, headers in
            switch behaviour {
            case .taken:
                let list = headers.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) }
                state.withLock {
                    $0.append(
                        Arrived(
                            target: String(decoding: key, as: UTF8.self),
                            headers: Dictionary(list) { first, _ in first },
                            text: String(decoding: value, as: UTF8.self)))
                }
            case .slow: try await Task.sleep(for: .seconds(60))
            case .refusing, .redirecting: throw TocsinError(.network, "the record is too large")
            default: throw TocsinError(.network, "no broker", isRetriable: true)
            }
        }
    }
}

/// Console and file: nothing to reach, little that can go wrong.
final class LocalReceiver: Receiver {
    private let state = Mutex<[Arrived]>([])
    private let path: String

    init(_ behaviours: [Behaviour]) {
        let folder = FileManager.default.temporaryDirectory.path
        path =
            behaviours[0] == .taken ? "\(folder)/tocsin-alerts-\(UUID().uuidString).log" : "/nowhere/at/all/alerts.log"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var arrived: [Arrived] {
        let file = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return state.withLock { $0 } + file.split(separator: "\n").map { Arrived(text: String($0)) }
    }

    func channel(_ kind: AlertChannelKind, _ timeout: Duration, targets: TargetGuard, authorities: String?) throws
        -> any AlertChannel
    {
        guard kind == .console else { return FileChannel(path: path, clock: HandClock()) }
        return ConsoleChannel { line in self.state.withLock { $0.append(Arrived(text: line)) } }
    }
}

/// Messages to send.
enum Sample {
    static let start = Timestamp(seconds: 1_760_000_000)
    /// Text that means something in every mark-up there is.
    static let hostile = "<b>&\"*_~`|[x](y)' {sensor} \r\nBcc: x@y\u{202E}é°"

    static func alarm(
        _ id: String = "00000000000000a1", sensor: String = "sensor_1", severity: Alarm.Severity = .warning,
        kind: AnomalyKind = .spike, cleared: Bool = false,
        sentence: String = "temperature of sensor_1 jumped to 98.3 °C",
        verdicts: Int = 1
    ) -> Alarm {
        Alarm(
            id: id, sensor: sensor, metric: "temperature", kind: kind, state: cleared ? .cleared : .open,
            severity: severity, raised: start, lastSeen: start.advanced(by: .minutes(12)),
            cleared: cleared ? start.advanced(by: .minutes(12)) : nil, verdicts: verdicts, score: 0.93, pValue: 1e-9,
            sentence: sentence)
    }

    static func change(
        _ step: AlarmChange.Step, _ id: String = "00000000000000a1", sensor: String = "sensor_1",
        severity: Alarm.Severity = .warning, kind: AnomalyKind = .spike, sentence: String? = nil, isTold: Bool = true
    ) -> AlarmChange {
        AlarmChange(
            step: step,
            alarm: alarm(
                id, sensor: sensor, severity: severity, kind: kind, cleared: step == .cleared,
                sentence: sentence ?? "\(kind.name) on \(sensor)"), isTold: isTold)
    }

    static let reading = AlertDetails.Reading(
        metric: "temperature", unit: "celsius", value: 98.3, low: 24.1, high: 26.2, time: start,
        valueText: "98.3 °C", expectedText: "24.1 to 26.2 °C")

    static func message(_ change: AlarmChange, link: String? = "https://tocsin.plant.example/alarms/1?a=1&b=2")
        -> AlertMessage
    {
        AlertMessage(
            content: .change(change), key: "\(change.alarm.id)-\(change.step.rawValue)-\(change.alarm.verdicts)",
            incident: change.alarm.id, time: start.advanced(by: .seconds(5)),
            details: AlertDetails(zone: "hall 3", readings: [reading]), link: link)
    }
}
