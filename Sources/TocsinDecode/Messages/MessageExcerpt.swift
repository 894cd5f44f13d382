public import TocsinCore

/// What decoding made of a metric, for a part that cannot say it alone.
public struct NamedReading: Sendable {
    public var metric: String
    public var time: Timestamp
    public var value: Double

    public init(metric: String, time: Timestamp, value: Double) {
        self.metric = metric
        self.time = time
        self.value = value
    }
}

/// As little of a message as can be decoded alone, for a part of it that was refused.
public enum MessageExcerpt {
    /// By part: what is to be kept of it; `.itself` also for all parts of a broken message. One pass over the message.
    ///
    /// A data point comes with its metric and resource around it; where these are long, and where several points share an
    /// event, its whole message is kept, as for a row and for a SenML record, which says little without those before it.
    /// Metrics of Sparkplug that only their birth names or types are written anew, with name and type.
    /// - Parameters:
    ///   - parts: ranges within `message`.
    ///   - topic: of the message's envelope.
    ///   - hasHeader: rows are kept with a header that they all have.
    ///   - readings: all that a part gave.
    ///   - left: how many bytes `.own` may take together; what they take is taken off.
    public static func of(
        _ parts: [ByteRange], in message: ByteRange, _ bytes: [UInt8], form: PayloadForm, topic: String,
        hasHeader: Bool, readings: (ByteRange) -> [NamedReading], left: inout Int
    ) -> [PartExcerpt] {
        let none = [PartExcerpt](repeating: .itself, count: parts.count)
        guard message.range.upperBound <= bytes.count else { return none }
        let way = route(message, bytes.span, form, topic)
        // A part that is no single data point is several, of different metrics.
        var book = ExcerptBook(parts, otherwise: way == .sparkplug ? .itself : .whole, left: left)
        switch way {
        case .otlpJSON:
            var decoder = OTLPDecoder(sensorAttributes: [])
            guard (try? decoder.excerpt(json: bytes.span, message.range, &book)) != nil else { return none }
        case .otlpProtobuf:
            let decoder = OTLPDecoder(sensorAttributes: [])
            guard (try? decoder.excerpt(protobuf: bytes.span, message.range, &book)) != nil else { return none }
        case .sparkplug:
            for part in Set(parts).sorted(by: { $0.offset < $1.offset }) {
                guard let excerpt = SparkplugExcerpt(part.range, bytes.span, { readings(part) }) else { continue }
                book.add(part.range, size: excerpt.size) { excerpt.bytes }
            }
        case .csv where hasHeader: return none
        case .senmlJSON, .senmlCBOR, .csv: break
        default: return none
        }
        left = book.left
        return book.excerpts
    }

    private static func route(
        _ message: ByteRange, _ bytes: Span<UInt8>, _ form: PayloadForm, _ topic: String
    ) -> MessageRoute? {
        let router = MessageRouter(
            form: form, longest: .max, hasRegistry: false, store: SchemaStore(FieldPlan(InputMapping())))
        var content = message
        guard message.length > 0 else { return nil }
        return try? router.route(bytes, &content, isSparkplug: SparkplugTopic.isOne(topic))
    }
}

/// The excerpts of one message, by the places of their parts.
struct ExcerptBook {
    /// A longer excerpt must not be more than a few times its part.
    private static let shortExcerpt = 64 << 10
    private static let mostTimes = 4

    private var places: [ByteRange: [Int]] = [:]
    private(set) var excerpts: [PartExcerpt]
    private(set) var left: Int

    /// - Parameter otherwise: of parts that are not added.
    init(_ parts: [ByteRange], otherwise: PartExcerpt, left: Int) {
        self.left = left
        excerpts = Array(repeating: otherwise, count: parts.count)
        for (number, part) in parts.enumerated() { places[part, default: []].append(number) }
    }

    /// - Parameters:
    ///   - size: at least that of the excerpt, which is made only where there is room for it.
    mutating func add(_ part: Range<Int>, size: Int, _ excerpt: () -> [UInt8]) {
        guard let range = ByteRange(checking: part), let numbers = places[range] else { return }
        var kept = PartExcerpt.whole
        if size <= max(Self.shortExcerpt, Self.mostTimes * part.count), size <= left / numbers.count {
            left -= size * numbers.count
            kept = .own(excerpt())
        }
        for number in numbers { excerpts[number] = kept }
    }
}
