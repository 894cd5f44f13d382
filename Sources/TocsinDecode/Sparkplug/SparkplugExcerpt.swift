internal import TocsinCore

/// Data that only its birth names or types, as a payload that says it all itself: births are not kept with letters.
struct SparkplugExcerpt {
    let readings: [NamedReading]
    private static let tagBytes = 64

    /// nil where every metric of a part says its name and type itself, and where it gave no readings.
    init?(_ part: Range<Int>, _ bytes: Span<UInt8>, _ readings: () -> [NamedReading]) {
        guard part.upperBound <= bytes.count, Self.needsBirth(part, bytes) else { return nil }
        self.readings = readings()
        if self.readings.isEmpty { return nil }
    }

    /// At least that of `bytes`.
    var size: Int { readings.reduce(0) { $0 + $1.metric.utf8.count + Self.tagBytes } }

    var bytes: [UInt8] {
        var payload = ProtobufWriter()
        for reading in readings {
            payload.message(2) { metric in
                metric.text(1, reading.metric)
                // A time of the arrival is none of the message, and seldom a whole number of milliseconds.
                let (milliseconds, rest) = reading.time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
                if rest == 0, milliseconds > 0 { metric.varint(3, UInt64(milliseconds)) }
                metric.varint(4, UInt64(SparkplugMetric.DataType.double.rawValue))
                metric.double(13, reading.value)
            }
        }
        return payload.bytes
    }

    private static func needsBirth(_ part: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard let payload = try? SparkplugPayload(part, bytes) else { return false }
        return payload.metrics.contains { field in
            guard let metric = try? SparkplugMetric(field.content, bytes) else { return false }
            if metric.name.isEmpty { return true }
            guard case .integer = metric.value else { return false }
            return metric.type == nil
        }
    }
}
