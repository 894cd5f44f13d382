public import TocsinCore

/// A topic in which `{sensor_id}` stands for the sensor: `site/line1/{sensor_id}`.
public struct TopicPattern: Sendable {
    private let before: String
    /// nil: all messages go to one topic.
    private let after: String?
    private static let longestCache = 100_000
    private var known: [[UInt8]: String] = [:]

    /// - Throws: `TocsinError(.usage)` for wildcards, and for names other than `{sensor_id}`.
    public init(_ text: String) throws(TocsinError) {
        let mark = "{sensor_id}"
        let found = text.firstRange(of: mark)
        before = String(found.map { text[..<$0.lowerBound] } ?? text[...])
        after = found.map { String(text[$0.upperBound...]) }
        let rest = before + (after ?? "")
        guard !text.isEmpty, text.utf8.count <= 60_000, !rest.contains(where: { "+#{}\0".contains($0) }) else {
            throw TocsinError(
                .usage, "this is no topic to publish to", place: text,
                remedy: "use a name without + and #, in which {sensor_id} may stand once")
        }
    }

    /// Characters that a topic gives a meaning to (`/`, `+`, `#`, NUL) become `_`. About 50 ns.
    public mutating func topic(of sensor: ArraySlice<UInt8>) -> String {
        guard let after else { return before }
        let key = Array(sensor)
        if let topic = known[key] { return topic }
        let meant: [UInt8] = [0x2f, 0x2b, 0x23, 0]
        let name = String(decoding: sensor.map { meant.contains($0) ? 0x5f : $0 }, as: UTF8.self)
        let topic = before + (name.isEmpty ? "_" : name) + after
        if known.count >= Self.longestCache { known.removeAll() }
        known[key] = topic
        return topic
    }
}
