internal import Logging
internal import TocsinConfiguration
internal import TocsinCore

/// How a log line looks.
public enum LogFormat: Sendable {
    /// One JSON object a line: `time` (RFC 3339, UTC), `level`, `label`, `message`, then the metadata, flattened.
    case json
    /// `12:31:05.250 warning tocsin.store: disk is full path=/data`, coloured where `colored` is true.
    case plain(colored: Bool)
}

/// A log event with everything that goes into its line.
struct LogLine {
    var time: Timestamp
    var level: Logger.Level
    var label: String
    var message: String
    /// Flattened to dotted names, sorted, secrets masked.
    var fields: [(name: String, text: String)]

    /// The line with its line end, as UTF-8. With its `write` a line costs about 3.5 µs.
    func bytes(_ format: LogFormat) -> [UInt8] {
        switch format {
        case .json: json
        case .plain(let colored): Array(plain(colored: colored).utf8)
        }
    }

    private var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { line in
            line.field("time", time)
            line.field("level", level.rawValue)
            line.field("label", label)
            line.field("message", message)
            // Metadata must not take the place of the fields above: JSON readers keep the last of two.
            for (name, text) in fields { line.field(Self.reserved.contains(name) ? "_\(name)" : name, text) }
        }
        writer.newline()
        return writer.bytes
    }

    private func plain(colored: Bool) -> String {
        let clock = time.iso8601.dropFirst(11).dropLast()
        // Whole seconds print without a fraction; the columns stay aligned with one.
        let shownTime = clock.contains(".") ? clock.prefix(12) : clock + ".000"
        let (start, end) = colored ? (Self.color(level), "\u{1b}[0m") : ("", "")
        let (dim, dimEnd) = colored ? ("\u{1b}[2m", "\u{1b}[0m") : ("", "")
        let padding = String(repeating: " ", count: max(0, 8 - level.rawValue.count))
        var text = "\(dim)\(shownTime)\(dimEnd) \(start)\(level.rawValue)\(end)\(padding) "
        text += "\(dim)\(label):\(dimEnd) \(Self.printable(message))"
        for field in fields { text += " \(dim)\(Self.printable(field.name))=\(dimEnd)\(Self.quoted(field.text))" }
        return text + "\n"
    }

    private static let reserved: Set<String> = ["time", "level", "label", "message"]

    private static func color(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1b}[2m"
        case .info: "\u{1b}[32m"
        case .notice: "\u{1b}[36m"
        case .warning: "\u{1b}[33m"
        case .error: "\u{1b}[31m"
        case .critical: "\u{1b}[1;31m"
        }
    }

    /// Control characters from outside data must not move the cursor or forge a second line.
    private static func printable(_ text: String) -> String {
        // 0xc2 begins U+0080 to U+00BF, which hold the second set of control characters.
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0xc2 }) else { return text }
        return text.unicodeScalars.map { scalar in
            switch scalar {
            case "\n": "\\n"
            case "\t": "\\t"
            case _ where isControl(scalar): "\\u{\(String(scalar.value, radix: 16))}"
            default: String(scalar)
            }
        }.joined()
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && !text.utf8.contains { #" "="#.utf8.contains($0) }
        return isPlain ? printable(text) : "\"\(printable(text).replacing("\"", with: "\\\""))\""
    }
}

extension LogLine {
    /// Flattens metadata: `{"request": {"id": "7"}, "tags": ["a", "b"]}` becomes `request.id`, `tags.0`, `tags.1`.
    static func flatten(_ metadata: Logger.Metadata) -> [(name: String, text: String)] {
        var fields: [(name: String, text: String)] = []
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
            append(value, named: name, isSecret: CredentialMask.isSecretName(name), to: &fields)
        }
        return fields
    }

    private static func append(
        _ value: Logger.MetadataValue, named name: String, isSecret: Bool,
        to fields: inout [(name: String, text: String)]
    ) {
        switch value {
        case .dictionary(let entries):
            for (key, inner) in entries.sorted(by: { $0.key < $1.key }) {
                append(
                    inner, named: "\(name).\(key)", isSecret: isSecret || CredentialMask.isSecretName(key), to: &fields)
            }
        case .array(let items):
            for (index, inner) in items.enumerated() {
                append(inner, named: "\(name).\(index)", isSecret: isSecret, to: &fields)
            }
        case .string, .stringConvertible:
            fields.append((name, isSecret ? Secret.mask : CredentialMask.maskingPasswords(in: "\(value)")))
        }
    }
}
