import Foundation
import Testing
import TocsinAlerts
import TocsinCore

/// The same cases for every kind of channel there is: a new one is tested by being listed in `AlertChannelKind`.
@Suite struct ChannelConformanceTests {
    private static let networked: [AlertChannelKind] = AlertChannelKind.allCases.filter {
        ![.console, .file, .kafka].contains($0)
    }
    private static let web = networked.filter { $0 != .email }

    @Test(arguments: AlertChannelKind.allCases)
    func everyStepArrivesAndAnswersWellFormed(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        let channel = try receiver.channel(kind)
        for step in [AlarmChange.Step.raised, .acknowledged, .escalated, .cleared] {
            let severity: Alarm.Severity = step == .raised ? .warning : .critical
            _ = try await channel.send(Sample.message(Sample.change(step, severity: severity)))
        }
        // Opsgenie's priority has a request of its own.
        let arrived = receiver.arrived.filter { !$0.target.hasPrefix("PUT ") }
        #expect(arrived.count == 4)
        for (message, step) in zip(arrived, ["raised", "acknowledged", "escalated", "cleared"]) {
            for problem in WireForm.problems(kind, step, message) { Issue.record("\(kind) \(step): \(problem)") }
        }
    }

    @Test(arguments: AlertChannelKind.allCases)
    func hostileTextStaysText(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        let channel = try receiver.channel(kind)
        let change = Sample.change(.raised, sensor: "s " + Sample.hostile, sentence: Sample.hostile)
        _ = try await channel.send(Sample.message(change))
        let text = try #require(receiver.arrived.first).text
        for problem in WireForm.hostileProblems(kind, text) { Issue.record("\(kind): \(problem)") }
    }

    @Test(arguments: AlertChannelKind.allCases)
    func whateverSensorsAreCalledTheReceiversLimitsAreKept(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        let channel = try receiver.channel(kind)
        let long = String(repeating: "<&*_\"\\|`\u{1F525}é ", count: 900)
        var messages: [AlertMessage] = []
        for name in [long, String(repeating: "&", count: 10_000), " ", "\r\n.\r\nSubject: x\r\n\r\n", "s"] {
            var change = Sample.change(.raised, sensor: name, severity: .critical, sentence: name)
            change.alarm.metric = name
            change.alarm.cause = name
            var message = Sample.message(change)
            message.details.zone = name
            message.details.person = name
            message.details.comment = name
            message.details.readings = (0..<6).map { _ in
                var reading = Sample.reading
                (reading.metric, reading.unit, reading.valueText, reading.expectedText) = (name, name, name, name)
                return reading
            }
            message.note = name == "s" ? nil : "held back"
            messages.append(message)
            for step in [AlarmChange.Step.acknowledged, .cleared] {
                change.step = step
                message.content = .change(change)
                messages.append(message)
            }
        }
        for (name, count) in [(long, 50), ("s", 500)] where kind.isForPeople {
            let changes = (0..<count).map {
                Sample.change(.raised, "id\($0)", sensor: "\(name)\($0)", sentence: "\(name) \($0)")
            }
            messages.append(
                AlertMessage(
                    content: .digest(changes, .rateLimit), key: "digest-1", incident: "digest-1", time: Sample.start,
                    link: "https://tocsin.plant.example/"))
        }
        for message in messages { _ = try await channel.send(message) }
        // The line of a file may be long; each message is one arrival all the same.
        #expect(receiver.arrived.count == messages.count)
        for arrived in receiver.arrived {
            for problem in WireForm.limitProblems(kind, arrived.text) { Issue.record("\(kind): \(problem)") }
        }
    }

