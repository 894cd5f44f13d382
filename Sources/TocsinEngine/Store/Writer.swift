internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

/// The last stage: makes outcomes durable, many in one transaction, then acknowledges, publishes and alerts.
///
/// While the store refuses, everything waits here, and input in the spool; without a spool the sources wait too. Nothing is
/// lost, nothing is dropped.
struct Writer: Sendable {
    let jobs: Inbox<WriteJob>
    let store: any Store
    let metrics: EngineMetrics
    let hub: LiveHub
    let directory: SensorDirectory
    let listeners: [any AlarmListener]
    let observer: (@Sendable (BatchOutcome) -> Void)?
    let outlet: OutcomeOutlet?
    let clock: any WallClock
    let condition: ConditionCell
    /// Nothing is stored or told of what the spool does not have on disk: after a crash it would be told again.
    let spool: Spool?
    /// Called once when the store fails for good: closes the engine's inbox, so that sources hear of it.
    let onFailure: @Sendable () -> Void
    /// The place of the next alarm change.
    var told = AlarmMark.none
    /// Outcomes of one transaction at most.
    private static let groupLimit = 64
    /// How long a failing store is tried while the process wants to end.
    private static let drainPatience = Duration.seconds(10)

    /// Returns when the inbox is finished and empty.
    /// - Throws: what the store said when waiting cannot help; later jobs fail with the same error.
    mutating func run() async throws {
        var failure: (any Error)?
        while true {
            let group = await jobs.receiveAll(limit: Self.groupLimit)
            if group.isEmpty { break }
            if let failure {
                giveUp(group, failure)
                continue
            }
            do {
                try await write(group)
            } catch {
                failure = error
                condition.noteStore("\(error)")
                onFailure()
                giveUp(group, error)
            }
        }
        // What the spool holds is worked through by the next process: an end, not a failure. Unless its disk fails too.
        let isKept = spool?.figures.condition == .working && (failure as? TocsinError)?.isRetriable == true
        if let failure, !isKept { throw failure }
    }

    private func giveUp(_ group: [WriteJob], _ error: any Error) {
        for job in group {
            job.receipt?.fulfil(.failure(error))
            job.checkpoint?.cancel()
        }
    }

    private mutating func write(_ group: [WriteJob]) async throws {
        if let spool, let last = group.map(\.sequence).max() {
            // A disk that fails is told by the spool itself. When the process wants to end, it is not waited for for ever:
            // then the batch is stored, and its sender, who got no acknowledgement, sends it again.
            _ = try await spool.durable(
                last, patience: Self.drainPatience, isEnding: { [condition] in condition.isEnding })
        }
        await waitForOutlet()
        let started = ContinuousClock.now
        let held = try await persist(group)
        let seconds = (ContinuousClock.now - started).inSeconds
        metrics.update { $0.commits.record(seconds: seconds) }
        let now = clock.now()
        for (job, held) in zip(group, held) {
            var summary = job.summary
            // What this process finds in the spool it may have stored before it was ended: stored once all the same.
            if !job.isRecovered {
                summary.stored -= held.stored
                summary.late -= held.late
                summary.duplicate += held.stored + held.late
            }
            let latency = job.isRecovered ? nil : now.since(job.outcome.batch.origin.received).seconds
            metrics.settle(summary, outcome: job.outcome, latency: latency)
            publish(job)
            observer?(job.outcome)
            outlet?.observe(job.outcome)
            job.receipt?.fulfil(.success(summary))
            if let checkpoint = job.checkpoint { await settle(checkpoint) }
        }
    }

    /// Before the store has them: what comes of a group is given on in one go.
    private func waitForOutlet() async {
        while !condition.isEnding, let obstacle = outlet?.obstacle() {
            condition.noteStore(obstacle)
            // Cut off, it would look without end: what is left to write is written, outlet or not.
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
        }
    }

    /// A checkpoint covers what was observed and told: that must outlive a crash as well, and a power cut.
    private func settle(_ checkpoint: CheckpointRun) async {
        if let spool = outlet?.spool {
            let isKept = try? await spool.durable(
                spool.figures.nextSequence - 1, patience: Self.drainPatience,
                isEnding: { [condition] in condition.isEnding })
            guard isKept == true else { return checkpoint.cancel() }
        }
        for listener in listeners {
            guard await listener.keep() else { return checkpoint.cancel() }
        }
        checkpoint.finishStage()
    }

    private mutating func publish(_ job: WriteJob) {
        let written = job.outcome.alarmChanges
        if let handover = job.handover {
            directory.forget(handover.left)
            let open = handover.alarms.map { AlarmChange(step: .updated, alarm: $0) }
            for change in open { directory.note(change) }
            if !job.isRecovered { hub.publish(anomalies: [], alarms: open) }
        }
        for change in written { directory.note(change) }
        if !job.isRecovered { hub.publish(anomalies: job.outcome.anomalies, alarms: written) }
        let changes = (job.handover?.changes ?? []) + written
        guard !changes.isEmpty else { return }
        // One input may come in several jobs.
        if job.sequence != told.sequence { told = AlarmMark(sequence: job.sequence, change: 0) }
        let first = told
        told = first.advanced(by: changes.count)
        for listener in listeners {
            let through = listener.toldThrough
            var known = 0
            while job.isRecovered, known < changes.count, first.advanced(by: known) <= through { known += 1 }
            if known < changes.count {
                listener.tell(Array(changes[known...]), from: first.advanced(by: known))
            }
        }
    }

    private func persist(_ group: [WriteJob]) async throws -> [HeldReadings] {
        var delay = Duration.milliseconds(50)
        var giveUp: ContinuousClock.Instant?
        while true {
            do {
                for model in group.flatMap(\.models) { try await store.saveModel(model) }
                let held = try await store.write(group.map(\.outcome))
                condition.noteStore(nil)
                return held
            } catch let error as TocsinError where error.isRetriable {
                metrics.update { $0.storeErrors += 1 }
                if condition.isEnding {
                    let end = giveUp ?? ContinuousClock.now + Self.drainPatience
                    giveUp = end
                    if ContinuousClock.now >= end { throw error }
                }
                condition.noteStore(error.message)
                try await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(2))
            }
        }
    }
}
