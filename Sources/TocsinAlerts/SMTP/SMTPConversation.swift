internal import TocsinCore

/// What is said to a mail server, reply by reply (RFC 5321, STARTTLS RFC 3207, AUTH RFC 4954): a state machine without
/// any input or output.
struct SMTPConversation: Sendable {
    enum Action: Sendable, Equatable {
        case send([UInt8])
        case startTLS
        /// Delivered to `accepted`; the others are in `later` and `refused`.
        case done
        case fail(message: String, code: Int?, isRetriable: Bool)
    }
    private enum State: Equatable {
        case greeting, hello, startTLS, login, loginUser, loginPassword, mail, recipient(Int), data, content, ended
    }

    private let mail: MailMessage
    private let recipients: [String]
    private let helloName: String
    private let credentials: (user: String, password: String)?
    private var needsTLS: Bool
    private var state = State.greeting

    private(set) var accepted: [String] = []
    /// Refused for now, and for ever, with the server's words.
    private(set) var later: [(recipient: String, reply: String)] = []
    private(set) var refused: [(recipient: String, reply: String)] = []
    private(set) var lastReply = ""

    /// - Parameter needsTLS: STARTTLS must be offered and succeed before anything else is said.
    init(
        mail: MailMessage, recipients: [String], helloName: String, credentials: (user: String, password: String)?,
        needsTLS: Bool
    ) {
        self.mail = mail
        self.recipients = recipients
        self.helloName = helloName
        self.credentials = credentials
        self.needsTLS = needsTLS
    }

    /// The connection is encrypted now: everything the server said before is forgotten (RFC 3207, 4.2).
    mutating func securedByTLS() -> Action {
        needsTLS = false
        state = .hello
        return command("EHLO \(helloName)")
    }

    mutating func receive(_ reply: SMTPReply) -> Action {
        lastReply = reply.text
        switch state {
        case .greeting:
            guard reply.code == 220 else { return failed("does not take mail", reply) }
            state = .hello
            return command("EHLO \(helloName)")
        case .hello: return afterHello(reply)
        case .startTLS:
            guard reply.code == 220 else { return failed("refuses STARTTLS", reply) }
            return .startTLS
        case .login, .loginUser, .loginPassword: return afterLogin(reply)
        case .mail:
            guard reply.isPositive else { return failed("refuses the sender \(mail.from)", reply) }
            return nextRecipient(0)
        case .recipient(let index): return afterRecipient(index, reply)
        case .data:
            guard reply.code == 354 else { return failed("takes no content", reply) }
            state = .content
            return .send(mail.stuffed)
        case .content:
            guard reply.isPositive else { return failed("refuses the message", reply) }
            state = .ended
            return .done
        case .ended: return .done
        }
    }

    private mutating func afterHello(_ reply: SMTPReply) -> Action {
        guard reply.code == 250 else { return failed("refuses EHLO", reply) }
        let offers = reply.lines.dropFirst().map { $0.uppercased() }
        if needsTLS {
            guard offers.contains("STARTTLS") else {
                return .fail(
                    message: "the mail server offers no STARTTLS: nothing is sent unencrypted", code: nil,
                    isRetriable: false)
            }
            state = .startTLS
            return command("STARTTLS")
        }
        guard let credentials else { return startMail() }
        let ways = offers.first { $0.hasPrefix("AUTH") }?.split { $0 == " " || $0 == "=" }.dropFirst() ?? []
        if ways.contains("PLAIN") {
            state = .login
            let token = [0] + Array(credentials.user.utf8) + [0] + Array(credentials.password.utf8)
            return command("AUTH PLAIN \(Base64.text(token))")
        }
        if ways.contains("LOGIN") {
            state = .loginUser
            return command("AUTH LOGIN")
        }
        return .fail(
            message: "the mail server offers neither AUTH PLAIN nor AUTH LOGIN", code: nil, isRetriable: false)
    }

    private mutating func afterLogin(_ reply: SMTPReply) -> Action {
        guard let credentials else { return startMail() }
        switch (state, reply.code) {
        case (_, 235): return startMail()
        case (.loginUser, 334):
            state = .loginPassword
            return command(Base64.text(Array(credentials.user.utf8)))
        case (.loginPassword, 334):
            state = .login
            return command(Base64.text(Array(credentials.password.utf8)))
        default: return failed("refuses the login", reply)
        }
    }

    private mutating func startMail() -> Action {
        state = .mail
        return command("MAIL FROM:<\(mail.from)>")
    }

    private mutating func afterRecipient(_ index: Int, _ reply: SMTPReply) -> Action {
        if recipients.indices.contains(index) {
            if reply.isPositive {
                accepted.append(recipients[index])
            } else if reply.isTransient {
                later.append((recipients[index], reply.text))
            } else {
                refused.append((recipients[index], reply.text))
            }
        }
        return nextRecipient(index + 1)
    }

    private mutating func nextRecipient(_ index: Int) -> Action {
        if recipients.indices.contains(index) {
            state = .recipient(index)
            return command("RCPT TO:<\(recipients[index])>")
        }
        guard !accepted.isEmpty else {
            let reply = (later.first ?? refused.first)?.reply ?? "no recipients"
            state = .ended
            return .fail(
                message: "the mail server takes none of the recipients: \(reply)", code: Int(reply.prefix(3)),
                isRetriable: !later.isEmpty)
        }
        state = .data
        return command("DATA")
    }

    private func command(_ text: String) -> Action { .send(Array(text.utf8) + [13, 10]) }

    private mutating func failed(_ what: String, _ reply: SMTPReply) -> Action {
        state = .ended
        return .fail(
            message: "the mail server \(what): \(reply.text)", code: reply.code,
            isRetriable: reply.isTransient || reply.code == 421)
    }
}
