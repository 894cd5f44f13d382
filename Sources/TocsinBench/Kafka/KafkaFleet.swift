internal import TocsinCore

/// Messages of many sensors, one a second each, in the plain form; the same each time but for the start.
struct KafkaFleet {
    static let metrics = ["temperature", "humidity", "pressure", "vibration"]
    private static let levels = [21.5, 45.0, 1013.0, 0.8]
    private static let noise = [0.4, 1.5, 0.7, 0.05]

    let sensors: Int
    let perMessage: Int
    let start: Timestamp
    private var left: Int
    private var next = 0
    private var state: UInt64 = 1

    /// The newest event is of now: nothing is late, and nothing in the future.
    init(messages: Int, sensors: Int, perMessage: Int, now: Timestamp) {
        self.sensors = sensors
        self.perMessage = perMessage
        left = messages
        start = now.advanced(by: .seconds(-Int64((messages + sensors - 1) / sensors)))
    }

    typealias Chunk = (bytes: [UInt8], keys: [ByteRange], values: [ByteRange])

    mutating func chunk(_ count: Int) -> Chunk? {
        guard left > 0 else { return nil }
        var json = JSONWriter()
        var keys: [ByteRange] = []
        var values: [ByteRange] = []
        for _ in 0..<min(count, left) {
            let first = json.bytes.count
            let second = start.advanced(by: .seconds(Int64(next / sensors)))
            let name = Self.name(next % sensors)
            json.object { object in
                object.field("sensor_id", name)
                object.field("timestamp", second)
                for metric in 0..<perMessage { object.field(Self.metrics[metric], value(metric)) }
            }
            keys.append(ByteRange(offset: first + Self.beforeName, length: name.utf8.count))
            values.append(ByteRange(offset: first, length: json.bytes.count - first))
            // Not sent: it keeps the next one from being written as a further value of the same text.
            json.newline()
            next += 1
        }
        left -= values.count
        return (json.bytes, keys, values)
    }

    /// Of `{"sensor_id":"`.
    private static let beforeName = 14

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        return "sensor_" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// Around its level, by two equal chances added up; two digits after the point.
    private mutating func value(_ metric: Int) -> Double {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        word ^= word >> 31
        let sum = Double(word & 0xffff_ffff) / 4_294_967_296 + Double(word >> 32) / 4_294_967_296 - 1
        return ((Self.levels[metric] + 2 * Self.noise[metric] * sum) * 1000).rounded() / 1000
    }
}
