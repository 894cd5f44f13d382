internal import Synchronization
public import TocsinCore
public import TocsinSpool

/// Sends what became of batches to topics, at least once and in order within a key, and never holds up detection: results
/// go to a spool of their own first, from which each topic is served at its own pace.
///
/// ```swift
/// let output = try KafkaOutput.open(folder: "data/output", settings, table: table, clock: clock)
/// let outlet = OutcomeOutlet(spool: output.spool, observe: output.observe, obstacle: { output.obstacle })
/// await output.run()      // until `finish`
/// await output.close()
/// ```
/// What is guaranteed, where:
/// - Brokers away, for ever if need be: results wait on disk, `status` says since when, and they are sent in their order.
/// - kill -9: what was flushed (`SpoolSettings.flushInterval`, 10 ms) the next process sends. What was not is observed
///   again, if the engine's checkpoint is older; so let a checkpoint be valid only after `flush`, or after `spool` has
///   the record on disk. Then a power cut loses nothing either. Without that wait a result is lost when the checkpoint
///   behind it reaches the disk and the result, appended before, does not: a window of some 10 ms.
/// - Sent twice, with the same `event_id`: what was sent after the position was last written (100 ms), what is observed
///   again, and what the client library gives up and is sent anew.
/// - A message that the brokers refuse for good (too large) is counted, told, and left out.
///
/// A topic that does not exist, or takes nothing, stops its own lane only, until `waitingBytes` are reached, by what waits
/// or by what the disk must keep for it (what little waits for such a topic is carried along, see `carryForward`). Then
/// `obstacle` says so, and whoever feeds `observe` is to wait before the next group. `observe` itself neither blocks nor
/// drops: it runs on one of Swift's few threads, which the sending needs too, and an engine that drains at the end must be
/// rid of its last results, so the bound is passed by what the engine holds inside.
public final class KafkaOutput: Sendable {
    let settings: KafkaOutputSettings
    /// What waits. Only for waiting until records are on disk.
    public let spool: Spool
    private let encoder: OutcomeRecords
    private let table: SeriesTable
    let clock: any WallClock
    let observer: KafkaObserver
    private let positionPath: String
    private let book: Mutex<OutputBook>
    private let current = Mutex<KafkaProducer?>(nil)
    private let lastSave = Mutex<Int64>(0)
    let isEnding = Atomic<Bool>(false)
    /// Nothing is sent any more.
    let isOver = Atomic<Bool>(false)
    let wakes: [AsyncStream<Void>]
    private let wakers: [AsyncStream<Void>.Continuation]
    private static let saveInterval: Int64 = 100_000_000

    init(
        _ settings: KafkaOutputSettings, _ spool: Spool, _ book: consuming OutputBook, positionPath: String,
        table: SeriesTable, clock: any WallClock, observer: KafkaObserver
    ) throws {
        self.settings = settings
        self.spool = spool
        self.book = Mutex(book)
        self.positionPath = positionPath
        self.table = table
        self.clock = clock
        self.observer = observer
        encoder = OutcomeRecords(settings.topics)
        let streams = OutputKind.allCases.map { _ in
            AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        }
        wakes = streams.map(\.stream)
        wakers = streams.map(\.continuation)
        let made = try makeProducer()
        current.withLock { $0 = made }
    }

    private func makeProducer() throws -> KafkaProducer {
        try KafkaProducer(
            settings.producer,
            observer: KafkaObserver(
                problem: { [weak self] in self?.note(problem: $0) }, note: observer.note, log: observer.log))
    }

    // MARK: In

    /// Takes what is to be sent of an outcome: 1 to 2 µs a message, no waiting. To be called in stream order, also for
    /// what is worked through again after a crash.
    public func observe(_ outcome: BatchOutcome) {
        for kind in OutputKind.allCases {
            guard let topic = settings.topics[kind] else { continue }
            var messages = OutcomeRecords.messages(kind, outcome, table)[...]
            while !messages.isEmpty {
                var (count, bytes) = (0, 0)
                while count < messages.count, bytes < OutputBlock.targetBytes {
                    bytes += messages[messages.startIndex + count].size
                    count += 1
                }
                append(kind, topic, messages.prefix(count), UInt64(bytes))
                messages = messages.dropFirst(count)
            }
        }
    }

    private func append(_ kind: OutputKind, _ topic: String, _ messages: ArraySlice<OutputMessage>, _ bytes: UInt64) {
        // In one piece: the totals in a block must be those of its place.
        let failure = book.withLock { book -> TocsinError? in
            let totals = book.totals(adding: messages.count, bytes: bytes, of: kind)
            var writer = StateWriter()
            OutputBlock.write(kind, topic, messages, bytes: bytes, totals: totals, to: &writer)
            do throws(TocsinError) {
                let sequence = try spool.append(writer)
                book.append(kind, sequence, total: totals[kind.index], now: SystemClock.monotonicNanoseconds)
                return nil
            } catch {
                return error
            }
        }
        // Only after `close`: the spool has no bound of its own.
        if let failure { observer.problem("\(messages.count) results for \(topic) were not kept: \(failure)") }
        wakers[kind.index].yield()
    }

