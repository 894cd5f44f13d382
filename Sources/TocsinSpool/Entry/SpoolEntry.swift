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
    /// Another process goes on with the sensors of a source: this one has none of them any more.
    case release(SourceID)
    /// The sensors of a source have come from another process.
    case adopt(AdoptedSensors)
    /// What a person did with an alarm, and the alarm as that person saw it.
    case action(AlarmAction, Alarm)

    enum Kind: UInt8 {
        case batch = 1
        case tick = 2
        case endOfInput = 3
        case begun = 4
        case feedback = 5
        case release = 6
        case adopt = 7
        case action = 8
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
        case .release(let source):
            writer.write(Kind.release.rawValue)
            writer.write(source.index)
        case .adopt(let adopted):
            writer.write(Kind.adopt.rawValue)
            adopted.encode(into: &writer)
        case .action(let action, let alarm):
            writer.write(Kind.action.rawValue)
            action.save(to: &writer)
            alarm.save(to: &writer)
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
        case .release:
            guard let source = reader.read(UInt16.self), reader.isAtEnd else { return nil }
            self = .release(SourceID(source))
        case .adopt:
            guard let adopted = AdoptedSensors(&reader), reader.isAtEnd else { return nil }
            self = .adopt(adopted)
        case .action:
            guard let action = AlarmAction(&reader), let alarm = Alarm(&reader), reader.isAtEnd else { return nil }
            self = .action(action, alarm)
        case .endOfInput:
            guard let isOne = reader.readFlag(), let index = reader.read(UInt16.self), reader.isAtEnd,
                isOne || index == 0
            else { return nil }
            self = .endOfInput(isOne ? SourceID(index) : nil)
        }
    }
}

/// Sensors that came from another process, as they stand in the spool.
public struct AdoptedSensors: Sendable {
    /// The number that their source has here.
    public var source: SourceID
    /// When they came, by the process's clock.
    public var received: Timestamp
    public var transfer: SensorTransfer

    public init(source: SourceID, received: Timestamp, transfer: SensorTransfer) {
        self.source = source
        self.received = received
        self.transfer = transfer
    }

    func encode(into writer: inout StateWriter) {
        writer.write(source.index)
        writer.write(received)
        writer.write(transfer.position != nil)
        transfer.position?.save(to: &writer)
        writer.write(blob: transfer.bytes)
    }

    /// nil for nonsense. The transfer's own bytes are not looked into.
    init?(_ reader: inout StateReader) {
        guard let source = reader.read(UInt16.self), let received = reader.readTimestamp(),
            let hasPosition = reader.readFlag()
        else { return nil }
        let position = hasPosition ? ReadPosition(restoring: &reader) : nil
        guard !hasPosition || position != nil, let bytes = reader.readBlob() else { return nil }
        self.init(
            source: SourceID(source), received: received,
            transfer: SensorTransfer(position: position, bytes: Array(bytes)))
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
    /// The messages of `bytes`, with `bytes` in it; nil where these are no messages, or come from an earlier version.
    public var messages: MessageBatch?
}
