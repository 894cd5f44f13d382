internal import Dispatch
internal import Synchronization
public import TocsinCore

/// The durable queue in front of the engine: what is appended has a number, is on disk when `durable` returns, and
/// stays there until it is released.
///
/// ```swift
/// let (spool, recovery) = try Spool.open(folder: "data/spool")
/// let number = try spool.append(payload)
/// try await spool.durable(number)  // now the sender may be told
/// spool.release(through: number)   // everything downstream has it
/// ```
/// Appending copies into memory and returns; one queue of the spool's own writes what has gathered and forces the disk
/// once for all of it (group commit). Thread-safe. Records may be read before they are durable: wait for `durable`
/// before a checkpoint names a record.
public final class Spool: Sendable {
    /// Random number of this spool, made when its folder was first used.
    public let id: UInt64
    public let folder: String
    public let settings: SpoolSettings
    let salt: UInt32
    let files: any FileOperations
    let observer: SpoolObserver
    let state: Mutex<SpoolState>
    /// Taken on `queue` only, where it may be held while the disk works.
    let disk: Mutex<ActiveSegment>
    let queue = DispatchQueue(label: "tocsin.spool")
    /// Apart from `queue`, so that a slow flush does not hold up the readers.
    let readingQueue = DispatchQueue(label: "tocsin.spool.reading")
    private let durableNumber: Atomic<UInt64>

    init(
        id: UInt64, folder: String, settings: SpoolSettings, files: any FileOperations, observer: SpoolObserver,
        segments: [Segment], nextSequence: UInt64, active: consuming ActiveSegment
    ) {
        self.id = id
        self.folder = folder
        self.settings = settings
        self.files = files
        self.observer = observer
        salt = RecordHeader.salt(spool: id)
        state = Mutex(SpoolState(segments: segments, nextSequence: nextSequence))
        disk = Mutex(active)
        durableNumber = Atomic(nextSequence - 1)
    }

    /// Appends a record and gives its number: 1, 2, 3 … in the order of calls, which is the order on disk; never used
    /// again. Costs a checksum and a copy of the bytes.
    ///
    /// - Throws: retriable when the spool is full or the disk is too slow; not retriable after `close`, or above 1 GiB.
    public func append(_ payload: [UInt8]) throws(TocsinError) -> UInt64 {
        guard payload.count <= RecordHeader.longestPayload else {
            throw TocsinError(
                .spool, "A record of \(payload.count) bytes is longer than 1 GiB.", place: folder,
                remedy: "Send smaller batches.")
        }
        let sum = CRC32C.of(payload.span)
        let added = state.withLock { state in
            Result { () throws(TocsinError) in
                try state.checkRoom(RecordHeader.stride(payload.count), settings, folder)
                return state.append(payload, sum: sum, isVoid: false, salt: salt, settings)
            }
        }
        let (sequence, wake) = try added.get()
        perform(wake)
        return sequence
    }

    /// Appends what the writer holds.
    public func append(_ writer: borrowing StateWriter) throws(TocsinError) -> UInt64 { try append(writer.bytes) }

    /// Makes the next record's number greater than `sequence`: call it after open with the number of the checkpoint, so
    /// that a number the checkpoint covers is not given to another record. Does nothing when it already is.
    public func skip(through sequence: UInt64) throws(TocsinError) {
        guard sequence <= Sequence64.highest else {
            throw TocsinError(.spool, "Record number \(sequence) is out of range.", place: folder)
        }
        let wake = state.withLock { state -> SpoolState.Wake? in
            guard state.nextSequence <= sequence, state.phase != .closed else { return nil }
            state.nextSequence = sequence
            return state.append([], sum: 0, isVoid: true, salt: salt, settings).wake
        }
        perform(wake)
    }

    /// Every record up to this one is on disk.
    public var durableSequence: UInt64 { durableNumber.load(ordering: .acquiring) }

    /// Suspends until that record is on disk; costs 5 ns when it is. A failing disk keeps it waiting: bring your own
    /// patience.
    ///
    /// - Throws: `CancellationError`, or `TocsinError` when the spool was closed before.
    public func durable(_ sequence: UInt64) async throws {
        if durableSequence >= sequence { return }
        let ticket = state.withLock { $0.newTicket() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.durableSequence >= sequence { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.phase == .closed { return .failure(TocsinError.closedSpool(folder)) }
                    state.waiters[ticket] = SpoolState.Waiter(sequence: sequence, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: ticket) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Forces everything appended so far to disk without waiting for the interval.
    public func flush() async throws {
        let (last, wake) = state.withLock { ($0.nextSequence - 1, $0.hurry()) }
        perform(wake)
        try await durable(last)
    }

    /// State for metrics and health; about 100 ns.
    public var figures: SpoolFigures { state.withLock { $0.figures } }

    /// Records from `sequence` on, up to the last one appended when asked.
    public func read(from sequence: UInt64) -> SpoolReader { SpoolReader(self, from: sequence) }

    func perform(_ wake: SpoolState.Wake?) {
        guard let wake else { return }
        if wake.delay == 0 {
            queue.async { self.flush(wake.ticket) }
        } else {
            queue.asyncAfter(deadline: .now() + .nanoseconds(Int(wake.delay))) { self.flush(wake.ticket) }
        }
    }

    func publish(durable sequence: UInt64) { durableNumber.store(sequence, ordering: .releasing) }
}

extension TocsinError.Code {
    /// The spool's folder, its disk, or its bounds.
    public static let spool = TocsinError.Code("spool")
    /// A checkpoint that cannot be written or read.
    public static let checkpoint = TocsinError.Code("checkpoint")
}

extension TocsinError {
    static func closedSpool(_ folder: String) -> TocsinError {
        TocsinError(.spool, "The spool is closed.", place: folder)
    }

    init(_ code: Code, _ failure: FileFailure, remedy: String? = nil) {
        self.init(
            code, "The operation \"\(failure.operation)\" failed: \(failure.reason).", place: failure.path,
            remedy: remedy ?? "Check the disk's free space, its health and the folder's permissions.",
            isRetriable: true)
    }
}
