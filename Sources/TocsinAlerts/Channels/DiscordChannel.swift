internal import TocsinCore

/// A Discord webhook: one embed, coloured by severity; nobody is mentioned.
public struct DiscordChannel: AlertChannel {
    public let name: String
    public let traits = AlertChannelTraits(takesDigests: true)
    private let url: WebAddress
    private let wording: AlertWording
    private let sender: ChannelHTTP
    /// Discord's limits: title 256 characters, description 4096, all of an embed 6000.
    private static let textLimit = 3500

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
        let text =
            message.change == nil && wording.text == nil
            ? message.list(bytes: Self.textLimit, escape: Escaping.discord)
            : wording.text(message, escape: Escaping.discord, link: { $0 }).cut(to: Self.textLimit)
        let colour =
            switch (message.change?.step, message.severity) {
            case (.cleared, _): 0x2e_a0_43
            case (_, .critical): 0xd1_24_2f
            case (_, .warning): 0xe3_b3_41
            default: 0x38_8b_fd
            }
        var json = JSONWriter()
        json.object { json in
            json.field("username", "Tocsin")
            json.key("allowed_mentions")
            json.object {
                $0.key("parse"); $0.array { _ in }
            }
            json.key("embeds")
            json.array { list in
                list.object { embed in
                    embed.field("title", wording.title(message, escape: Escaping.discord).cut(to: 250))
                    embed.field("description", text)
                    embed.field("color", colour)
                    embed.field("timestamp", message.change?.alarm.lastSeen ?? message.time)
                    if let link = message.link { embed.field("url", link) }
                    embed.key("fields")
                    embed.array { fields in
                        for fact in message.facts {
                            fields.object {
                                $0.field("name", fact.label)
                                $0.field("value", Escaping.discord(fact.text).cut(to: 240))
                                $0.field("inline", fact.text.utf8.count < 40)
                            }
                        }
                    }
                }
            }
        }
        return json
    }
}
