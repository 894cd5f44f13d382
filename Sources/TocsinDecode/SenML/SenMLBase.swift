internal import TocsinCore

/// What records take over from those before them, and how they become readings (RFC 8428, sections 4.1 to 4.6).
///
/// The base name is the sensor and the name the metric. Where only one of them is given it is the sensor, and the metric
/// is the topic's or "value"; positions, which SenML tells apart by their units alone, are called "lat" and "lon".
struct SenMLBase {
    private var name = TextRef.none
    private var time = 0.0
    private var unit = TextRef.none
    private var value = 0.0
    private var sum = 0.0

    /// Appends the record's reading, or refuses it alone.
    /// - Parameter part: where the record stands: what is kept of it is not the whole pack.
    mutating func resolve(
        _ record: SenMLRecord, at part: Range<Int>, now: Timestamp, _ bytes: Span<UInt8>,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        if let version = record.baseVersion, !(version <= 10) {
            throw .malformed("has the SenML version \(version), and 10 is the newest known")
        }
        if let unknown = record.unknown {
            let field = unknown.with(bytes, columns.side.span) { Text.excerpt($0) }
            throw .malformed("has the field `\(field)`, which SenML says must be understood, and is not")
        }
        if let baseName = record.baseName { name = baseName }
        if let baseTime = record.baseTime { time = baseTime }
        if let baseUnit = record.baseUnit { unit = baseUnit }
        if let baseValue = record.baseValue { value = baseValue }
        if let baseSum = record.baseSum { sum = baseSum }
        let unit = record.unit ?? unit
        let (sensor, metric) = names(record.name ?? .none, unit, bytes, columns)
        guard let number = number(record) else {
            guard record.hasText else { return }
            let shown = (metric.isEmpty ? sensor : metric).with(bytes, columns.side.span) { Text.excerpt($0) }
            let fault = "gives `\(shown)` a string or data value (vs, vd), which is no number"
            return columns.refuse(DecodeFault(.notANumber, fault), part)
        }
        let seconds = time + (record.time ?? 0)
        guard let moment = Self.moment(seconds, now: now) else {
            throw DecodeFault(.badTime, "has a time that lies outside 1970 to 2262: \(seconds)")
        }
        columns.open(sensor: sensor, time: moment)
        columns.narrow(to: part)
        columns.add(number, metric: metric, unit: unit)
    }

    /// The value with its base, a flag as 0 or 1, or the sum with its base. A record of bases alone has none.
    private func number(_ record: SenMLRecord) -> Double? {
        if let own = record.value { return value + own }
        if let flag = record.flag { return flag ? 1 : 0 }
        if record.hasText { return nil }
        return record.sum.map { sum + $0 }
    }

    private func names(
        _ own: TextRef, _ unit: TextRef, _ bytes: Span<UInt8>, _ columns: MessageColumns
    ) -> (sensor: TextRef, metric: TextRef) {
        if !name.isEmpty, !own.isEmpty {
            // Base names mostly end in what joins them to the names.
            let length = name.with(bytes, columns.side.span) { text in
                var length = text.count
                while length > 1, Self.isJoint(text[length - 1]) { length -= 1 }
                return length
            }
            return (name.prefix(length), own)
        }
        let isPosition = unit.with(bytes, columns.side.span) { text in
            text.count == 3 && text[0] == UInt8(ascii: "l")
                && (text[1] == UInt8(ascii: "a") && text[2] == UInt8(ascii: "t")
                    || text[1] == UInt8(ascii: "o") && text[2] == UInt8(ascii: "n"))
        }
        return (name.isEmpty ? own : name, isPosition ? unit : .none)
    }

    private static func isJoint(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".")
    }

    /// Below 2^28 seconds count from now (section 4.5.3). Doubles of this century carry microseconds.
    private static func moment(_ seconds: Double, now: Timestamp) -> Timestamp? {
        guard seconds.isFinite else { return nil }
        if seconds < 0x1p28 {
            guard seconds > -0x1p33, let span = Int64(exactly: (seconds * 1e6).rounded()) else { return nil }
            let time = now.advanced(by: Span64(nanoseconds: span * 1000))
            return time.nanoseconds >= 0 ? time : nil
        }
        guard let time = Timestamp(epoch: seconds, unit: .seconds), time.nanoseconds < .max - 1000 else { return nil }
        return Timestamp(nanoseconds: (time.nanoseconds + 500) / 1000 * 1000)
    }
}
