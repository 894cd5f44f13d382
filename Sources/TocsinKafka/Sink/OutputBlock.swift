internal import TocsinCore

/// How much of a kind was ever appended, or is with the brokers.
struct OutputMark: Sendable, Equatable {
    /// A record of the output spool.
    var sequence: UInt64 = 0
    /// Messages up to there, since the folder was first used.
    var messages: UInt64 = 0
    /// Bytes of their keys and values.
    var bytes: UInt64 = 0
}

/// A record of the output spool: messages of one kind, and where each kind stood behind it, so that one record tells a
/// new process what waits.
struct OutputBlock: Sendable {
    var kind: OutputKind
    var count: UInt64
    var bytes: UInt64
    /// One per kind, this block counted in.
    var totals: [OutputMark]
    var topic: String
    var messages: [OutputMessage]

    static let version: UInt8 = 1
    /// A block ends with the message that reaches this.
    static let targetBytes = 1 << 20

    static func write(
        _ kind: OutputKind, _ topic: String, _ messages: ArraySlice<OutputMessage>, bytes: UInt64, totals: [OutputMark],
        to writer: inout StateWriter
    ) {
        writer.write(version)
        writer.write(kind.rawValue)
        writer.write(UInt64(messages.count))
        writer.write(bytes)
        for kind in OutputKind.allCases {
            writer.write(totals[kind.index].messages)
            writer.write(totals[kind.index].bytes)
        }
        writer.write(text: topic)
        for message in messages { message.write(to: &writer) }
    }

    /// What stands before the messages; nil for bytes that are no block.
    init?(headOf record: [UInt8], sequence: UInt64) {
        var reader = StateReader(record)
        self.init(&reader, sequence)
    }

    /// The whole block; nil for bytes that are none.
    init?(_ record: [UInt8], sequence: UInt64) {
        var reader = StateReader(record)
        self.init(&reader, sequence)
        while !reader.isAtEnd {
            guard let message = OutputMessage(restoring: &reader) else { return nil }
            messages.append(message)
        }
        guard UInt64(messages.count) == count else { return nil }
    }

    /// Leaves out the messages up to `done`: a block that was carried forward may hold what was sent from its first place.
    mutating func skip(through done: UInt64) {
        let start = totals[kind.index].messages &- count
        guard done > start else { return }
        messages.removeFirst(Int(min(done - start, UInt64(messages.count))))
    }

    private init?(_ reader: inout StateReader, _ sequence: UInt64) {
        guard reader.read(UInt8.self) == Self.version,
            let kind = reader.read(UInt8.self).flatMap(OutputKind.init(rawValue:)),
            let count = reader.read(UInt64.self), let bytes = reader.read(UInt64.self)
        else { return nil }
        totals = []
        for _ in OutputKind.allCases {
            guard let messages = reader.read(UInt64.self), let bytes = reader.read(UInt64.self) else { return nil }
            totals.append(OutputMark(sequence: sequence, messages: messages, bytes: bytes))
        }
        guard let topic = reader.readText() else { return nil }
        self.kind = kind
        self.count = count
        self.bytes = bytes
        self.topic = topic
        messages = []
    }
}
