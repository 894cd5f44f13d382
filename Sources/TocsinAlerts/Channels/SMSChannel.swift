internal import TocsinCore

/// Text messages through a Twilio-compatible API: form-encoded, basic authentication, one request for each number.
public struct SMSChannel: AlertChannel {
    public static func address(account: String) -> String {
        "https://api.twilio.com/2010-04-01/Accounts/\(account)/Messages.json"
    }

    public let name: String
    public let traits = AlertChannelTraits(takesDigests: true)
    private let url: WebAddress
    private let account: String
    private let token: String
    private let from: String
    private let recipients: [String]
    private let wording: AlertWording
    private let sender: ChannelHTTP
    private let done = DoneRecipients()

    /// - Parameters:
    ///   - from: a number (`+49…`), or the id of a messaging service (`MG…`).
    ///   - recipients: numbers in international form.
    public init(
        name: String, url: WebAddress, account: String, token: String, from: String, recipients: [String],
        wording: AlertWording = AlertWording(), sender: ChannelHTTP
    ) {
        self.name = name
        self.url = url
        self.account = account
        self.token = token
        self.from = from
        self.recipients = recipients
        self.wording = wording
        self.sender = sender
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        let text = Self.short(plainText(message))
        let credentials = Base64.text(Array("\(account):\(token)".utf8))
        var answer = AlertAnswer()
        var failures: [AlertFailure] = []
        let waiting = done.waiting(of: recipients, for: message.key)
        for number in waiting {
            let fields = [
                ("To", number), (from.hasPrefix("MG") ? "MessagingServiceSid" : "From", from), ("Body", text),
            ]
            let body = fields.map { "\($0.0)=\(Escaping.form($0.1))" }.joined(separator: "&")
            do throws(AlertFailure) {
                answer = try await sender.post(
                    url, Array(body.utf8),
                    headers: [
                        ("Content-Type", "application/x-www-form-urlencoded"),
                        ("Authorization", "Basic \(credentials)"),
                        ("Idempotency-Key", "\(message.key)-\(number)"),
                    ])
                done.note(number, for: message.key)
            } catch {
                failures.append(error)
                // A number that is wrong for ever is no reason to write to the others again.
                if !error.error.isRetriable { done.note(number, for: message.key) }
            }
        }
        guard let failure = failures.first(where: { $0.error.isRetriable }) ?? failures.first else {
            done.forget(message.key)
            return answer
        }
        if !failure.error.isRetriable {
            done.forget(message.key)
            if failures.count < waiting.count {
                answer.text = "\(failures.count) of \(recipients.count) numbers refused: \(failure.error.message)"
                return answer
            }
        }
        throw failure
    }

    private func plainText(_ message: AlertMessage) -> String {
        if let text = wording.ownText(message) { return text }
        guard message.change != nil else {
            return "\(message.title)\n" + message.list(bytes: 300 - message.title.utf8.count)
        }
        return "\(message.isTest ? "TEST: " : "")\(message.status): \(message.text(of: .sentence))"
    }

    /// At most two parts of a message: 306 characters of GSM 03.38, or 134 of UTF-16 where others are needed.
    static func short(_ text: String) -> String {
        var plain = ""
        for character in text.printableLines {
            switch character {
            case "°": continue
            case "µ", "μ": plain += "u"
            case "–", "—", "−": plain += "-"
            case "…": plain += "..."
            case "„", "“", "”": plain += "\""
            case "’": plain += "'"
            case "²": plain += "2"
            case "³": plain += "3"
            default: plain.append(character)
            }
        }
        guard plain.allSatisfy({ gsm.contains($0) || gsmPairs.contains($0) }) else { return plain.cut(to: 134) }
        let width: (Character) -> Int = { gsmPairs.contains($0) ? 2 : 1 }
        guard plain.reduce(0, { $0 + width($1) }) > 306 else { return plain }
        var result = ""
        var count = 0
        for character in plain {
            guard count + width(character) <= 303 else { break }
            result.append(character)
            count += width(character)
        }
        return result + "..."
    }

    private static let gsm = Set(
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
            + "abcdefghijklmnopqrstuvwxyzäöñüà")
    /// Each takes two places.
    private static let gsmPairs = Set("^{}\\[~]|€")
}
