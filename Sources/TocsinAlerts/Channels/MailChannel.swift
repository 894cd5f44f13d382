internal import TocsinCore

/// E-mail through one's own mail server: text and HTML, one thread for each incident.
public struct MailChannel: AlertChannel {
    public let name: String
    public let traits = AlertChannelTraits(takesDigests: true)
    private let from: MailAddress
    private let recipients: [MailAddress]
    private let wording: AlertWording
    private let client: SMTPClient
    private let done = DoneRecipients()
    private static let subjectLimit = 200

    public init(
        name: String, settings: SMTPSettings, from: MailAddress, recipients: [MailAddress],
        wording: AlertWording = AlertWording(), targets: TargetGuard, resolver: HostResolver = .system
    ) {
        self.name = name
        self.from = from
        self.recipients = recipients
        self.wording = wording
        client = SMTPClient(settings: settings, targets: targets, resolver: resolver)
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        let waiting = done.waiting(of: recipients.map(\.address), for: message.key)
        let outcome = try await client.deliver(mail(message), to: waiting)
        for recipient in outcome.accepted { done.note(recipient, for: message.key) }
        // Someone who does not exist is no reason to write to the others again.
        for (recipient, _) in outcome.refused { done.note(recipient, for: message.key) }
        if let (recipient, reply) = outcome.later.first {
            throw AlertFailure(
                TocsinError(
                    .network, "the mail server does not take mail for \(recipient) now: \(reply)", place: name,
                    isRetriable: true),
                status: Int(reply.prefix(3)))
        }
        done.forget(message.key)
        let refused = outcome.refused.map { "\($0.recipient) refused: \($0.reply)" }
        return AlertAnswer(
            status: Int(outcome.reply.prefix(3)), text: ([outcome.reply] + refused).joined(separator: "; "))
    }

    private func mail(_ message: AlertMessage) -> MailMessage {
        let domain = from.domain
        let root = "\(message.incident).incident@\(domain)"
        // A thread begins with the raising; whatever comes later answers it, also where the raising was not told here. An
        // escalation to the same mailbox is another message: servers drop what they have seen.
        let isFirst = message.change.map { $0.step == .raised && message.key == AlertMessage.key($0) } ?? true
        let subject =
            wording.title != nil
            ? wording.title(message)
            : message.change.map { (message.isTest ? "TEST: " : "") + "Tocsin: \(AlertMessage.subject($0.alarm))" }
                ?? "Tocsin: \(message.title)"
        return MailMessage(
            from: from, to: recipients, subject: subject.cut(to: Self.subjectLimit), text: plain(message),
            html: html(message), date: message.time,
            identifier: isFirst ? root : "\(message.key)@\(domain)", thread: isFirst ? nil : root,
            isUrgent: message.severity == .critical && message.change?.step != .cleared)
    }

    private func plain(_ message: AlertMessage) -> String {
        let text = wording.text(message)
        let facts = message.facts.map { "\($0.label): \($0.text)" }
        let link = message.link.map { ["", "Chart and alarm: \($0)"] } ?? []
        return ([message.title, "", text, ""] + facts + link + [""]).joined(separator: "\n")
    }

    private func html(_ message: AlertMessage) -> String {
        let colour =
            switch (message.change?.step, message.severity) {
            case (.cleared, _): "#2ea043"
            case (_, .critical): "#d1242f"
            case (_, .warning): "#bf8700"
            default: "#0969da"
            }
        let escape = Escaping.html
        let text = wording.text(message, escape: escape).replacing("\n", with: "<br>\n")
        var lines = [
            "<!doctype html><html><body style=\"font-family:sans-serif;font-size:15px\">",
            "<p style=\"font-size:18px;font-weight:bold;color:\(colour)\">\(escape(message.title))</p>",
            "<p>\(text)</p>",
        ]
        if !message.facts.isEmpty {
            lines.append("<table cellpadding=\"4\">")
            for fact in message.facts {
                lines.append(
                    "<tr><td style=\"color:#656d76;vertical-align:top\">\(escape(fact.label))</td>"
                        + "<td>\(escape(fact.text))</td></tr>")
            }
            lines.append("</table>")
        }
        if let link = message.link { lines.append("<p><a href=\"\(escape(link))\">Chart and alarm</a></p>") }
        return (lines + ["</body></html>", ""]).joined(separator: "\n")
    }
}
