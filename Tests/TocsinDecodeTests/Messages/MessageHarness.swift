import Testing
import TocsinCore
import TocsinDecode

/// Schemas out of a table.
struct SchemaTable: SchemaFetching {
    var schemas: [UInt32: RegisteredSchema]
    func schema(id: UInt32) async throws -> RegisteredSchema? { schemas[id] }
}

/// Messages of one topic each, or all of the same.
func messages(_ payloads: [[UInt8]], _ envelopes: [MessageEnvelope] = [MessageEnvelope(topic: "t")]) -> MessageBatch {
    var batch = MessageBatch()
    batch.envelopes = envelopes
    for (number, payload) in payloads.enumerated() {
        payload.withUnsafeBytes { batch.append($0) }
        if envelopes.count > 1 { batch.envelopeOfMessage.append(UInt32(number % envelopes.count)) }
    }
    return batch
}

func messages(_ payloads: [String], _ envelopes: [MessageEnvelope] = [MessageEnvelope(topic: "t")]) -> MessageBatch {
    messages(payloads.map { Array($0.utf8) }, envelopes)
}

struct DecodedMessages {
    var decoded = Decoded()
    var batch: Batch
    var table: SeriesTable

    var readings: [String] { decoded.readings }
    var reasons: [DeadLetterReason] { decoded.reasons }
    var details: [String] { decoded.details }
    var times: [Int64] { decoded.events.map(\.time) }
    /// The sensors that go away.
    var departures: [String] {
        (0..<batch.eventCount).filter { batch.isDeparture($0) }.map { event in
            table.withIndex { $0.name(batch.sensors[event]) }
        }
    }
    /// The number of the message that each event and reject came from.
    var places: [Int64] {
        (batch.payloads + batch.rejects.map(\.payload)).map { batch.place(of: $0, in: batch.origin) }
    }

    func unit(_ sensor: String, _ metric: String) -> String? {
        table.withIndex { index in
            guard let sensor = index.sensor(named: sensor), let metric = index.metric(named: metric),
                let series = index.existingSeries(sensor, metric)
            else { return nil }
            return index.unit(of: series)
        }
    }

    func zone(_ sensor: String) -> String? {
        table.withIndex { index in index.sensor(named: sensor).flatMap { index.zone(of: $0) } }
    }
}

extension MessageDecoder {
    mutating func run(_ messages: MessageBatch, table: SeriesTable = SeriesTable(seed: 1)) -> DecodedMessages {
        let batch = decode(messages, origin: testOrigin, table: table)
        var result = DecodedMessages(batch: batch, table: table)
        result.decoded.add(batch, table)
        return result
    }
}

func decode(_ messages: MessageBatch, _ settings: MessageDecoderSettings) -> DecodedMessages {
    var decoder = settings.makeDecoder()
    return decoder.run(messages)
}

func decode(_ messages: MessageBatch, _ form: PayloadForm = .auto) -> DecodedMessages {
    decode(messages, MessageDecoderSettings(form: form))
}

/// When the harness's messages arrived.
let received: Int64 = 1_700_000_000_000_000_000

/// Bytes written as hexadecimal digits; blanks are for the reader.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Protobuf by hand: a varint.
func varint(_ number: UInt64) -> [UInt8] {
    var rest = number
    var bytes: [UInt8] = []
    while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    return bytes + [UInt8(rest)]
}

/// Avro and Confluent's indexes: a zigzag varint.
func zigzag(_ number: Int64) -> [UInt8] { varint(UInt64(bitPattern: number << 1 ^ number >> 63)) }

func field(_ number: UInt64, varint value: UInt64) -> [UInt8] { varint(number << 3) + varint(value) }
func field(_ number: UInt64, bytes: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
}
func field(_ number: UInt64, text: String) -> [UInt8] { field(number, bytes: Array(text.utf8)) }
func field(_ number: UInt64, double value: Double) -> [UInt8] { varint(number << 3 | 1) + little(value.bitPattern) }
func field(_ number: UInt64, float value: Float) -> [UInt8] { varint(number << 3 | 5) + little(value.bitPattern) }
func field(_ number: UInt64, fixed value: UInt64) -> [UInt8] { varint(number << 3 | 1) + little(value) }

func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    stride(from: 0, to: Number.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: number >> Number($0)) }
}
