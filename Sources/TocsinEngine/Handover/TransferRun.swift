internal import Synchronization
internal import TocsinCore

/// The sensors of one source on their way out: the stages hand in what they know of them as the barrier passes, and
/// forget it where the sensors are given up.
final class TransferRun: Sendable {
    private struct State {
        var parts: [CheckpointRun.Part] = []
        var sensors: Set<UInt32> = []
        var position: ReadPosition?
    }

    let source: SourceID
    /// The sensors leave; else they stay, and this makes a copy.
    let isGivenUp: Bool
    /// Somebody asks for the state; else it is forgotten only.
    let isWanted: Bool
    /// Fulfilled when everything before the barrier is durable in the store.
    let receipt = Receipt()
    private let state = Mutex(State())

    init(source: SourceID, isGivenUp: Bool, isWanted: Bool) {
        self.source = source
        self.isGivenUp = isGivenUp
        self.isWanted = isWanted
    }

    func add(_ section: EngineSection, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        state.withLock { $0.parts.append(CheckpointRun.Part(section: section, bytes: bytes)) }
    }

    func add(sensors: [SensorID]) { state.withLock { $0.sensors.formUnion(sensors.map(\.index)) } }

    func note(_ position: ReadPosition?) { state.withLock { $0.position = position } }

    /// What the stages have handed in; to be called when the receipt is fulfilled.
    func transfer(table: SeriesTable, settings: EngineSettings) -> SensorTransfer {
        let (parts, sensors, position) = state.withLock { ($0.parts, $0.sensors, $0.position) }
        let names = table.withIndex { TransferNames(of: sensors, in: $0) }
        return SensorTransfer(
            position: position,
            bytes: TransferContents.encode(names: names, windows: settings.windowFingerprint, parts: parts))
    }
}

/// The sensors of one source on their way in.
final class Adoption: Sendable {
    let source: SourceID
    let contents: TransferContents
    let ids: SavedIDs
    /// Windows are defined here as they were there; else they begin anew.
    let hasWindows: Bool
    /// The time of the source.
    let highWater: Timestamp
    /// By how much that is ahead of what it was where the sensors come from: nothing, unless the clock here lags behind
    /// the readings.
    let shift: Span64

    init(
        source: SourceID, contents: TransferContents, ids: SavedIDs, hasWindows: Bool, highWater: Timestamp,
        shift: Span64
    ) {
        self.source = source
        self.contents = contents
        self.ids = ids
        self.hasWindows = hasWindows
        self.highWater = highWater
        self.shift = shift
    }

    var sensors: [SensorID] { ids.translated.sorted().map(SensorID.init) }
}

/// Sensors that leave the engine, or come into it, behind everything before.
enum Handover: Sendable {
    case leave(TransferRun)
    case adopt(Adoption)
}

/// What a handover has changed for screens.
struct HandoverOutcome: Sendable {
    var left: [SensorID] = []
    /// Open ones that left with them.
    var gone: [Alarm] = []
    /// Open ones that came.
    var alarms: [Alarm] = []
    /// What came cannot be read: those sensors begin anew.
    var isNonsense = false

    /// For those who tell people.
    var changes: [AlarmChange] {
        gone.map { AlarmChange(step: .handedOver, alarm: $0, isTold: false) }
            + alarms.map { AlarmChange(step: .takenOver, alarm: $0, isTold: false) }
    }
}
