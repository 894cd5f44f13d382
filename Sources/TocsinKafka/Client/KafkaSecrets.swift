/// The values of properties that must never be shown, and the knowledge which those are.
struct KafkaSecrets: Sendable {
    private var values: [String] = []

    init(_ properties: [String: String] = [:]) {
        values = properties.filter { Self.isSecret($0.key) && !$0.value.isEmpty }.map(\.value)
            .sorted { $0.utf8.count > $1.utf8.count }
    }

    /// By its name: passwords, keys, tokens, secrets, and the login settings that hold them.
    static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        if name.hasSuffix(".url") || name.hasSuffix(".location") || name.hasSuffix(".ms") { return false }
        return ["password", "secret", "token", "credential", "key.pem", "oauthbearer.config", "jaas", "assertion"]
            .contains { name.contains($0) }
    }

    /// The text with every secret replaced.
    func masked(_ text: String) -> String {
        var text = text
        for value in values { text = Self.replace(value, in: text) }
        return text
    }

    private static func replace(_ value: String, in text: String) -> String {
        let (wanted, bytes) = (Array(value.utf8), Array(text.utf8))
        guard bytes.count >= wanted.count else { return text }
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if place + wanted.count <= bytes.count, bytes[place..<place + wanted.count].elementsEqual(wanted) {
                result += Array("***".utf8)
                place += wanted.count
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
