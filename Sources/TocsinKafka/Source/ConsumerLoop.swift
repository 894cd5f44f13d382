internal import CKafka
internal import Dispatch
internal import Synchronization
internal import TocsinCore

/// The thread that polls: takes messages, answers the group, commits what is durable. It never waits for the engine.
///
/// Sendable: what is not behind a lock belongs to `run` alone, which is called once, on a thread of its own.
final class ConsumerLoop: @unchecked Sendable {
    /// What others ask of the thread.
    enum Command {
        /// Read a partition from an offset (or a logical one) on.
        case start(PartitionLane, offset: Int64, committed: Int64)
        /// What the lanes of these partitions held is dealt with: commit and let go.
        case release([TopicPartition], isLost: Bool)
        case move(TopicPartition, offset: Int64)
        /// Take no more messages; the lanes are closed.
        case drain
        /// Commit, leave the group, end.
        case close
    }

    /// What the thread tells.
    enum Event: Sendable {
        case assigned([TopicPartition])
        case revoked([TopicPartition], isLost: Bool)
        case outOfRange(TopicPartition, offset: Int64)
        case failed(TocsinError)
        case stop
        case ended
    }

    /// A rebalance that waits for the coordinator.
    enum Answer {
        /// Eager: all at once, when the last is prepared.
        case assigning(Set<TopicPartition>, ready: [PartitionOffset])
        case revoking([TopicPartition])
        case committing([TopicPartition], deadline: Int64)
    }

    let client: ConsumerClient
    let settings: KafkaSourceSettings
    let board: StatusBoard
    let clock: any WallClock
    let gate: AlignmentGate
    let events: AsyncStream<Event>
    private let output: AsyncStream<Event>.Continuation
    private let commands = Mutex<[Command]>([])
    private let wake = DispatchSemaphore(value: 0)
    private let thread = BlockingThread("tocsin.kafka.consumer")
    private static let commitTimeout: Int64 = 5_000_000_000
    static let batchSize = 10_000

    // The thread's own.
    var intakes: [PartitionIntake] = []
    var rebalances: [ClientEvents.Event] = []
    var answer: Answer?
    var commitsUnderWay = 0
    /// In a row, because the group was changing.
    var commitFailures = 0
    var lastCommit: Int64 = 0
    private var lastFigures: Int64 = 0
    var lastAlignment: Int64 = 0
    var heldSince: Int64?
    /// Bytes of a message on average, and how many may be taken at once.
    var averageBytes = 4096
    var room = 1
    private var isDraining = false
    private var closing: (deadline: Int64, hasBegun: Bool)?
    let messages = UnsafeMutableBufferPointer<UnsafeMutablePointer<tkf_message>?>.allocate(capacity: batchSize)

    init(client: ConsumerClient, settings: KafkaSourceSettings, board: StatusBoard, clock: any WallClock) {
        gate = AlignmentGate(limit: settings.alignment, patience: settings.alignmentPatience, board: board)
        self.client = client
        self.settings = settings
        self.board = board
        self.clock = clock
        messages.initialize(repeating: nil)
        (events, output) = AsyncStream.makeStream()
    }

    deinit { messages.deallocate() }

    func start() { thread.start { self.run() } }
    func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        signal()
    }
    func stop() { output.yield(.stop) }
    func tell(_ event: Event) { output.yield(event) }
    /// Something became durable: the thread may go on.
    func signal() { wake.signal() }

    private func run() {
        while true {
            obey()
            answerGroup()
            if isClosed() { break }
            if isHeld() {
                _ = wake.wait(timeout: .now() + .milliseconds(5))
            } else {
                poll()
            }
            flush()
            let now = SystemClock.monotonicNanoseconds
            align(now)
            commit(now)
            if now - lastFigures > 500_000_000 {
                lastFigures = now
                show()
            }
        }
        gate.tick()
        output.yield(.ended)
        output.finish()
    }

    private func obey() {
        let commands = commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
        var starts: [PartitionOffset] = []
        for command in commands {
            switch command {
            case .start(let lane, let offset, let committed):
                if let start = begin(lane, offset: offset, committed: committed, isDraining) { starts.append(start) }
            case .release(let partitions, let isLost): release(partitions, isLost: isLost)
            case .move(let partition, let offset): move(partition, offset)
            case .drain:
                isDraining = true
                for index in intakes.indices { intakes[index].close() }
            case .close:
                isDraining = true
                for index in intakes.indices { intakes[index].close() }
                commitFailures = 0
                closing = (SystemClock.monotonicNanoseconds + Self.commitTimeout, false)
            }
        }
        assign(starts)
        if !commands.isEmpty { show() }
    }

    /// Answers rebalances, one after the other.
    private func answerGroup() {
        for event in client.events.take() {
            switch event {
            case .assigned, .revoked: rebalances.append(event)
            case .committed(let failure, let offsets): committed(failure, offsets)
            case .failed(let failure): failed(failure)
            }
        }
        finishAnswer()
        while answer == nil, !rebalances.isEmpty {
            if isDraining, closing == nil, case .revoked = rebalances[0] { break }
            handle(rebalances.removeFirst(), isDraining: isDraining)
            finishAnswer()
        }
    }

    private func isClosed() -> Bool {
        guard let (deadline, hasBegun) = closing else { return false }
        let now = SystemClock.monotonicNanoseconds
        if hasBegun { return tkf_is_closed(client.pointer) != 0 || now > deadline }
        guard isEverythingCommitted(now) || now > deadline else { return false }
        if client.mustStayOpen { return true }
        _ = tkf_close_begin(client.pointer, client.queue, nil, 0)
        closing = (now + Self.commitTimeout, true)
        return false
    }

    func deadline() -> Int64 { SystemClock.monotonicNanoseconds + Self.commitTimeout }
}