    /// Everything of a kind that waits once more, if nothing of it has come behind `mark`.
    /// - Returns: the record; nil = something has come.
    func append(again messages: [OutputMessage], _ kind: OutputKind, _ topic: String, behind mark: OutputMark) throws
        -> UInt64?
    {
        let bytes = messages.reduce(0) { $0 + $1.size }
        return try book.withLock { book in
            guard book.lanes[kind.index].appended == mark else { return nil }
            var writer = StateWriter()
            OutputBlock.write(
                kind, topic, messages[...], bytes: UInt64(bytes), totals: book.lanes.map(\.appended), to: &writer)
            let sequence = try spool.append(writer)
            book.lanes[kind.index].appended.sequence = sequence
            book.last = sequence
            return sequence
        }
    }

    /// What waits of a kind is on disk once more, in this record: nobody needs what stands before.
    func carried(_ kind: OutputKind, to sequence: UInt64) {
        book.withLock { book in
            book.lanes[kind.index].done.sequence = max(book.lanes[kind.index].done.sequence, sequence - 1)
        }
        save(isUrgent: true)
    }

    /// Why nothing more should be observed for now: a sentence; nil while there is room. About 100 ns.
    public var obstacle: String? {
        let figures = spool.figures
        if figures.pendingBytes > settings.pendingBytes {
            return "results for Kafka cannot be written to \(spool.folder)"
        }
        let limit = max(settings.waitingBytes, 0)
        let book = bookCopy()
        guard !book.isIdle else { return nil }
        // Sent segments go one by one, as wholes.
        let isDiskFull = figures.bytes > limit &+ 2 &* settings.spool.segmentBytes
        guard isDiskFull || book.waitingBytes > UInt64(limit) else { return nil }
        let what =
            isDiskFull
            ? "\(figures.bytes) bytes are kept in \(spool.folder) for results that wait for Kafka"
            : "more than \(limit) bytes of results wait for Kafka"
        guard let kind = book.firstStuck, let failure = book.lanes[kind.index].failure else { return what }
        return "\(what): \(name(kind)): \(failure)"
    }

    /// For people.
    func name(_ kind: OutputKind) -> String { settings.topics[kind].map { "topic \($0)" } ?? "an earlier topic" }

    /// Returns when everything observed so far is on disk.
    public func flush() async throws { try await spool.flush() }

    // MARK: The lanes' side

    var producer: KafkaProducer? { current.withLock { $0 } }

    /// A new connection in the place of one that cannot go on.
    func renew(_ old: KafkaProducer) {
        guard producer === old, let made = try? makeProducer() else { return }
        current.withLock { if $0 === old { $0 = made } }
    }

    func isIdle(_ kind: OutputKind) -> Bool { book.withLock { $0.lanes[kind.index].isIdle } }
    var isIdle: Bool { book.withLock { $0.isIdle } }
    func marks(_ kind: OutputKind) -> (done: OutputMark, appended: OutputMark) {
        book.withLock { ($0.lanes[kind.index].done, $0.lanes[kind.index].appended) }
    }

    /// The brokers have everything of the kind up to `mark`, or have refused it.
    func advance(_ kind: OutputKind, to mark: OutputMark, sent: Int) {
        let (isIdle, wasAway) = book.withLock { book in
            let isIdle = book.advance(kind, to: mark, sent: UInt64(sent), now: SystemClock.monotonicNanoseconds)
            defer { if sent > 0 { book.problem = nil } }
            return (isIdle, sent > 0 && book.problem != nil)
        }
        if wasAway { observer.note("results reach Kafka again") }
        save(isUrgent: isIdle)
    }

    func refuse(_ kind: OutputKind, _ count: Int, _ sentence: String) {
        book.withLock { $0.lanes[kind.index].refused &+= UInt64(count) }
        observer.problem(sentence)
    }

    /// Messages of the kind wait for this reason.
    func note(failure: String, of kind: OutputKind) {
        let isNew = book.withLock { book in
            defer { book.lanes[kind.index].failure = failure }
            return book.lanes[kind.index].failure == nil
        }
        if isNew { observer.problem("results wait for Kafka: \(name(kind)): \(failure)") }
    }

    private func note(problem: String) {
        let isNew = book.withLock { book in
            defer { book.problem = problem }
            return book.problem == nil
        }
        if isNew { observer.problem("the way of results to Kafka: \(problem)") }
    }

    /// Lets go of what the brokers have, and writes down where the lanes are.
    func save(isUrgent: Bool) {
        lastSave.withLock { last in
            let now = SystemClock.monotonicNanoseconds
            guard isUrgent || now &- last > Self.saveInterval else { return }
            last = now
            let (position, released) = book.withLock { ($0.position(spool: spool.id), $0.releasable) }
            // A full disk only means that some results are sent again.
            try? position.save(to: positionPath)
            spool.release(through: released)
        }
    }

    // MARK: The end

    /// Lets `run` end: with what waits sent, or after a short patience. Results may be observed until `run` has returned.
    public func finish() {
        isEnding.store(true, ordering: .releasing)
        for waker in wakers { waker.finish() }
    }

    /// Closes the folder; what waits is sent by the next process.
    public func close() async {
        isOver.store(true, ordering: .releasing)
        finish()
        await producer?.close(timeout: .seconds(0))
        save(isUrgent: true)
        await spool.close()
    }

    func bookCopy() -> OutputBook { book.withLock { $0 } }
}
