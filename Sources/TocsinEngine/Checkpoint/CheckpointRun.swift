internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

/// One checkpoint under way: the stages hand in their parts as the barrier passes them, the shards theirs bit by bit
/// while they work on; the checkpointer writes them as they come.
///
/// Complete when every shard has handed in its last part, the joiner its own, and everything before the barrier is
/// durable in the store.
final class CheckpointRun: Sendable {
    struct Part: Sendable {
        var section: EngineSection
        var bytes: [UInt8]
    }

    private struct State {
        var parts: [Part] = []
        var bytes = 0
        var missing: Int
        var isCancelled = false
        var longestPause = 0.0
        var waiter: CheckedContinuation<Void, Never>?
    }

    /// Of the last admission before the barrier.
    let sequence: UInt64
    private let state: Mutex<State>
    /// Shards pause their sweep while so much waits for the disk.
    private static let waitingBytes = 32 << 20

    init(sequence: UInt64, shards: Int) {
        self.sequence = sequence
        // Each shard, the joiner, and the writer.
        state = Mutex(State(missing: shards + 2))
    }

    var isCrowded: Bool { state.withLock { $0.bytes > Self.waitingBytes } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    /// Longest time in seconds that any stage was held up at once.
    var longestPause: Double { state.withLock { $0.longestPause } }

    func add(_ section: EngineSection, _ bytes: [UInt8]) {
        change { state in
            state.parts.append(Part(section: section, bytes: bytes))
            state.bytes += bytes.count
        }
    }

    /// One of the stages has handed in everything.
    func finishStage() { change { $0.missing -= 1 } }

    /// The engine ends before the checkpoint is whole.
    func cancel() { change { $0.isCancelled = true } }

    func notePause(_ seconds: Double) { state.withLock { $0.longestPause = max($0.longestPause, seconds) } }

    /// The parts that came in since the last call; suspends while there is none; nil when all have been taken, or the
    /// run was cancelled.
    func nextParts() async -> [Part]? {
        while true {
            let (parts, isOver): ([Part], Bool) = state.withLock { state in
                defer {
                    state.parts = []
                    state.bytes = 0
                }
                return (state.parts, state.missing == 0 || state.isCancelled)
            }
            if !parts.isEmpty { return parts }
            if isOver { return nil }
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    if !state.parts.isEmpty || state.missing == 0 || state.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}

/// What a section of a checkpoint holds. Raw values are stored: append only.
enum EngineSection: UInt8, Sendable {
    /// The settings that give the state its shape.
    case engine = 1
    /// The series table.
    case names = 2
    case router = 3
    case joiner = 4
    /// High-water marks, and one record a sensor.
    case sensors = 5
    /// One record a series.
    case series = 6
    /// How far each source has been read.
    case positions = 7
    /// What people have done with alarms.
    case care = 8
}

extension CheckpointSection {
    init(_ section: EngineSection) { self.init(SectionKind(section.rawValue)) }
}
