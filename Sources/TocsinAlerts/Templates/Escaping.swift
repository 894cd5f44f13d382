/// How outside text is kept from being read as mark-up, channel by channel.
enum Escaping {
    /// Slack mrkdwn: three characters by entity; marks that could format are kept apart by a zero-width space.
    static func slack(_ text: String) -> String {
        replacing(text) { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "*", "_", "~", "`": "\(character)\u{200B}"
            default: nil
            }
        }
    }

    /// HTML text and attribute values.
    static func html(_ text: String) -> String {
        replacing(text) { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case "'": "&#39;"
            default: nil
            }
        }
    }

    /// Discord's Markdown: a backslash before every mark. Mentions are switched off in the message itself.
    static func discord(_ text: String) -> String {
        replacing(text) { "\\*_~`|>[]()#-".contains($0) ? "\\\($0)" : nil }
    }

    /// `application/x-www-form-urlencoded`.
    static func form(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): result += "+"
            default: result += "%" + hex(byte).uppercased()
            }
        }
        return result
    }

    static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    private static func replacing(_ text: String, _ replacement: (Character) -> String?) -> String {
        var result = ""
        for character in text { result += replacement(character) ?? String(character) }
        return result
    }
}
