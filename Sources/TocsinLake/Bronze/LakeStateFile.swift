internal import TocsinCore

/// A small file of named values that is wholly there or not at all, and whose damage is noticed.
struct LakeStateFile: Equatable {
    private(set) var values: [(key: String, value: String)] = []

    init() {}

    mutating func set(_ key: String, _ value: some CustomStringConvertible) { values.append((key, "\(value)")) }

    func text(_ key: String) -> String? { values.first { $0.key == key }?.value }
    func number<Number: FixedWidthInteger>(_ key: String) -> Number? { text(key).flatMap { Number($0) } }
    func hexadecimal(_ key: String) -> UInt64? { text(key).flatMap { UInt64($0, radix: 16) } }

    /// Lines of key and value, the last one a checksum of those before.
    var bytes: [UInt8] {
        var text = values.map { "\($0.key) \($0.value)\n" }.joined()
        text += "check \(Self.sum(text))\n"
        return Array(text.utf8)
    }

    /// nil for bytes that `bytes` did not give.
    init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var body = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            values.append((String(parts[0]), String(parts[1])))
        }
        guard let check = values.popLast(), check.key == "check" else { return nil }
        for (key, value) in values { body += "\(key) \(value)\n" }
        guard check.value == Self.sum(body) else { return nil }
    }

    static func == (left: LakeStateFile, right: LakeStateFile) -> Bool { left.bytes == right.bytes }

    private static func sum(_ text: String) -> String {
        var hash = StableHash()
        hash.combine(text)
        return hash.hex
    }
}
