internal import Dispatch
internal import Synchronization
internal import TocsinCore

/// Answers by `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent again gets the answer
/// of the first and is not taken twice, also by the next process.
///
/// A key is on disk, with the position and the time of arrival of its request, before the request is taken; its answer
/// is in the file before it is given. So whatever a kill leaves undone is done by the repetition: taken again, the
/// readings are the very same, and the engine knows those that it has.
final class IdempotencyKeys: Sendable {
    typealias Admission = IdempotencyBook.Admission

    enum Found {
        /// To be taken, as its first attempt was.
        case open(Admission)
        case answered(IngestAnswer)
        /// The same key for another body, or while the first request is still under way.
        case otherBody, underWay
        /// The file takes nothing.
        case unwritable
    }

    private struct Waiting {
        var bytes: [UInt8] = []
        var written: [CheckedContinuation<Bool, Never>] = []
        var isForced = false
        var isScheduled = false
    }

    private struct State {
        var book = IdempotencyBook()
        var waiting = Waiting()
    }

    private let state = Mutex(State())
    /// Held while the disk works: asked for on `queue` only.
    private let file: Box?

    private final class Box: Sendable {
        let file: Mutex<RecordFile>
        init(_ file: sending RecordFile) { self.file = Mutex(file) }
    }

    private let queue = DispatchQueue(label: "tocsin.idempotency")
    static let longest = 255

    /// Keeps keys in memory only.
    init() { file = nil }

    /// - Parameter path: nil keeps keys in memory only.
    /// - Throws: `TocsinError(.file)` when the file cannot be opened.
    init(path: String?) throws(TocsinError) {
        guard let path else {
            file = nil
            return
        }
        let opened = try RecordFile(path)
        let records = try opened.read().compactMap { IdempotencyBook.Record($0) }
        state.withLock { state in for record in records { state.book.apply(record) } }
        // Where the disk has no room for that the file goes on as it is.
        opened.rewrite(state.withLock { $0.book.records.map(\.bytes) })
        file = Box(opened)
    }

    /// - Parameter admission: what holds where the request is new.
    func begin(_ key: String, _ admission: Admission) async -> Found {
        let found: Found? = state.withLock { state in
            if let entry = state.book.entry(key, now: admission.received) {
                guard entry.admission.hash == admission.hash else { return .otherBody }
                if let answer = entry.answer { return .answered(answer) }
                if entry.isUnderWay { return .underWay }
                state.book.setUnderWay(key, true)
                return .open(entry.admission)
            }
            state.book.apply(.begin(key, admission), isUnderWay: true)
            return nil
        }
        if let found { return found }
        guard await write(.begin(key, admission), isForced: true) else {
            state.withLock { $0.book.forget(key) }
            return .unwritable
        }
        return .open(admission)
    }

    /// - Parameter answer: nil where the request failed: sent again it is tried again.
    func end(_ key: String, _ answer: IngestAnswer?) async {
        guard let answer else { return state.withLock { $0.book.setUnderWay(key, false) } }
        state.withLock { $0.book.apply(.end(key, answer)) }
        // Where it cannot be written a later process answers with what it finds: that all is known already.
        _ = await write(.end(key, answer), isForced: false)
    }

    /// Several requests share a write, and a flush of the disk.
    private func write(_ record: IdempotencyBook.Record, isForced: Bool) async -> Bool {
        guard let file else { return true }
        let bytes = RecordFile.framed(record.bytes)
        return await withCheckedContinuation { continuation in
            let schedules = state.withLock { state in
                state.waiting.bytes += bytes
                state.waiting.written.append(continuation)
                if isForced { state.waiting.isForced = true }
                defer { state.waiting.isScheduled = true }
                return !state.waiting.isScheduled
            }
            if schedules { queue.async { self.flush(file) } }
        }
    }

    private func flush(_ box: Box) {
        let waiting = state.withLock { state in
            defer { state.waiting = Waiting() }
            return state.waiting
        }
        let isWritten = box.file.withLock { file in
            // What waits is in the book, too.
            (file.isLong && file.rewrite(state.withLock { $0.book.records.map(\.bytes) }))
                || file.append(waiting.bytes, isForced: waiting.isForced)
        }
        for continuation in waiting.written { continuation.resume(returning: isWritten) }
    }
}
