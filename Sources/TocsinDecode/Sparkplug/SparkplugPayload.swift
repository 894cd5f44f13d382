internal import TocsinCore

/// The frame of a payload: its metrics are read one by one afterwards.
struct SparkplugPayload {
    /// Milliseconds since 1970.
    var timestamp: UInt64?
    var sequence: UInt64?
    var metrics: [Field] = []

    struct Field {
        /// The metric itself.
        var content: Range<Int>
        /// With the key and the length before it: as bytes alone a payload of one metric, because a message of Protobuf is
        /// the sum of its fields (protobuf.dev/programming-guides/encoding, "Last One Wins").
        var whole: Range<Int>
    }

    static let mostMetrics = 100_000

    init(_ range: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeFault) {
        var reader = ProtobufReader(range)
        var start = reader.position
        while let field = try reader.field(bytes) {
            switch (field.number, field.wire) {
            case (1, .varint): timestamp = try reader.varint(bytes)
            case (2, .delimited):
                guard metrics.count < Self.mostMetrics else {
                    throw DecodeFault(.tooLong, "has more than \(Self.mostMetrics) metrics")
                }
                let content = try reader.delimited(bytes)
                metrics.append(Field(content: content, whole: start..<content.upperBound))
            case (3, .varint): sequence = try reader.varint(bytes)
            case (1, _), (2, _), (3, _): throw ProtobufReader.wrongWire("payload")
            default: try reader.skip(field, bytes)
            }
            start = reader.position
        }
    }
}
