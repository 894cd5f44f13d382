public import TocsinCore

/// By part of a batch's messages: what is kept of it, so that it can be decoded alone; empty where every part is kept as it
/// stands. Those that are kept with something around them take at most `budget` bytes together.
public typealias LetterExcerpt = @Sendable (_ batch: Batch, _ parts: [ByteRange], _ budget: Int) -> [PartExcerpt]

/// Limits outside of which a reading is refused before any detector sees it.
public struct ValidationSettings: Sendable {
    /// Inclusive bounds by metric name (case ignored).
    public var validRanges: [String: ClosedRange<Double>]
    /// How far a device's clock may run ahead of ours.
    public var allowedClockSkew: Span64
    /// What is kept of refused parts of messages; nil = each part as it stands.
    public var excerpt: LetterExcerpt?

    /// Defaults: temperature -50 to 120 (°C), humidity 0 to 100 (%), five minutes.
    public init(
        validRanges: [String: ClosedRange<Double>] = ["temperature": -50...120, "humidity": 0...100],
        allowedClockSkew: Span64 = .minutes(5)
    ) {
        self.validRanges = validRanges
        self.allowedClockSkew = allowedClockSkew
    }
}

/// Decides which readings of a batch are accepted; what is refused becomes a dead letter with reason and raw bytes.
struct Validator: Sendable {
    private let settings: ValidationSettings
    private let rangesByName: [String: ClosedRange<Double>]
    /// By `MetricID`: infinite bounds where nothing is set.
    private var ranges: [ClosedRange<Double>] = []
    private static let everything = -Double.infinity...Double.infinity

    init(settings: ValidationSettings) {
        self.settings = settings
        rangesByName = Dictionary(
            settings.validRanges.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// Later times cannot be: the device's clock is wrong.
    func latestPlausible(_ batch: Batch) -> Timestamp {
        batch.origin.received.advanced(by: settings.allowedClockSkew)
    }

    mutating func learnMetrics(_ names: SeriesNames) {
        for index in ranges.count..<max(ranges.count, names.metricNames.count) {
            ranges.append(rangesByName[names.metricNames[index].lowercased()] ?? Self.everything)
        }
    }

    /// - Returns: one flag per reading, and the dead letters of what was refused, the decoder's rejects included: see
    ///   `Refusals`.
    func validate(_ batch: Batch, names: SeriesNames) -> (accepted: [Bool], deadLetters: [DeadLetter]) {
        var accepted = [Bool](repeating: true, count: batch.readingCount)
        var refusals = Refusals(of: batch)
        for reject in batch.rejects {
            refusals.add(
                reject.reason, of: reject.payload, readings: reject.count, isShared: reject.count > 1,
                fault: reject.detail)
        }
        let latest = latestPlausible(batch)
        for event in 0..<batch.eventCount {
            let readings = batch.readings(of: event)
            let payload = batch.payloads[event]
            if batch.times[event] > latest {
                for reading in readings { accepted[reading] = false }
                guard !readings.isEmpty else { continue }
                refusals.add(
                    .future, of: payload, readings: readings.count, fault: Self.future(event, of: batch, names))
                continue
            }
            for reading in readings {
                let range = ranges[Int(names.metric(of: batch.series[reading]))]
                let value = batch.values[reading]
                if value >= range.lowerBound, value <= range.upperBound { continue }
                accepted[reading] = false
                refusals.add(.outOfRange, of: payload, fault: Self.outOfRange(reading, of: batch, range, names))
            }
        }
        return (accepted, refusals.letters(of: batch, excerpt: settings.excerpt))
    }

    private static func future(_ event: Int, of batch: Batch, _ names: SeriesNames) -> String {
        let sensor = names.sensorName(of: batch.series[batch.readings(of: event).lowerBound])
        let ahead = batch.times[event].since(batch.origin.received)
        return "the time \(batch.times[event]) of \(sensor) is \(Sentence.duration(ahead.seconds)) in the future; "
            + "is the device's clock right?"
    }

    private static func outOfRange(
        _ reading: Int, of batch: Batch, _ range: ClosedRange<Double>, _ names: SeriesNames
    ) -> String {
        let series = batch.series[reading]
        return "\(names.metricName(of: series)) of \(names.sensorName(of: series)) is "
            + "\(Sentence.digits(batch.values[reading])), outside its valid range "
            + "\(Sentence.digits(range.lowerBound)) to \(Sentence.digits(range.upperBound))"
    }
}
