internal import TocsinCore

/// A Slack incoming webhook: blocks with what, where, since, why and the link.
public struct SlackChannel: AlertChannel {
    public let name: String
    public let traits = AlertChannelTraits(takesDigests: true)
    private let url: WebAddress
    private let wording: AlertWording
    private let sender: ChannelHTTP
    /// Slack's limits: header 150 characters, text of a section 3000.
    private static let headerLimit = 150
    private static let textLimit = 2900

    public init(name: String, url: WebAddress, wording: AlertWording = AlertWording(), sender: ChannelHTTP) {
        self.name = name
        self.url = url
        self.wording = wording
        self.sender = sender
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        try await sender.post(json: body(message), to: url, key: message.key)
    }

    private func body(_ message: AlertMessage) -> JSONWriter {
        let title = wording.title(message)
        let text =
            message.change == nil && wording.text == nil
            ? message.list(bytes: Self.textLimit, escape: Escaping.slack)
            : wording.text(message, escape: Escaping.slack, link: { "<\(Self.address($0))>" }).cut(to: Self.textLimit)
        var json = JSONWriter()
        json.object { json in
            // What telephones show, and readers without blocks.
            json.field("text", Escaping.slack("\(title.cut(to: 300)): \(message.lead.cut(to: 300))"))
            json.key("blocks")
            json.array { blocks in
                blocks.object {
                    $0.field("type", "header")
                    $0.key("text")
                    Self.write("plain_text", title.cut(to: Self.headerLimit), to: &$0)
                }
                blocks.object {
                    $0.field("type", "section")
                    $0.key("text")
                    Self.write("mrkdwn", text.unlessBlank ?? "-", to: &$0)
                }
                let facts = message.facts
                if !facts.isEmpty {
                    blocks.object { section in
                        section.field("type", "section")
                        section.key("fields")
                        section.array { list in
                            for fact in facts.prefix(10) {
                                Self.write(
                                    "mrkdwn", "*\(fact.label)*\n\(Escaping.slack(fact.text).cut(to: 1900))", to: &list)
                            }
                        }
                    }
                }
                if let link = message.link {
                    blocks.object { section in
                        section.field("type", "context")
                        section.key("elements")
                        section.array { Self.write("mrkdwn", "<\(Self.address(link))|Chart and alarm>", to: &$0) }
                    }
                }
            }
        }
        return json
    }

    private static func write(_ type: String, _ text: String, to json: inout JSONWriter) {
        json.object {
            $0.field("type", type)
            $0.field("text", text)
            // Neither emoji nor links and mentions out of what a sensor is called.
            $0.field(type == "plain_text" ? "emoji" : "verbatim", type != "plain_text")
        }
    }

    /// Inside `<…|…>`.
    private static func address(_ link: String) -> String {
        link.replacing("&", with: "&amp;").replacing("<", with: "%3C").replacing(">", with: "%3E")
            .replacing("|", with: "%7C")
    }
}
