internal import Dispatch
internal import Synchronization
public import TocsinCore

/// Reads a spool's records in order, from disk and, near the end, from memory. Damaged records are skipped and named.
public final class SpoolReader: Sendable {
    private let spool: Spool
    private let position: Mutex<Position>

    private struct Position {
        var next: UInt64
        var scanner: SegmentScanner?
        /// First number of the segment that `scanner` walks.
        var segment: UInt64 = 0
        var problems: [String] = []
    }

    init(_ spool: Spool, from sequence: UInt64) {
        self.spool = spool
        position = Mutex(Position(next: max(sequence, 1)))
    }

    /// The next record; nil when there is none yet (ask again after the next append). Numbers may jump: over released
    /// records, over damaged ones, over numbers that were never used.
    ///
    /// Blocks on file I/O: not for Swift's cooperative threads, see `nextRecords`.
    ///
    /// - Throws: retriable, when the disk cannot be read.
    public func next() throws(TocsinError) -> SpoolRecord? {
        let found = position.withLock { position in
            Result { () throws(FileFailure) in try next(&position) }
        }
        do { return try found.get() } catch { throw TocsinError(.spool, error) }
    }

    /// The next records until they have `limit` payload bytes together (at least one), or all there are; empty when
    /// there are none yet. The reading happens on the spool's own queue.
    public func nextRecords(limit: Int = 4 << 20) async throws -> [SpoolRecord] {
        try await withCheckedThrowingContinuation { continuation in
            spool.readingQueue.async { continuation.resume(with: self.gather(limit)) }
        }
    }

    private func gather(_ limit: Int) -> Result<[SpoolRecord], any Error> {
        var records: [SpoolRecord] = []
        var bytes = 0
        do {
            while bytes < limit, let record = try next() {
                bytes += record.payload.count
                records.append(record)
            }
        } catch {
            // Those before are good; the error comes again with the next call.
            if records.isEmpty { return .failure(error) }
        }
        return .success(records)
    }

    /// What was skipped since the last call: sentences for people.
    public func takeProblems() -> [String] {
        position.withLock { position in
            defer { position.problems = [] }
            return position.problems
        }
    }

    private enum Place {
        case memory(SpoolRecord)
        case disk(Segment, bound: UInt64)
        case nowhere
    }

    private func locate(_ next: UInt64) -> Place {
        spool.state.withLock { state in
            // On disk is what no group in memory holds.
            let memory = state.flight?.entries.first?.sequence ?? state.filling.entries.first?.sequence
            if memory.map({ next < $0 }) ?? true,
                let index = state.segments.firstIndex(where: { $0.lastSequence >= next })
            {
                let isLast = index + 1 == state.segments.count
                return .disk(
                    state.segments[index], bound: isLast ? Sequence64.highest : state.segments[index + 1].firstSequence)
            }
            let record = state.flight?.record(from: next) ?? state.filling.record(from: next)
            return record.map { .memory($0) } ?? .nowhere
        }
    }

    private func next(_ position: inout Position) throws(FileFailure) -> SpoolRecord? {
        while true {
            if let record = try step(&position) { return record }
            switch locate(position.next) {
            case .nowhere: return nil
            case .memory(let record):
                position.next = record.sequence + 1
                return record
            case .disk(let segment, let bound):
                if position.scanner != nil, position.segment == segment.firstSequence {
                    guard let limit = position.scanner?.limit, limit < segment.end else {
                        // Walked to its end without the records it should have: they are damaged, and named.
                        position.next = segment.lastSequence + 1
                        continue
                    }
                    position.scanner?.limit = segment.end
                } else {
                    try open(segment, bound, &position)
                }
            }
        }
    }

    private func open(_ segment: Segment, _ bound: UInt64, _ position: inout Position) throws(FileFailure) {
        do throws(FileFailure) {
            let file = try OpenFile(segment.path, .reading, spool.files)
            position.scanner = SegmentScanner(
                file, salt: spool.salt, limit: segment.end, after: segment.firstSequence - 1, bound: bound)
            position.segment = segment.firstSequence
        } catch {
            // Released and deleted between the look and the opening: look again. Otherwise the disk has failed.
            guard case .disk(let again, _) = locate(position.next), again.firstSequence == segment.firstSequence
            else { return }
            throw error
        }
    }

    /// The next wanted record of the open segment; nil at its end.
    private func step(_ position: inout Position) throws(FileFailure) -> SpoolRecord? {
        while let step = try position.scanner?.step(from: position.next) {
            switch step {
            case .record(let header, let payload):
                guard let window = position.scanner?.window else { return nil }
                position.next = header.sequence + 1
                return SpoolRecord(sequence: header.sequence, payload: Array(window[payload]))
            case .passed: continue
            case .damaged(let offset, let bytes, let sequence):
                let what = sequence.map { "record \($0)" } ?? "records of unknown number"
                position.problems.append(
                    "\(position.scanner?.file.path ?? ""): \(bytes) bytes at byte \(offset) are damaged (\(what)); "
                        + "they were skipped."
                )
                spool.markDamaged(position.segment)
            case .end: return nil
            }
        }
        return nil
    }
}

extension Spool {
    fileprivate func markDamaged(_ first: UInt64) {
        state.withLock { state in
            if let index = state.segments.firstIndex(where: { $0.firstSequence == first }) {
                state.segments[index].isDamaged = true
            }
        }
    }
}
