internal import TocsinCore

/// Messages without their bytes, which stand in the record before them: about four bytes a message, and each envelope once.
extension MessageBatch {
    func encode(into writer: inout StateWriter) {
        writer.write(varint: UInt64(payloads.count))
        SpoolEntry.encodePayloads(payloads, &writer)
        envelopes.encode(into: &writer)
        writer.write(varint: UInt64(envelopeOfMessage.count))
        let rows = envelopeOfMessage
        writer.write(varints: rows.count) { UInt64(rows[$0]) }
        writer.write(varint: UInt64(times.count))
        let times = times
        var previous: Int64 = 0
        writer.write(varints: times.count) { index in
            let time = times[index].nanoseconds
            defer { previous = time }
            return SpoolEntry.zigzag(time &- previous)
        }
    }

    /// nil for nonsense.
    /// - Parameter bound: the number of bytes that the messages lie in.
    init?(_ reader: inout StateReader, bound: Int) {
        self.init()
        guard let count = reader.readCount(of: 2),
            let payloads = SpoolEntry.decodePayloads(&reader, count, bound: bound),
            let envelopes = [MessageEnvelope](&reader),
            let rowCount = reader.readCount(), rowCount <= count, let rows = reader.readVarints(count: rowCount),
            let timeCount = reader.readCount(), timeCount <= count, let steps = reader.readVarints(count: timeCount)
        else { return nil }
        self.payloads = payloads
        // Everything that looks for a message by its place relies on it.
        guard zip(payloads, payloads.dropFirst()).allSatisfy({ $0.offset <= $1.offset }) else { return nil }
        self.envelopes = envelopes
        envelopeOfMessage = rows.map { UInt32(clamping: $0) }
        var time: Int64 = 0
        times = steps.map { step in
            // Wraps as the encoder's difference did.
            time &+= SpoolEntry.unzigzag(step)
            return Timestamp(nanoseconds: time)
        }
    }
}

/// A topic is what it does not share with the one before it, and a name in it is the number of its level: topics of many
/// sensors differ by little, and mostly hold the names.
extension [MessageEnvelope] {
    /// Nonsense must not ask for much memory.
    private static let mostShared = 64 << 20
    private static let mostLevels = 250
    private static let slash = UInt8(ascii: "/")

    /// About 50 ns each.
    fileprivate func encode(into writer: inout StateWriter) {
        writer.write(varint: UInt64(count))
        var previous = ""
        var shared = 0
        for envelope in self {
            let topic = envelope.topic.utf8.span
            var common = Self.commonBytes(topic, previous.utf8.span)
            if shared + common > Self.mostShared { common = 0 }
            shared += common
            writer.write(varint: UInt64(common))
            writer.write(varint: UInt64(topic.count - common))
            writer.write(raw: topic.extracting(common..<topic.count))
            Self.write(envelope.sensor, topic, &writer)
            Self.write(envelope.metric, topic, &writer)
            Self.write(envelope.zone, topic, &writer)
            Self.write(envelope.unit, topic, &writer)
            writer.write(varint: UInt64(envelope.fields.count))
            if !envelope.fields.isEmpty {
                for (name, value) in envelope.fields.sorted(by: { $0.key < $1.key }) {
                    writer.write(text: name)
                    writer.write(text: value)
                }
            }
            previous = envelope.topic
        }
    }

    private static func commonBytes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
        var common = 0
        while common < left.count, common < right.count, left[common] == right[common] { common += 1 }
        return common
    }

    /// 0: none; 1: a text; from 2 on: a level of the topic.
    private static func write(_ text: String?, _ topic: Span<UInt8>, _ writer: inout StateWriter) {
        guard let text else { return writer.write(UInt8(0)) }
        if let level = level(text.utf8.span, of: topic) { return writer.write(UInt8(2 + level)) }
        writer.write(UInt8(1))
        writer.write(text: text)
    }

    private static func level(_ text: Span<UInt8>, of topic: Span<UInt8>) -> Int? {
        var (level, start) = (0, 0)
        while level < mostLevels {
            var end = start
            while end < topic.count, topic[end] != slash { end += 1 }
            if end - start == text.count, commonBytes(topic.extracting(start..<end), text) == text.count {
                return level
            }
            guard end < topic.count else { return nil }
            (level, start) = (level + 1, end + 1)
        }
        return nil
    }

    fileprivate init?(_ reader: inout StateReader) {
        self = []
        guard let count = reader.readCount(of: 7) else { return nil }
        var topic: [UInt8] = []
        var shared = 0
        for _ in 0..<count {
            guard let common = reader.readVarint().flatMap(Int.init(exactly:)), common <= topic.count,
                let rest = reader.readBlob()
            else { return nil }
            shared += common
            guard shared <= Self.mostShared else { return nil }
            topic.removeSubrange(common...)
            topic += rest
            guard let text = String(validating: topic, as: UTF8.self) else { return nil }
            var envelope = MessageEnvelope(topic: text)
            guard let sensor = Self.readName(&reader, topic), let metric = Self.readName(&reader, topic),
                let zone = Self.readName(&reader, topic), let unit = Self.readName(&reader, topic),
                let fields = reader.readCount(of: 2)
            else { return nil }
            (envelope.sensor, envelope.metric, envelope.zone, envelope.unit) = (sensor, metric, zone, unit)
            for _ in 0..<fields {
                guard let name = reader.readText(), let value = reader.readText() else { return nil }
                envelope.fields[name] = value
            }
            append(envelope)
        }
    }

    private static func readName(_ reader: inout StateReader, _ topic: [UInt8]) -> String?? {
        guard let kind = reader.read(UInt8.self) else { return nil }
        switch kind {
        case 0: return .some(nil)
        case 1: return reader.readText().map { .some($0) }
        default:
            let levels = topic.split(separator: slash, maxSplits: mostLevels, omittingEmptySubsequences: false)
            guard Int(kind) - 2 < levels.count else { return nil }
            return String(validating: levels[Int(kind) - 2], as: UTF8.self).map { .some($0) }
        }
    }
}
