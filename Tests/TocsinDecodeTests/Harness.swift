import Testing
import TocsinCore
import TocsinDecode

/// What came out of a decoder, in words, so that tests can be read and compared.
struct Decoded: Equatable {
    struct Event: Equatable {
        var sensor: String
        var time: Int64
        var key: UInt64
        var label: UInt8
        /// "temperature=21.5", in order.
        var readings: [String]
        var payload: String
    }

    struct Refusal: Equatable {
        var reason: DeadLetterReason
        var payload: String
    }

    var events: [Event] = []
    var refusals: [Refusal] = []
    var details: [String] = []

    var readings: [String] { events.flatMap { event in event.readings.map { "\(event.sensor).\($0)" } } }
    var reasons: [DeadLetterReason] { refusals.map(\.reason) }

    mutating func add(_ batch: Batch, _ table: SeriesTable) {
        #expect(batch.firstReading.count == batch.eventCount + 1)
        #expect(Int(batch.firstReading.last ?? 0) == batch.readingCount)
        #expect(batch.series.count == batch.values.count)
        for event in 0..<batch.eventCount {
            let readings = batch.readings(of: event).map { position in
                let name = table.withIndex { $0.name($0.metric(of: batch.series[position])) }
                #expect(table.withIndex { $0.sensor(of: batch.series[position]) } == batch.sensors[event])
                return "\(name)=\(batch.values[position])"
            }
            events.append(
                Event(
                    sensor: table.withIndex { $0.name(batch.sensors[event]) }, time: batch.times[event].nanoseconds,
                    key: batch.eventKeys[event], label: batch.labels[event].rawValue, readings: readings,
                    payload: Self.text(batch, batch.payloads[event])))
        }
        for reject in batch.rejects {
            refusals.append(Refusal(reason: reject.reason, payload: Self.text(batch, reject.payload)))
            details.append(reject.detail)
        }
    }

    private static func text(_ batch: Batch, _ range: ByteRange) -> String {
        String(decoding: batch.bytes[range.range], as: UTF8.self)
    }
}

let testOrigin = Origin(
    source: SourceID(0), sourceName: "test", position: 0, received: Timestamp(nanoseconds: 1_700_000_000_000_000_000))

/// Decodes bytes as one chunk.
func decode(
    _ bytes: [UInt8], format: InputFormat = .auto, mapping: InputMapping = InputMapping(),
    limits: DecodeLimits = DecodeLimits(), table: SeriesTable = SeriesTable(seed: 1)
) -> Decoded {
    var decoder = EventDecoder(format: format, mapping: mapping, limits: limits)
    var decoded = Decoded()
    decoded.add(decoder.decode(chunk: bytes, origin: testOrigin, table: table), table)
    return decoded
}

func decode(
    _ text: String, format: InputFormat = .auto, mapping: InputMapping = InputMapping(),
    limits: DecodeLimits = DecodeLimits(), table: SeriesTable = SeriesTable(seed: 1)
) -> Decoded {
    decode(Array(text.utf8), format: format, mapping: mapping, limits: limits, table: table)
}

/// Decodes chunks through an assembler.
func decode(
    chunks: [[UInt8]], format: InputFormat = .auto, mapping: InputMapping = InputMapping(),
    limits: DecodeLimits = DecodeLimits(), table: SeriesTable = SeriesTable(seed: 1)
) -> Decoded {
    var decoder = EventDecoder(format: format, mapping: mapping, limits: limits)
    var assembler = ChunkAssembler(format: format, limits: limits)
    var decoded = Decoded()
    for chunk in chunks {
        for run in assembler.append(chunk) {
            decoded.add(decoder.decode(run, origin: testOrigin, table: table), table)
        }
    }
    for run in assembler.finish() { decoded.add(decoder.decode(run, origin: testOrigin, table: table), table) }
    return decoded
}

/// 2025-10-01T10:00:00Z
let tenOClock: Int64 = 1_759_312_800_000_000_000

/// Vigna's SplitMix64: small, seeded, the same everywhere.
struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}
