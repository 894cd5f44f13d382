internal import Dispatch
internal import TocsinCore

/// What the spool's threads share under its lock: groups in memory, the list of segments, who waits. No I/O in here.
struct SpoolState: Sendable {
    enum Phase: Equatable {
        /// Nothing waits.
        case idle
        /// A flush will come with this ticket; `isSoon`: it needs no hurrying.
        case scheduled(ticket: UInt64, isSoon: Bool)
        case writing
        case closed
    }

    struct Waiter: Sendable {
        var sequence: UInt64
        var continuation: CheckedContinuation<Void, any Error>
    }

    /// A flush to be put on the spool's queue after `delay` nanoseconds.
    struct Wake { var ticket: UInt64, delay: UInt64 }

    var segments: [Segment]
    /// Released; their files are still to be removed.
    var leftovers: [Segment] = []
    var nextSequence: UInt64
    var durableSequence: UInt64
    /// What the engine no longer needs.
    var releasedThrough: UInt64 = 0
    /// Others who read the spool at their own pace: what each of them has.
    var holds: [String: UInt64] = [:]
    /// Takes what is appended.
    var filling = RecordGroup()
    /// Being written; nothing changes it meanwhile.
    var flight: RecordGroup?
    private var spare = RecordGroup()
    var phase = Phase.idle
    var condition = SpoolCondition.working
    var waiters: [UInt64: Waiter] = [:]
    private var flushes: UInt64 = 0
    /// Uptime of the last flush's start in nanoseconds.
    private var lastFlush: UInt64 = 0
    private var tickets: UInt64 = 0
    private var attempts = 0

    init(segments: [Segment], nextSequence: UInt64) {
        self.segments = segments
        self.nextSequence = nextSequence
        durableSequence = nextSequence - 1
    }

    var pendingBytes: Int { filling.bytes.count + (flight?.bytes.count ?? 0) }
    var diskBytes: Int64 { segments.reduce(0) { $0 + $1.end } }

    /// Nobody needs the records up to this one.
    var deletableThrough: UInt64 { min(releasedThrough, holds.values.min() ?? .max) }

    mutating func newTicket() -> UInt64 {
        tickets += 1
        return tickets
    }

    /// Takes the segments that are released wholly off the list; true when files are to be deleted or the active one is
    /// to be replaced.
    mutating func release(through sequence: UInt64, _ settings: SpoolSettings) -> Bool {
        releasedThrough = max(releasedThrough, sequence)
        let released = deletableThrough
        let count = segments.dropLast().prefix { $0.lastSequence <= released }.count
        leftovers += segments.prefix(count)
        segments.removeFirst(count)
        let isActiveReleased = segments.count == 1 && segments[0].lastSequence <= released
        return !leftovers.isEmpty || (isActiveReleased && segments[0].end > settings.rollBytes)
    }

    func checkRoom(_ bytes: Int, _ settings: SpoolSettings, _ folder: String) throws(TocsinError) {
        if phase == .closed { throw .closedSpool(folder) }
        if diskBytes + Int64(pendingBytes + bytes) > settings.maximumBytes {
            throw TocsinError(
                .spool,
                "The spool is full: it holds \(diskBytes + Int64(pendingBytes)) of \(settings.maximumBytes) bytes.",
                place: folder,
                remedy: "Find out why the engine or the store lags behind, or allow the spool more bytes.",
                isRetriable: true)
        }
        if pendingBytes + bytes > settings.pendingBytes, pendingBytes > 0 {
            let reason = if case .failing(let reason) = condition { "is failing (\(reason))" } else { "is too slow" }
            throw TocsinError(
                .spool, "The spool's disk \(reason): \(pendingBytes) bytes wait in memory.", place: folder,
                remedy: "Free or replace the disk; what waits is written as soon as it works.", isRetriable: true)
        }
    }

    mutating func append(
        _ payload: [UInt8], sum: UInt32, isVoid: Bool, salt: UInt32, _ settings: SpoolSettings
    ) -> (sequence: UInt64, wake: Wake?) {
        let sequence = nextSequence
        nextSequence += 1
        filling.append(payload.span, sum: sum, sequence: sequence, isVoid: isVoid, salt: salt)
        return (sequence, schedule(settings))
    }

