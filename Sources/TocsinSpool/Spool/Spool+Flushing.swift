internal import Dispatch
internal import Synchronization
internal import TocsinCore

/// The active segment's file; touched on the spool's queue only.
struct ActiveSegment: Sendable {
    /// Held as long as the spool is open.
    var lock: OpenFile?
    var file: OpenFile?
    var segment: Segment
    /// So many bytes of the group in flight are on disk: where a retry goes on.
    var done = 0
}

extension Spool {
    /// One round on the spool's queue: writes what waits, forces the disk, resumes who waited.
    func flush(_ ticket: UInt64) {
        let start = DispatchTime.now().uptimeNanoseconds
        switch writeGroup({ $0.begin(ticket) }) {
        case .success(0): return
        case .success(let bytes): finishFlush(bytes: bytes, start: start)
        case .failure(let failure):
            let (wake, isNew) = state.withLock { state in
                let isNew = state.condition == .working
                state.condition = .failing(failure.description)
                return (state.retry(settings), isNew)
            }
            perform(wake)
            if isNew { observer.onConditionChange(.failing(failure.description)) }
        }
    }

    private func finishFlush(bytes: Int, start: UInt64) {
        let (finished, hasRecovered) = state.withLock { state in
            let hasRecovered = state.condition != .working
            state.condition = .working
            let finished = state.finish(settings)
            publish(durable: state.durableSequence)
            return (finished, hasRecovered)
        }
        perform(finished.wake)
        for waiter in finished.ready { waiter.continuation.resume() }
        if hasRecovered { observer.onConditionChange(.working) }
        observer.onFlush(bytes, Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
    }

    /// Writes the group that `take` chooses; its bytes, 0 when there is none. A function of its own so that no copy of
    /// the group is left when its memory is used again.
    private func writeGroup(_ take: (inout SpoolState) -> RecordGroup?) -> Result<Int, FileFailure> {
        guard let group = state.withLock({ take(&$0) }) else { return .success(0) }
        return disk.withLock { disk in
            Result { () throws(FileFailure) in
                do throws(FileFailure) {
                    try write(group, &disk)
                } catch {
                    // A torn record is not left standing; where this fails too, the retry writes over it.
                    try? disk.file?.truncate(to: disk.segment.end)
                    throw error
                }
                disk.done = 0
                return group.bytes.count
            }
        }
    }

    private func write(_ group: RecordGroup, _ disk: inout ActiveSegment) throws(FileFailure) {
        while disk.done < group.bytes.count {
            let room = settings.segmentBytes - disk.segment.end
            let part = group.end(from: disk.done, room: room)
            let isEmpty = disk.segment.end <= SegmentHeader.size
            if disk.file == nil || (!isEmpty && Int64(part.bytes - disk.done) > room) {
                try beginSegment(&disk)
                continue
            }
            try disk.file?.write(group.bytes, disk.done..<part.bytes, at: disk.segment.end)
            if settings.isDurable { try disk.file?.sync() }
            disk.segment.end += Int64(part.bytes - disk.done)
            disk.segment.lastSequence = part.sequence
            disk.done = part.bytes
            let segment = disk.segment
            state.withLock { $0.segments[$0.segments.count - 1] = segment }
        }
    }

    /// Seals the active segment and begins the next one.
    private func beginSegment(_ disk: inout ActiveSegment) throws(FileFailure) {
        let first = disk.segment.lastSequence + 1
        let path = folder + "/" + SegmentHeader.fileName(first: first)
        let header = SegmentHeader(spool: id, firstSequence: first)
        disk.file = try SpoolOpening.createSegment(path, header, files, isDurable: settings.isDurable)
        disk.segment = Segment(path: path, firstSequence: first, lastSequence: first - 1, end: SegmentHeader.size)
        let segment = disk.segment
        state.withLock { $0.segments.append(segment) }
    }

    /// Says that everything downstream has the records up to this one: segments with none beyond it leave the spool at
    /// once; their files are deleted soon, on the spool's own queue.
    public func release(through sequence: UInt64) {
        let hasWork = state.withLock { $0.release(through: sequence, settings) }
        if hasWork { queue.async { self.removeReleased() } }
    }

    /// Keeps the records behind `sequence`, whatever is released, until the next call under the same name: for those who
    /// read the spool at their own pace and have the records up to this one.
    public func hold(_ name: String, after sequence: UInt64) {
        let hasWork = state.withLock { state in
            state.holds[name] = sequence
            return state.release(through: state.releasedThrough, settings)
        }
        if hasWork { queue.async { self.removeReleased() } }
    }

    private func removeReleased() {
        // Deleting first may free the very space that a new segment needs.
        removeLeftovers()
        let isRolled = disk.withLock { disk in
            let (released, isBusy) = state.withLock { ($0.deletableThrough, $0.flight != nil) }
            guard !isBusy, disk.file != nil, disk.segment.lastSequence <= released,
                disk.segment.end > settings.rollBytes
            else { return false }
            // Not possible now is no harm: the next release tries again.
            return (try? beginSegment(&disk)) != nil
        }
        if isRolled, state.withLock({ $0.release(through: $0.releasedThrough, settings) }) { removeLeftovers() }
    }

    private func removeLeftovers() {
        let gone = state.withLock { state in
            defer { state.leftovers = [] }
            return state.leftovers
        }
        var leftovers: [Segment] = []
        for segment in gone {
            do {
                if segment.isDamaged {
                    try files.rename(segment.path, to: segment.path + ".damaged")
                } else {
                    try files.remove(segment.path)
                }
            } catch {
                leftovers.append(segment)
            }
        }
        if gone.contains(where: \.isDamaged) { pruneDamaged() }
        if !leftovers.isEmpty { state.withLock { $0.leftovers += leftovers } }
    }

    private func pruneDamaged() {
        let names = ((try? files.names(in: folder)) ?? []).filter { $0.hasSuffix(".spool.damaged") }.sorted()
        for name in names.dropLast(settings.keptDamagedSegments) { try? files.remove(folder + "/" + name) }
    }

    /// Writes what waits, one attempt, closes the files and unlocks the folder. Appending throws from now on; who still
    /// waits for a record that could not be written is thrown an error.
    public func close() async {
        let isFirst = state.withLock { state in
            defer { state.phase = .closed }
            return state.phase != .closed
        }
        guard isFirst else { return }
        await withCheckedContinuation { continuation in
            queue.async {
                self.finishClosing()
                continuation.resume()
            }
        }
    }

    private func finishClosing() {
        while case .success(let bytes) = writeGroup({ $0.takeFlight() }), bytes > 0 {
            finishFlush(bytes: bytes, start: DispatchTime.now().uptimeNanoseconds)
        }
        disk.withLock { disk in
            disk.file = nil
            disk.lock = nil
        }
        let left = state.withLock { state in
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in left { waiter.continuation.resume(throwing: TocsinError.closedSpool(folder)) }
    }
}
