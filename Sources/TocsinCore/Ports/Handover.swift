/// What a process knows of the sensors of one source (a partition of Kafka), to be taken up by another: names, windows,
/// detectors, open alarms. Plain bytes in a versioned form of the engine's own.
public struct SensorTransfer: Sendable {
    /// Where the source goes on behind what is in the state; nil where nothing has come from it yet.
    public var position: ReadPosition?
    public var bytes: [UInt8]

    public init(position: ReadPosition?, bytes: [UInt8]) {
        self.position = position
        self.bytes = bytes
    }
}

/// The engine as a source sees it whose parts move between processes.
///
/// A part is given up by one process and taken up by the next; in between nobody scores its readings, so that each is
/// scored by exactly one process, with the state that all readings before it have left. The order that loses and doubles
/// nothing, also with `kill -9` between any two steps:
///
/// 1. Nothing of the part is enqueued any more.
/// 2. `transfer(isGivenUp: false)`; the copy is saved where others find it. Then the position may be committed, never
///    one beyond the copy that is saved. A source that saves copies now and then may leave this step out: what a crash
///    costs is then the way from its last copy.
/// 3. `transfer(isGivenUp: true)`, saved over the copy. The copy is as good for readings; but time has gone on between
///    the two, and a window or an alarm that ended by time alone is told in this state, and only in the copy still open.
/// 4. The part is let go. The next process takes the newest saved state, calls `adopt`, and reads on at its `position`,
///    whatever is committed.
///
/// A process that ends before 3 still has the sensors when it starts again, one that ends behind it has none: both are
/// on its disk. In either case the next one begins at the saved copy and reads again what came behind it; the same
/// readings on the same state give the same rows under the same ids, which are written over themselves. A process that
/// starts again calls `forget` for every part that it has a position of and that was given to another in the meantime.
public protocol SensorHandover: Sendable {
    /// The state of all sensors whose last reading came from `source`, behind everything that was enqueued before this
    /// call; returns when that is judged and durable in the store. Costs about 10 µs a sensor.
    /// - Parameter isGivenUp: the sensors and their open alarms leave this engine, without anybody being told; otherwise
    ///   they stay, and the result is a copy for the case that this process never comes back. Asked again after an
    ///   error, it gives the state that has left.
    /// - Throws: when the engine stops or the store takes nothing for a minute.
    func transfer(of source: SourceID, isGivenUp: Bool) async throws -> SensorTransfer

    /// Takes a state up under `source`, before the first batch of it is enqueued. What this engine knew of the source's
    /// sensors is replaced. Returns when the spool has it on disk: the store is not waited for.
    /// - Throws: `TocsinError(.format)` for bytes that are no transfer, damaged, or of a newer program;
    ///   `.configuration` where `engine.maxSeries` leaves no room.
    func adopt(_ transfer: SensorTransfer, as source: SourceID) async throws

    /// Forgets what this engine knows of a source's sensors, its position too: another process has gone on with them.
    /// Returns when the spool has it on disk.
    func forget(_ source: SourceID) async throws
}