    /// The flush that what waits needs and that is not on its way yet.
    private mutating func schedule(_ settings: SpoolSettings) -> Wake? {
        let isUrgent = settings.flushesEachBatch || filling.bytes.count >= settings.flushBytes
        switch phase {
        case .writing, .closed, .scheduled(_, isSoon: true): return nil
        case .scheduled(_, isSoon: false): return isUrgent ? hurry() : nil
        case .idle:
            let due = lastFlush &+ UInt64(max(settings.flushInterval.nanoseconds, 0))
            let now = DispatchTime.now().uptimeNanoseconds
            let ticket = newTicket()
            let isSoon = isUrgent || due <= now
            phase = .scheduled(ticket: ticket, isSoon: isSoon)
            return Wake(ticket: ticket, delay: isSoon ? 0 : due - now)
        }
    }

    /// Brings a flush that would come later forward.
    mutating func hurry() -> Wake? {
        guard case .scheduled(_, isSoon: false) = phase else { return nil }
        let ticket = newTicket()
        phase = .scheduled(ticket: ticket, isSoon: true)
        return Wake(ticket: ticket, delay: 0)
    }

    /// The group to write now; nil for a ticket that was overtaken, or when nothing waits.
    mutating func begin(_ ticket: UInt64) -> RecordGroup? {
        guard phase == .scheduled(ticket: ticket, isSoon: true) || phase == .scheduled(ticket: ticket, isSoon: false)
        else { return nil }
        guard let group = takeFlight() else {
            phase = .idle
            return nil
        }
        phase = .writing
        lastFlush = DispatchTime.now().uptimeNanoseconds
        return group
    }

    /// The group a failed attempt left, or else what has gathered.
    mutating func takeFlight() -> RecordGroup? {
        if flight == nil, !filling.isEmpty {
            flight = filling
            filling = spare
            spare = RecordGroup()
        }
        return flight
    }

    /// After the group is on disk: who may go on, and the next flush.
    mutating func finish(_ settings: SpoolSettings) -> (ready: [Waiter], wake: Wake?) {
        if var group = flight.take() {
            durableSequence = max(durableSequence, group.lastSequence)
            group.removeAll(keeping: 2 * settings.flushBytes)
            spare = group
        }
        flushes += 1
        attempts = 0
        var ready: [Waiter] = []
        for (ticket, waiter) in waiters where waiter.sequence <= durableSequence {
            ready.append(waiter)
            waiters[ticket] = nil
        }
        guard phase != .closed else { return (ready, nil) }
        phase = .idle
        return (ready, filling.isEmpty ? nil : schedule(settings))
    }

    /// After an attempt failed: the next one.
    mutating func retry(_ settings: SpoolSettings) -> Wake? {
        guard phase != .closed else { return nil }
        let first = UInt64(max(settings.firstRetryDelay.nanoseconds, 1))
        let longest = UInt64(max(settings.longestRetryDelay.nanoseconds, 1))
        let delay = min(
            attempts < 20 ? first.multipliedReportingOverflow(by: 1 << UInt64(attempts)).partialValue : longest, longest
        )
        attempts += 1
        let ticket = newTicket()
        phase = .scheduled(ticket: ticket, isSoon: true)
        return Wake(ticket: ticket, delay: max(delay, 1))
    }

    var figures: SpoolFigures {
        var figures = SpoolFigures()
        figures.bytes = diskBytes
        figures.segments = segments.count
        let oldestOnDisk = segments.first { $0.lastSequence >= $0.firstSequence }?.firstSequence
        figures.oldestSequence =
            oldestOnDisk ?? flight?.entries.first?.sequence ?? filling.entries.first?.sequence ?? nextSequence
        figures.nextSequence = nextSequence
        figures.durableSequence = durableSequence
        figures.pendingBytes = pendingBytes
        figures.pendingRecords = filling.entries.count + (flight?.entries.count ?? 0)
        figures.flushes = flushes
        figures.condition = condition
        return figures
    }
}
