/// A text that must never be printed: `description`, interpolation, `dump` and logs show `****`.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for the one place that sends it.
    public let value: String

    public init(_ text: String) { value = text }

    public static let mask = "****"

    public var description: String { Self.mask }
    public var debugDescription: String { Self.mask }
    public var customMirror: Mirror { Mirror(reflecting: Self.mask) }
}

/// An http or https address whose user info, path and query may be credentials (as those of chat webhooks are):
/// prints only scheme, host and port.
public struct SecretURL: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The whole address, for the one place that calls it.
    public let value: String
    /// `https://hooks.example.com/****`
    public let description: String

    /// nil unless the text is an absolute http or https address with a host and without spaces.
    public init?(_ text: String) {
        guard let parts = URLParts(text), ["http", "https"].contains(parts.scheme.lowercased()), !parts.host.isEmpty,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
        else { return nil }
        value = text
        let userInfo = parts.userInfo == nil ? "" : Secret.mask + "@"
        let isBare = parts.rest.isEmpty || parts.rest == "/"
        description = "\(parts.scheme)://\(userInfo)\(parts.host)\(isBare ? parts.rest : "/" + Secret.mask)"
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(reflecting: description) }
}

/// Takes credentials out of text that is about to be shown.
public enum CredentialMask {
    /// `postgres://user:secret@db/x` becomes `postgres://user:****@db/x`; other text comes back unchanged.
    ///
    /// Every address in the text is treated, so that it serves for whole messages too. Linear in the text's length.
    public static func maskingPasswords(in text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "@")) else { return text }
        return text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            guard let parts = URLParts(String(word)), let userInfo = parts.userInfo,
                let colon = userInfo.firstIndex(of: ":")
            else { return String(word) }
            return "\(parts.scheme)://\(userInfo[..<colon]):\(Secret.mask)@\(parts.host)\(parts.rest)"
        }.joined(separator: " ")
    }

    /// True for names that by custom hold credentials: `db_password`, `Authorization`, `apiKey`, `access-token`.
    /// Case, `_`, `-` and `.` do not matter.
    public static func isSecretName(_ name: String) -> Bool {
        var plain: [UInt8] = []
        plain.reserveCapacity(name.utf8.count)
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): plain.append(byte | 0x20)
            default: plain.append(byte)
            }
        }
        return words.contains { word in
            plain.count >= word.count
                && (0...plain.count - word.count).contains { start in
                    plain[start] == word[0] && plain[start..<start + word.count].elementsEqual(word)
                }
        }
    }

    private static let words = [
        "password", "passwd", "passphrase", "secret", "token", "authorization", "apikey", "credential", "cookie",
        "privatekey",
    ].map { Array($0.utf8) }
}

/// `scheme://userInfo@host:port` and the rest (RFC 3986, section 3), as far as masking needs it.
private struct URLParts {
    var scheme: Substring
    var userInfo: Substring?
    var host: Substring
    var rest: Substring

    init?(_ text: String) {
        guard let separator = text.firstRange(of: "://") else { return nil }
        scheme = text[..<separator.lowerBound]
        let after = text[separator.upperBound...]
        let end = after.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? after.endIndex
        let authority = after[..<end]
        rest = after[end...]
        if let at = authority.lastIndex(of: "@") {
            userInfo = authority[..<at]
            host = authority[authority.index(after: at)...]
        } else {
            host = authority
        }
    }
}
