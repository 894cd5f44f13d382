internal import HTTPTypes
internal import Hummingbird

extension IngestKeys {
    /// `Authorization: Bearer` (RFC 6750), `Token` as InfluxDB's clients send, the password of `Basic` (RFC 7617) as those
    /// of its version 1 do, or `X-API-Key`.
    static func secret(of request: Request) -> String? {
        if let name = HTTPField.Name("X-API-Key"), let key = request.headers[name] { return key }
        guard let value = request.headers[.authorization] else { return nil }
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer", "token": return String(words[1])
        case "basic":
            guard let bytes = decoded(base64: words[1].utf8), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                return nil
            }
            return String(decoding: bytes[(colon + 1)...], as: UTF8.self)
        default: return nil
        }
    }

    /// RFC 4648; nil for any other character.
    private static func decoded(base64 text: Substring.UTF8View) -> [UInt8]? {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var bits = 0
        for character in text where character != UInt8(ascii: "=") {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            default: return nil
            }
            word = word << 6 | UInt32(digit)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
        }
        return bytes
    }
}