    @Test(arguments: [AlertChannelKind.slack, .teams, .discord, .pagerduty, .opsgenie, .sms, .email])
    func aTemplateWhoseFieldsAreEmptyLeavesTheDefaultWords(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        var settings = Receivers.settings(kind)
        (settings.title, settings.text) = ("{cause}", " {comment}\n")
        let port = (receiver as? HTTPReceiver)?.server.port ?? (receiver as? MailReceiver)?.server.port ?? 0
        settings.url = kind == .email ? "smtp://receiver.test:\(port)" : "http://receiver.test:\(port)/hook"
        settings.security = kind == .email ? SMTPSettings.Security.none : nil
        let channel = try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        _ = try await channel.send(Sample.message(Sample.change(.raised)))
        let text = WireForm.decoded(kind, try #require(receiver.arrived.first).text)
        #expect(text.contains("spike on sensor"), "\(text)")
        for problem in WireForm.limitProblems(kind, try #require(receiver.arrived.first).text) {
            Issue.record("\(problem)")
        }
    }

    @Test(arguments: [
        (AlertChannelKind.slack, "<https://t.example/a_b?c=1&amp;d=%7C*>"),
        (.discord, "https://t.example/a_b?c=1&d=|*"),
    ])
    func theLinkOfATemplateStaysALink(_ kind: AlertChannelKind, _ expected: String) async throws {
        let receiver = try await Receivers.make(kind)
        var settings = Receivers.settings(kind)
        settings.text = "{sensor}: {link}"
        settings.url = "http://receiver.test:\((receiver as? HTTPReceiver)?.server.port ?? 0)/hook"
        let channel = try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        _ = try await channel.send(
            Sample.message(Sample.change(.raised, sensor: "a_b"), link: "https://t.example/a_b?c=1&d=|*"))
        let json = try #require(receiver.arrived.first).json
        let section = (json["blocks"] as? [[String: Any]])?[1]["text"] as? [String: Any]
        let text = section?["text"] ?? (json["embeds"] as? [[String: Any]])?.first?["description"]
        #expect((text as? String)?.hasSuffix(": \(expected)") == true, "\(text ?? "")")
    }

    @Test(arguments: AlertChannelKind.allCases)
    func theSameMessageHasTheSameKeyAndAnotherStepAnother(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        let channel = try receiver.channel(kind)
        let raised = Sample.message(Sample.change(.raised))
        for message in [raised, raised, Sample.message(Sample.change(.cleared))] { _ = try await channel.send(message) }
        let keys = receiver.arrived.map { WireForm.key(kind, $0) }
        #expect(keys.count == 3)
        guard kind != .console, kind != .file else { return }
        #expect(keys[0] != nil && keys[0] == keys[1] && keys[1] != keys[2])
    }

    @Test(arguments: AlertChannelKind.allCases, Behaviour.allCases)
    func troubleIsToldApart(_ kind: AlertChannelKind, _ behaviour: Behaviour) async throws {
        if kind == .console, behaviour != .taken { return }
        let receiver = try await Receivers.make(kind, [behaviour])
        let timeout: Duration = behaviour == .slow ? .milliseconds(200) : Receivers.patience
        let channel = try receiver.channel(kind, timeout, targets: TargetGuard(allowsPrivate: true), authorities: nil)
        do throws(AlertFailure) {
            _ = try await channel.send(Sample.message(Sample.change(.raised)))
            #expect(behaviour == .taken)
        } catch {
            #expect(behaviour != .taken)
            let isFinal = [.refusing, .redirecting].contains(behaviour) && kind != .file
            #expect(error.error.isRetriable == !isFinal, "\(error)")
            let speaksHTTP = Self.web.contains(kind)
            switch behaviour {
            case .busySeconds where speaksHTTP: #expect(error.retryAfter == .seconds(17))
            case .busyDate where speaksHTTP: #expect(error.retryAfter == .seconds(90))
            default: #expect(error.retryAfter == nil)
            }
            for secret in ["key=1", "t0ken", "s3cret"] { #expect(!"\(error)".contains(secret)) }
        }
    }

    @Test func whatIsSaidAgainToAlertmanagerIsTheSameAlert() async throws {
        let receiver = try await Receivers.make(.alertmanager)
        let channel = try receiver.channel(.alertmanager)
        let alarm = Sample.alarm()
        _ = try await channel.send(Sample.message(Sample.change(.raised)))
        var refresh = AlertMessage(content: .open([alarm]), key: "open-1", incident: "open", time: Sample.start)
        // The sensor has not spoken since a restart, or stands elsewhere now.
        for zone in [nil, "hall 4"] {
            refresh.zones = zone.map { [alarm.id: $0] } ?? [:]
            _ = try await channel.send(refresh)
        }
        _ = try await channel.send(Sample.message(Sample.change(.cleared)))
        let labels = try receiver.arrived.map { arrived in
            let list = try JSONSerialization.jsonObject(with: Data(arrived.text.utf8)) as? [[String: Any]]
            return list?.first?["labels"] as? [String: String]
        }
        #expect(labels.count == 4 && Set(labels.compactMap { $0 }).count == 1, "\(labels)")
        #expect(labels.first??["zone"] == "hall 3")
    }

    @Test func whatGetsWorseGetsUrgentInOpsgenie() async throws {
        let receiver = try await Receivers.make(.opsgenie)
        let channel = try receiver.channel(.opsgenie)
        _ = try await channel.send(Sample.message(Sample.change(.escalated, severity: .critical)))
        let id = Sample.alarm().id
        #expect(
            receiver.arrived.map(\.target) == [
                "POST /base/v2/alerts", "PUT /base/v2/alerts/tocsin-\(id)/priority?identifierType=alias",
            ])
        #expect(receiver.arrived.last?.text == #"{"priority":"P1"}"#)
    }

    /// What a receiver may be at the other end of an open connection.
    enum End: CaseIterable {
        /// Takes connections and never says a word, as half-open TCP does.
        case silent, silentInTLS
        /// Answers the handshake with something else.
        case garbageInTLS
    }

    @Test(arguments: Self.networked, End.allCases)
    func halfOpenConnectionsAndBrokenTLSAreGivenUpAndTriedAgain(_ kind: AlertChannelKind, _ end: End) async throws {
        let silent = try await SilentReceiver()
        let garbage = try await FakeReceiver([.garbage])
        let isEncrypted = end != .silent
        let port = end == .garbageInTLS ? garbage.port : silent.port
        var settings = Receivers.settings(kind)
        let scheme = kind == .email ? (isEncrypted ? "smtps" : "smtp") : (isEncrypted ? "https" : "http")
        settings.url = "\(scheme)://receiver.test:\(port)" + (kind == .email ? "" : "/hook")
        settings.security = kind != .email ? nil : isEncrypted ? .implicit : SMTPSettings.Security.none
        settings.authorities = TestTLS.authorityFile
        settings.timeout = .milliseconds(300)
        let channel = try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        let start = ContinuousClock.now
        do throws(AlertFailure) {
            _ = try await channel.send(Sample.message(Sample.change(.raised)))
            Issue.record("it was taken")
        } catch {
            #expect(error.error.isRetriable, "\(error)")
        }
        #expect(ContinuousClock.now - start < .seconds(240))
    }

    @Test(arguments: Self.web)
    func redirectsAreNotFollowed(_ kind: AlertChannelKind) async throws {
        let inner = try await FakeReceiver()
        let receiver = try await Receivers.make(kind, [.redirecting], other: "http://127.0.0.1:\(inner.port)/inner")
        let channel = try receiver.channel(kind)
        await #expect(throws: AlertFailure.self) { try await channel.send(Sample.message(Sample.change(.raised))) }
        #expect(inner.requests.isEmpty)
    }

    @Test(arguments: Self.networked)
    func privateTargetsAreRefusedUnlessAllowed(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        let refused = try receiver.channel(kind, .seconds(10), targets: TargetGuard(), authorities: nil)
        do throws(AlertFailure) {
            _ = try await refused.send(Sample.message(Sample.change(.raised)))
            Issue.record("it was sent")
        } catch {
            #expect("\(error)".contains("loopback") && "\(error)".contains("alerts.allowedHosts"))
        }
        #expect(receiver.arrived.isEmpty)
        for allowed in ["127.0.0.0/8", "receiver.test", "*.test"] {
            let channel = try receiver.channel(
                kind, .seconds(10), targets: TargetGuard(allowed: [allowed]), authorities: nil)
            _ = try await channel.send(Sample.message(Sample.change(.raised)))
        }
        #expect(receiver.arrived.count == 3)
    }

    @Test(arguments: Self.networked)
    func tlsIsCheckedAgainstTheNameAndNotTheAddress(_ kind: AlertChannelKind) async throws {
        let targets = try TargetGuard(allowsPrivate: true)
        let receiver = try await Receivers.make(kind, tls: true)
        let unknown = try receiver.channel(kind, .seconds(10), targets: targets, authorities: nil)
        do throws(AlertFailure) {
            _ = try await unknown.send(Sample.message(Sample.change(.raised)))
            Issue.record("a certificate of an unknown authority was taken")
        } catch {
            #expect(error.error.isRetriable)
        }
        #expect(receiver.arrived.isEmpty)
        let known = try receiver.channel(kind, .seconds(10), targets: targets, authorities: TestTLS.authorityFile)
        _ = try await known.send(Sample.message(Sample.change(.raised)))
        #expect(receiver.arrived.count == 1)
    }

    @Test(arguments: AlertChannelKind.allCases)
    func aListTellsEverythingWherePeopleReadIt(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        let channel = try receiver.channel(kind)
        #expect(channel.traits.takesDigests == kind.isForPeople)
        guard channel.traits.takesDigests else { return }
        let changes = (0..<5).map {
            Sample.change(.raised, "id\($0)", sensor: "pump-\($0)", severity: $0 == 3 ? .critical : .warning)
        }
        _ = try await channel.send(
            AlertMessage(
                content: .digest(changes, .rateLimit), key: "digest-1", incident: "digest-1", time: Sample.start))
        let text = WireForm.decoded(kind, try #require(receiver.arrived.first).text)
        guard kind != .sms else {
            // Two parts of a message hold no more; the rest is counted.
            #expect(text.contains("pump-3") && text.contains("more"), "\(text)")
            return
        }
        for number in 0..<5 {
            #expect(text.contains("pump-\(number)"), "\(kind): pump-\(number) is missing in \(text)")
        }
    }

    @Test(arguments: AlertChannelKind.allCases)
    func theTestMessageSaysSo(_ kind: AlertChannelKind) async throws {
        let receiver = try await Receivers.make(kind)
        let result = await AlertTest.run(try receiver.channel(kind), clock: SystemClock())
        #expect(result.isDelivered, "\(result.text)")
        #expect(
            WireForm.decoded(kind, receiver.arrived.map(\.text).joined()).contains(
                "this is a test of the alert channel"))
        #expect(receiver.arrived.count == (kind.isForPeople ? 1 : 2))
        guard Self.networked.contains(kind) else { return }
        let broken = await AlertTest.run(
            try await Receivers.make(kind, [.refusing]).channel(kind), clock: SystemClock())
        #expect(!broken.isDelivered && broken.status == (kind == .email ? 550 : 400))
    }
}
