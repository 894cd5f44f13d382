public import TocsinCore

/// A topic filter whose levels may have names: `site/+/line/{line}/sensor/{sensor_id}`.
///
/// `{sensor_id}`, `{sensor}` and `{device_id}` give the sensor, `{metric}` the metric, `{unit}` the unit; of `{zone}`,
/// `{line}` and `{location}` the first given is the zone. Any other name, and the further ones of these, become fields.
/// `+`, a trailing `#` and a leading `$share/group/` mean what they mean to the broker. Without any named level the last
/// level of a topic is its sensor. What a payload says itself goes before the topic.
public struct TopicTemplate: Sendable, Equatable {
    enum Level: Sendable, Equatable {
        case literal([UInt8])
        case any
        case field(String)
    }

    public let text: String
    /// What the broker is asked for, with its `$share/group/`.
    public let filter: String
    /// The group of a shared subscription.
    public let group: String?
    let levels: [Level]
    let takesRest: Bool
    let names: [String]

    private static let sensorNames = ["sensor_id", "sensor", "device_id"]
    private static let zoneNames = ["zone", "line", "location"]

    public init(_ text: String) throws(TocsinError) {
        func fail(_ message: String, _ remedy: String) -> TocsinError {
            TocsinError(.configuration, message, place: text, remedy: remedy)
        }
        self.text = text
        var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var prefix: [String] = []
        if parts.first == "$share" {
            guard parts.count >= 3, !parts[1].isEmpty, !parts[1].contains("+"), !parts[1].contains("#"),
                !parts[2].isEmpty
            else { throw fail("a shared subscription without a group or a filter", "write $share/group/filter") }
            prefix = Array(parts.prefix(2))
            parts.removeFirst(2)
        }
        group = prefix.last
        guard !text.isEmpty, text.utf8.count <= 65_535, !text.utf8.contains(0) else {
            throw fail("an empty or overlong topic filter", "use 1 to 65,535 bytes without NUL")
        }
        var levels: [Level] = []
        var names: [String] = []
        var takesRest = false
        for (index, part) in parts.enumerated() {
            if part == "#" {
                guard index == parts.count - 1 else {
                    throw fail("# stands before the end", "# may only be the last level")
                }
                takesRest = true
            } else if part == "+" {
                levels.append(.any)
            } else if part.hasPrefix("{"), part.hasSuffix("}") {
                let name = String(part.dropFirst().dropLast())
                guard !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte) else {
                    throw fail("the level \(part) has no proper name", "use letters, digits and _ in { }")
                }
                guard !names.contains(name) else { throw fail("the name \(name) stands twice", "use each name once") }
                names.append(name)
                levels.append(.field(name))
            } else {
                guard !part.contains(where: { "+#{}".contains($0) }) else {
                    throw fail(
                        "the level \(part) mixes text with + # { }", "a wildcard or a name fills its level alone")
                }
                levels.append(.literal(Array(part.utf8)))
            }
        }
        let plain = parts.map { $0.hasPrefix("{") ? "+" : $0 }
        filter = (prefix + plain).joined(separator: "/")
        self.levels = levels
        self.names = names
        self.takesRest = takesRest
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
    }

    /// What the template says of a topic; nil where it does not match. O(levels).
    public func envelope(of topic: String) -> MessageEnvelope? {
        let parts = topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard takesRest ? parts.count >= levels.count : parts.count == levels.count else { return nil }
        // Wildcards do not reach the broker's own topics (MQTT 5.0, section 4.7.2).
        if topic.utf8.first == UInt8(ascii: "$") {
            guard case .literal? = levels.first else { return nil }
        }
        var envelope = MessageEnvelope(topic: topic)
        for (level, part) in zip(levels, parts) {
            switch level {
            case .literal(let wanted): guard part.elementsEqual(wanted) else { return nil }
            case .any: continue
            case .field(let name): set(name, String(decoding: part, as: UTF8.self), in: &envelope)
            }
        }
        if names.isEmpty, let last = parts.last, !last.isEmpty {
            envelope.sensor = String(decoding: last, as: UTF8.self)
        }
        return envelope
    }

    private func set(_ name: String, _ value: String, in envelope: inout MessageEnvelope) {
        guard !value.isEmpty else { return }
        if Self.sensorNames.contains(name), envelope.sensor == nil {
            envelope.sensor = value
        } else if Self.zoneNames.contains(name), envelope.zone == nil {
            envelope.zone = value
        } else if name == "metric" {
            envelope.metric = value
        } else if name == "unit" {
            envelope.unit = value
        } else {
            envelope.fields[name] = value
        }
    }
}

extension [TopicTemplate] {
    /// What the first matching template says. A topic that none matches (of an older subscription that a persistent
    /// session still has) gives its last level as the sensor.
    public func envelope(of topic: String) -> MessageEnvelope {
        for template in self {
            if let envelope = template.envelope(of: topic) { return envelope }
        }
        let last = topic.utf8.split(separator: UInt8(ascii: "/")).last.map { String(decoding: $0, as: UTF8.self) }
        return MessageEnvelope(topic: topic, sensor: last)
    }
}
