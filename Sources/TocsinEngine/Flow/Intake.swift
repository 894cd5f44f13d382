internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

/// The way into the engine: gives every admission its place in the stream and, where there is a spool, writes it there
/// in the same order.
///
/// Those who can wait (a file) wait for room in memory. Those who cannot (a client that posts) never do: beyond
/// `memoryBytes` their batches stay in the spool alone, and are read back when the engine gets there.
final class Intake: Sendable {
    private struct Encoder {
        var writer = StateWriter()
        var lastSequence: UInt64
        /// Names whose batch the spool did not take.
        var unwritten: [NewNames] = []
        /// Wall time of the last batch of each source.
        var lastBatches: [UInt16: Timestamp] = [:]

        /// Wall time of the last batch of the source that has been quiet for longest; nil where none is known.
        var quietest: Timestamp? { lastBatches.values.min() }
    }

    private let inbox: Inbox<Admitted>
    private let spool: Spool?
    private let table: SeriesTable
    private let idleTimeout: Span64
    private let started: Timestamp
    private let encoder: Mutex<Encoder>
    /// Bytes of the batches that wait in memory.
    private let waitingBytes = Atomic(0)
    private static let memoryBytes = 64 << 20

    init(capacity: Int, spool: Spool?, table: SeriesTable, idleTimeout: Span64, started: Timestamp) {
        inbox = Inbox(capacity: capacity)
        self.spool = spool
        self.table = table
        self.idleTimeout = idleTimeout
        self.started = started
        let next = spool?.figures.nextSequence ?? 1
        encoder = Mutex(Encoder(lastSequence: next - 1))
    }

    var count: Int { inbox.count }

