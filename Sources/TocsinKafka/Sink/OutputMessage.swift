internal import TocsinCore

/// A result on its way: what differs between the messages of a kind.
struct OutputMessage: Sendable {
    var key: [UInt8]
    var value: [UInt8]
    var time: Timestamp
    var trace: TraceContext
    /// Headers besides those that all messages of the kind have.
    var own: [KafkaHeader] = []

    /// Bytes of key and value.
    var size: Int { key.count + value.count }

    private static let parentName = "traceparent"

    func record(_ kind: OutputKind, topic: String) -> KafkaRecord {
        var headers = kind.headers
        headers.reserveCapacity(headers.count + 1 + own.count)
        headers.append(KafkaHeader(Self.parentName, trace.parent))
        headers += own
        return KafkaRecord(topic: topic, key: key, value: value, headers: headers, time: time)
    }

    func write(to writer: inout StateWriter) {
        writer.write(blob: key)
        writer.write(blob: value)
        writer.write(time)
        writer.write(trace.high)
        writer.write(trace.low)
        writer.write(trace.span)
        writer.write(varint: UInt64(own.count))
        for header in own {
            writer.write(text: header.name)
            writer.write(blob: header.value)
        }
    }
}

extension OutputMessage {
    /// nil for bytes that are none.
    init?(restoring reader: inout StateReader) {
        guard let key = reader.readBlob(), let value = reader.readBlob(), let time = reader.readTimestamp(),
            let high = reader.read(UInt64.self), let low = reader.read(UInt64.self),
            let span = reader.read(UInt64.self), let count = reader.readCount(of: 2)
        else { return nil }
        var own: [KafkaHeader] = []
        for _ in 0..<count {
            guard let name = reader.readText(), let value = reader.readBlob() else { return nil }
            own.append(KafkaHeader(name, Array(value)))
        }
        self.init(
            key: Array(key), value: Array(value), time: time, trace: TraceContext(high: high, low: low, span: span),
            own: own)
    }
}
