internal import TocsinCore

/// A Microsoft Teams workflow ("When a Teams webhook request is received"): one Adaptive Card.
///
/// All outside text stands in text runs, which know no Markdown.
public struct TeamsChannel: AlertChannel {
    public let name: String
    public let traits = AlertChannelTraits(takesDigests: true)
    private let url: WebAddress
    private let wording: AlertWording
    private let sender: ChannelHTTP
    /// Teams takes 28 KB, everything around the text included.
    private static let messageLimit = 27_000
    /// The longest text that is tried; every line costs a block of its own.
    private static let textLimit = 16_000

    public init(name: String, url: WebAddress, wording: AlertWording = AlertWording(), sender: ChannelHTTP) {
        self.name = name
        self.url = url
        self.wording = wording
        self.sender = sender
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        let answer = try await sender.post(json: body(message), to: url, key: message.key)
        // The older connectors say so with a status of 200.
        guard answer.text.contains("returned HTTP error 429") else { return answer }
        throw AlertFailure(
            TocsinError(.network, "Teams takes no more messages for now", place: url.origin, isRetriable: true),
            status: 429)
    }

    /// As much of the text as fits.
    private func body(_ message: AlertMessage) -> JSONWriter {
        var limit = Self.textLimit
        while true {
            let json = body(message, text: limit)
            guard json.bytes.count > Self.messageLimit, limit > 500 else { return json }
            limit = limit * 3 / 4
        }
    }

    private func body(_ message: AlertMessage, text limit: Int) -> JSONWriter {
        let text =
            message.change == nil && wording.text == nil
            ? message.list(bytes: limit) : wording.text(message).cut(toBytes: limit)
        let colour =
            switch (message.change?.step, message.severity) {
            case (.cleared, _): "good"
            case (_, .critical): "attention"
            case (_, .warning): "warning"
            default: "accent"
            }
        var json = JSONWriter()
        json.object { json in
            json.field("type", "message")
            json.key("attachments")
            json.array { list in
                list.object { attachment in
                    attachment.field("contentType", "application/vnd.microsoft.card.adaptive")
                    attachment.key("content")
                    attachment.object { card in
                        card.field("$schema", "http://adaptivecards.io/schemas/adaptive-card.json")
                        card.field("type", "AdaptiveCard")
                        card.field("version", "1.4")
                        card.key("msteams")
                        card.object { $0.field("width", "Full") }
                        card.key("body")
                        card.array { body in
                            Self.block([(wording.title(message).cut(to: 250), true, colour)], size: "large", to: &body)
                            for line in text.split(separator: "\n") {
                                Self.block([(String(line), false, nil)], to: &body)
                            }
                            for fact in message.facts {
                                Self.block(
                                    [("\(fact.label): ", true, nil), (fact.text.cut(toBytes: 1000), false, nil)],
                                    to: &body)
                            }
                        }
                        guard let link = message.link else { return }
                        card.key("actions")
                        card.array { actions in
                            actions.object {
                                $0.field("type", "Action.OpenUrl")
                                $0.field("title", "Chart and alarm")
                                $0.field("url", link)
                            }
                        }
                    }
                }
            }
        }
        return json
    }

    private static func block(
        _ runs: [(text: String, isBold: Bool, colour: String?)], size: String = "default", to json: inout JSONWriter
    ) {
        json.object { block in
            block.field("type", "RichTextBlock")
            block.key("inlines")
            block.array { list in
                for run in runs {
                    list.object {
                        $0.field("type", "TextRun")
                        $0.field("text", run.text)
                        $0.field("size", size)
                        if run.isBold { $0.field("weight", "bolder") }
                        if let colour = run.colour { $0.field("color", colour) }
                    }
                }
            }
        }
    }
}
