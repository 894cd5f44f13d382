public import TocsinCore

/// What a spool record says: the engine's input in the order in which it came.
///
/// ```swift
/// SpoolEntry.encode(batch, names: nil, into: &writer)
/// let number = try spool.append(writer)
/// let entry = SpoolEntry(decoding: record.payload[...], known: &known)
/// ```
public enum SpoolEntry: Sendable {
    /// `names`: those interned since the last record, without which the batch's ids say nothing after a restart.
    case batch(Batch, names: NewNames?)
    /// The clock that the engine was shown.
    case tick(Timestamp)
    /// A source has ended; nil: all have.
    case endOfInput(SourceID?)
    /// A process took up the work: from its predecessor's last input up to then nobody listened.
    case begun(Timestamp)
    /// What a person said of an alarm.
    case feedback(Feedback)

    enum Kind: UInt8 {
        case batch = 1
        case tick = 2
        case endOfInput = 3
        case begun = 4
        case feedback = 5
    }

    public func encode(into writer: inout StateWriter) {
        switch self {
        case .batch(let batch, let names): Self.encode(batch, names: names, into: &writer)
        case .tick(let time):
            writer.write(Kind.tick.rawValue)
            writer.write(time)
        case .begun(let time):
            writer.write(Kind.begun.rawValue)
            writer.write(time)
        case .feedback(let feedback):
            writer.write(Kind.feedback.rawValue)
            feedback.save(to: &writer)
        case .endOfInput(let source):
            writer.write(Kind.endOfInput.rawValue)
            writer.write(source != nil)
            writer.write(source?.index ?? 0)
        }
    }

    /// Reads an entry; the batch's columns are checked against each other and every id against `known`, which grows by
    /// the names in the entry.
    ///
    /// nil for bytes that are no sound entry, and for ids or names with a gap before them, as after a damaged record:
    /// then `rawInput(of:)` may still have what to decode again.
    public init?(decoding payload: ArraySlice<UInt8>, known: inout KnownNames) {
        var reader = StateReader(payload)
        guard let kind = reader.read(UInt8.self).flatMap(Kind.init(rawValue:)) else { return nil }
        switch kind {
        case .batch:
            guard let (batch, names, counts) = Self.decodeBatch(&reader, known), reader.isAtEnd else { return nil }
            known = counts
            self = .batch(batch, names: names)
        case .tick:
            guard let time = reader.readTimestamp(), reader.isAtEnd else { return nil }
            self = .tick(time)
        case .begun:
            guard let time = reader.readTimestamp(), reader.isAtEnd else { return nil }
            self = .begun(time)
        case .feedback:
            guard let feedback = Feedback(&reader), reader.isAtEnd else { return nil }
            self = .feedback(feedback)
        case .endOfInput:
            guard let isOne = reader.readFlag(), let index = reader.read(UInt16.self), reader.isAtEnd,
                isOne || index == 0
            else { return nil }
            self = .endOfInput(isOne ? SourceID(index) : nil)
        }
    }
}

/// How many names the series table holds: ids from there on are unknown.
public struct KnownNames: Hashable, Sendable {
    public var sensors: Int
    public var metrics: Int
    public var series: Int

    public init(sensors: Int = 0, metrics: Int = 0, series: Int = 0) {
        self.sensors = sensors
        self.metrics = metrics
        self.series = series
    }
}

/// The input of a batch record as it arrived: enough to decode it again.
public struct RawInput: Sendable {
    public var bytes: [UInt8]
    /// CSV only, see `Batch.header`.
    public var header: [UInt8]
    public var origin: Origin
}
