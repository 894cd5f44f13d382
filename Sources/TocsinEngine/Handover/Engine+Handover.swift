internal import Synchronization
public import TocsinCore
internal import TocsinSpool

// Sensors move from process to process. What stands in the spool of it: that a source's sensors were given up, and what
// came from elsewhere, so that a restart repeats both at the same place in the stream.
extension Engine: SensorHandover {
    /// A store that takes nothing for so long makes `transfer` fail.
    private static let patience = Duration.seconds(60)

    public func transfer(of source: SourceID, isGivenUp: Bool) async throws -> SensorTransfer {
        var run = TransferRun(source: source, isGivenUp: isGivenUp, isWanted: true)
        // What left the engine in an attempt that took too long is still to be had.
        let earlier = isGivenUp ? leaving.withLock { $0[source] } : nil
        if let earlier {
            run = earlier
        } else {
            guard try intake.put(run) != nil else { throw Self.stopped }
            if isGivenUp { leaving.withLock { [run] in $0[source] = run } }
        }
        try await wait(for: run)
        let transfer = run.transfer(table: table, settings: settings)
        if isGivenUp { leaving.withLock { $0[source] = nil } }
        return transfer
    }

    public func forget(_ source: SourceID) async throws {
        let run = TransferRun(source: source, isGivenUp: true, isWanted: false)
        guard let sequence = try intake.put(run) else { throw Self.stopped }
        leaving.withLock { $0[source] = nil }
        try await durability?.spool.durable(sequence)
    }

    public func adopt(_ transfer: SensorTransfer, as source: SourceID) async throws {
        let contents = try TransferContents(transfer.bytes)
        // Here already, so that a table without room refuses before anything is written down.
        _ = try table.withIndex { (index) throws(TocsinError) in try contents.names.intern(into: &index) }
        let adopted = AdoptedSensors(source: source, received: clock.now(), transfer: transfer)
        guard let sequence = try intake.put(adopted) else { throw Self.stopped }
        leaving.withLock { $0[source] = nil }
        try await durability?.spool.durable(sequence)
    }

    private func wait(for run: TransferRun) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                _ = try await run.receipt.wait()
                return true
            }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                return false
            }
            defer { group.cancelAll() }
            guard try await group.next() == true else {
                throw TocsinError(
                    .store, "The store has taken nothing for a minute: the sensors cannot be handed over yet.",
                    remedy: "Ask again when the store takes work.", isRetriable: true)
            }
        }
    }
}