    /// - Parameter waits: until there is room in memory.
    /// - Returns: the batch's number in the spool, 0 without one; nil when the engine has stopped.
    func put(_ batch: Batch, _ receipt: Receipt, waits: Bool) async throws -> UInt64? {
        while true {
            if waits || spool == nil { try await inbox.waitForRoom() }
            do {
                return try putNow(batch, receipt, waits: waits)
            } catch {
                guard waits, error.isRetriable else { throw error }
                // The spool is full or its disk is slow: a source that can wait does.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func putNow(_ batch: Batch, _ receipt: Receipt, waits: Bool) throws(TocsinError) -> UInt64? {
        var sequence: UInt64 = 0
        let isTaken = try inbox.push { () throws(TocsinError) in
            sequence = try spool(of: batch.origin) { SpoolEntry.encode(batch, names: $0, into: &$1) }
            let hasRoom = waits || spool == nil || waitingBytes.load(ordering: .relaxed) < Self.memoryBytes
            guard hasRoom else {
                receipt.fulfil(.success(Engine.spooled(batch)))
                return Admitted(sequence: sequence, admission: .spooled(batch.inputCount))
            }
            waitingBytes.add(batch.bytes.count, ordering: .relaxed)
            return Admitted(sequence: sequence, admission: .batch(batch, receipt))
        }
        return isTaken ? sequence : nil
    }

    func putEnd(of source: SourceID?, _ receipt: Receipt) throws(TocsinError) -> Bool {
        try put(.endOfInput(source), as: .endOfInput(source, receipt))
    }

    /// - Returns: its number in the spool, 0 without one; nil when the engine has stopped.
    func put(_ feedback: Feedback, _ receipt: Receipt) throws(TocsinError) -> UInt64? {
        var sequence: UInt64 = 0
        let isTaken = try inbox.push { () throws(TocsinError) in
            sequence = try spool { _, writer in SpoolEntry.feedback(feedback).encode(into: &writer) }
            return Admitted(sequence: sequence, admission: .feedback(feedback, receipt))
        }
        return isTaken ? sequence : nil
    }

    /// - Returns: its number in the spool, 0 without one; nil when the engine has stopped.
    func put(_ action: AlarmAction, on alarm: Alarm, _ receipt: Receipt) throws(TocsinError) -> UInt64? {
        var sequence: UInt64 = 0
        let isTaken = try inbox.push { () throws(TocsinError) in
            sequence = try spool { _, writer in SpoolEntry.action(action, alarm).encode(into: &writer) }
            return Admitted(sequence: sequence, admission: .action(action, alarm, receipt))
        }
        return isTaken ? sequence : nil
    }

    /// Sources that the last process has heard of: they too go on by the wall clock while nothing comes of them.
    func expect(_ sources: [SourceID]) {
        encoder.withLock { encoder in
            for source in sources where encoder.lastBatches[source.index] == nil {
                encoder.lastBatches[source.index] = started
            }
        }
    }

    /// Time goes by. Only written down, and only passed on, when of some source nothing has come in for the idle timeout.
    /// A walk over all sources.
    func putTick(_ now: Timestamp) throws(TocsinError) -> Bool {
        let isIdle = encoder.withLock { now.since($0.quietest ?? started) >= idleTimeout }
        return isIdle ? try put(.tick(now), as: .tick(now)) : true
    }

    /// The process takes up what another has left.
    func putBegun(_ now: Timestamp) throws(TocsinError) { _ = try put(.begun(now), as: .begun(now)) }

    private func put(_ entry: SpoolEntry, as admission: Admission) throws(TocsinError) -> Bool {
        try inbox.push { () throws(TocsinError) in
            let sequence = try spool { _, writer in entry.encode(into: &writer) }
            return Admitted(sequence: sequence, admission: admission)
        }
    }

    /// A barrier at which the sensors of a source leave, or are copied; only the former is written down.
    /// - Returns: its number in the spool, 0 without one and for a copy; nil when the engine has stopped.
    func put(_ run: TransferRun) throws(TocsinError) -> UInt64? {
        var sequence: UInt64 = 0
        let isTaken = try inbox.push { () throws(TocsinError) in
            if run.isGivenUp {
                sequence = try spool { _, writer in SpoolEntry.release(run.source).encode(into: &writer) }
                encoder.withLock { $0.lastBatches[run.source.index] = nil }
            }
            return Admitted(sequence: sequence, admission: .leave(run))
        }
        return isTaken ? sequence : nil
    }

    /// - Returns: its number in the spool, 0 without one; nil when the engine has stopped.
    func put(_ adopted: AdoptedSensors) throws(TocsinError) -> UInt64? {
        var sequence: UInt64 = 0
        let isTaken = try inbox.push { () throws(TocsinError) in
            sequence = try spool { _, writer in SpoolEntry.adopt(adopted).encode(into: &writer) }
            encoder.withLock { $0.lastBatches[adopted.source.index] = adopted.received }
            return Admitted(sequence: sequence, admission: .adopt(adopted))
        }
        return isTaken ? sequence : nil
    }

    /// A barrier behind everything that was put so far.
    func putCheckpoint(_ make: (_ sequence: UInt64) -> CheckpointRun) -> CheckpointRun? {
        var run: CheckpointRun?
        let isTaken = inbox.push {
            let made = make(encoder.withLock { $0.lastSequence })
            run = made
            return Admitted(admission: .checkpoint(made))
        }
        return isTaken ? run : nil
    }

    func next() async -> Admitted? {
        let admitted = await inbox.receive()
        if case .batch(let batch, _) = admitted?.admission {
            waitingBytes.subtract(batch.bytes.count, ordering: .relaxed)
        }
        return admitted
    }

    func finish() { inbox.finish() }

    /// Writes an entry into the spool; its number, 0 without one.
    private func spool(
        of origin: Origin? = nil, _ encode: (NewNames?, inout StateWriter) -> Void
    ) throws(TocsinError) -> UInt64 {
        try encoder.withLock { encoder throws(TocsinError) in
            if let origin { encoder.lastBatches[origin.source.index] = origin.received }
            guard let spool else { return 0 }
            let isBatch = origin != nil
            var names = encoder.unwritten
            if isBatch, let news = table.withIndex({ NewNames(takenFrom: &$0) }) { names.append(news) }
            encoder.writer.removeAll()
            encode(NewNames(joining: names), &encoder.writer)
            // Names that could not be written go with the next batch.
            encoder.unwritten = names
            encoder.lastSequence = try spool.append(encoder.writer)
            encoder.unwritten = isBatch ? [] : names
            return encoder.lastSequence
        }
    }
}
