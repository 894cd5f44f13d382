extension LoadedConfiguration {
    /// The effective configuration as YAML, each value with its origin as a comment and secrets as `****`.
    ///
    /// Read back as a file, it gives the same configuration (but for the secrets).
    public var effective: String {
        var listing = Listing()
        for setting in settings { listing.add(setting) }
        return listing.text
    }
}

/// Nests dotted settings as YAML.
private struct Listing {
    private(set) var text = ""
    private var open: [String] = []
    /// Set when the next line is the first of a list's element.
    private var beginsElement = false

    private static let commentColumn = 48

    mutating func add(_ setting: Setting) {
        let path = setting.name.split(separator: ".").map(String.init)
        guard let leaf = path.last else { return }
        enter(Array(path.dropLast()))
        let depth = path.count - 1
        let origin = setting.origins.first ?? .default
        switch setting.value {
        case .scalar(let value):
            line(depth, "\(leaf): \(Self.quoted(value))", origin)
        case .list(let items):
            line(depth, "\(leaf): [\(items.map(Self.quoted).joined(separator: ", "))]", origin)
        case .map(let entries) where entries.isEmpty:
            line(depth, "\(leaf): {}", origin)
        case .map(let entries):
            line(depth, "\(leaf):", nil)
            for (entry, origin) in zip(entries, setting.origins) {
                line(depth + 1, "\(Self.quoted(entry.name)): \(Self.quoted(entry.text))", origin)
            }
        }
    }

    private mutating func enter(_ groups: [String]) {
        let shared = zip(open, groups).prefix { $0 == $1 }.count
        for (depth, group) in groups.enumerated().dropFirst(shared) {
            if KeyRegistry.isIndex(group) {
                beginsElement = true
            } else {
                if depth == 0, !text.isEmpty { text += "\n" }
                line(depth, "\(group):", nil)
            }
        }
        open = groups
    }

    private mutating func line(_ depth: Int, _ content: String, _ origin: Origin?) {
        var line =
            beginsElement
            ? String(repeating: "  ", count: max(0, depth - 1)) + "- " : String(repeating: "  ", count: depth)
        beginsElement = false
        line += content
        if let origin {
            line += String(repeating: " ", count: max(2, Self.commentColumn - line.count))
            // A path with a line end must not leave the comment.
            line += "# \(origin)".map { $0.isNewline ? " " : String($0) }.joined()
        }
        text += line + "\n"
    }

    /// Plain where YAML reads it back as the same text, double-quoted elsewhere.
    private static func quoted(_ raw: String) -> String {
        let value = CredentialMask.maskingPasswords(in: raw)
        let isPlain =
            value.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "._/+-".utf8.contains(byte)
            } && !["", "-", "---", "...", "null", "Null", "NULL"].contains(value)
        if isPlain { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case let control where control.value < 0x20 || (0x7f...0x9f).contains(control.value):
                let digits = String(control.value, radix: 16)
                quoted += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
