/// The few packets of MQTT 3.1.1 that a measurement needs: its own, so that neither side is measured with the program's.
enum MQTTPackets {
    static func connect(client: String) -> [UInt8] {
        let body = text("MQTT") + [4, 2, 0, 0] + text(client)
        return [0x10, UInt8(truncatingIfNeeded: body.count)] + body
    }

    static func subscribe(_ filter: String, qos: Int) -> [UInt8] {
        let body = [0, 1] + text(filter) + [UInt8(truncatingIfNeeded: qos)]
        return [0x82, UInt8(truncatingIfNeeded: body.count)] + body
    }

    private static func text(_ text: String) -> [UInt8] {
        [UInt8(truncatingIfNeeded: text.utf8.count >> 8), UInt8(truncatingIfNeeded: text.utf8.count)] + Array(text.utf8)
    }

    /// Calls `body` with first byte and content of each whole packet, and returns where the rest begins.
    @inline(__always)
    static func scan(_ bytes: ArraySlice<UInt8>, _ body: (UInt8, ArraySlice<UInt8>) -> Void) -> Int {
        var start = bytes.startIndex
        while bytes.endIndex - start >= 2 {
            var (length, shift, end) = (0, 0, start + 1)
            var isWhole = false
            while end < bytes.endIndex, shift < 28 {
                length |= Int(bytes[end] & 0x7f) << shift
                shift += 7
                end += 1
                if bytes[end - 1] & 0x80 == 0 {
                    isWhole = true
                    break
                }
            }
            guard isWhole, bytes.endIndex - end >= length else { return start }
            body(bytes[start], bytes[end..<(end + length)])
            start = end + length
        }
        return start
    }
}

/// Messages of equal length, made before anything is measured: each sensor once a second of event time.
struct MQTTStream {
    let bytes: [UInt8]
    let packetBytes: Int
    let payloadBytes: Int
    let count: Int

    /// - Parameter end: event time of the last ones, seconds since 1970.
    init(count: Int, qos: Int, end: Int64) {
        let sensors = MQTTBenchSettings.sensors
        let id = qos > 0 ? [UInt8](repeating: 0, count: 2) : []
        let topic = Array("bench/sensor_000000".utf8)
        let payload = Array(
            #"{"sensor_id":"sensor_000000","timestamp":1760000000000,"metric":"temperature","value":25.00}"#.utf8)
        let body = [0, UInt8(topic.count)] + topic + id + payload
        let head = [UInt8(0x30 | qos << 1), UInt8(body.count)]
        let template = head + body
        // Where the digits of topic, sensor, time and value end.
        let topicEnd = 4 + topic.count
        let payloadStart = template.count - payload.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * template.count)
        var noise = Noise(seed: 7)
        let first = end - Int64(count / sensors)
        for number in 0..<count {
            let start = bytes.count
            bytes.append(contentsOf: template)
            let sensor = Int64(number % sensors)
            Self.write(sensor, digits: 6, endingAt: start + topicEnd, &bytes)
            Self.write(sensor, digits: 6, endingAt: start + payloadStart + 27, &bytes)
            let time = (first + Int64(number / sensors)) * 1000 + sensor % 1000
            Self.write(time, digits: 13, endingAt: start + payloadStart + 54, &bytes)
            let hundredths = Int64(min(max((25 + noise.next()) * 100, 1000), 9999))
            Self.write(hundredths / 100, digits: 2, endingAt: start + template.count - 4, &bytes)
            Self.write(hundredths % 100, digits: 2, endingAt: start + template.count - 1, &bytes)
            guard qos > 0 else { continue }
            let packet = number % 65_535 + 1
            bytes[start + topicEnd] = UInt8(packet >> 8)
            bytes[start + topicEnd + 1] = UInt8(packet & 0xff)
        }
        self.bytes = bytes
        self.count = count
        packetBytes = template.count
        payloadBytes = payload.count
    }

    private static func write(_ number: Int64, digits: Int, endingAt end: Int, _ bytes: inout [UInt8]) {
        var rest = number
        for place in stride(from: end - 1, through: end - digits, by: -1) {
            bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
