internal import Synchronization
internal import TocsinCore

/// The last stage: makes outcomes durable, many in one transaction, then acknowledges, publishes and alerts.
///
/// While the store refuses, everything waits here and the sources with it: nothing is lost, nothing is dropped.
struct Writer: Sendable {
    let jobs: Inbox<WriteJob>
    let store: any Store
    let metrics: EngineMetrics
    let hub: LiveHub
    let directory: SensorDirectory
    let listeners: [any AlarmListener]
    let observer: (@Sendable (BatchOutcome) -> Void)?
    let clock: any WallClock
    let condition: ConditionCell
    /// Called once when the store fails for good: closes the engine's inbox, so that sources hear of it.
    let onFailure: @Sendable () -> Void
    /// Outcomes of one transaction at most.
    private static let groupLimit = 64
    /// How long a failing store is tried while the process wants to end.
    private static let drainPatience = Duration.seconds(10)

    /// Returns when the inbox is finished and empty.
    /// - Throws: what the store said when waiting cannot help; later jobs fail with the same error.
    func run() async throws {
        var failure: (any Error)?
        while true {
            let group = await jobs.receiveAll(limit: Self.groupLimit)
            if group.isEmpty { break }
            if let failure {
                for job in group { job.receipt?.fulfil(.failure(failure)) }
                continue
            }
            do {
                try await write(group)
            } catch {
                failure = error
                condition.stall("\(error)")
                onFailure()
                for job in group { job.receipt?.fulfil(.failure(error)) }
            }
        }
        if let failure { throw failure }
    }

    private func write(_ group: [WriteJob]) async throws {
        let started = ContinuousClock.now
        let held = try await persist(group)
        let seconds = (ContinuousClock.now - started).inSeconds
        metrics.update { $0.commits.record(seconds: seconds) }
        let now = clock.now()
        for (job, held) in zip(group, held) {
            var summary = job.summary
            summary.stored -= held.stored
            summary.late -= held.late
            summary.duplicate += held.stored + held.late
            let latency = now.since(job.outcome.batch.origin.received).seconds
            metrics.settle(summary, outcome: job.outcome, latency: latency)
            for change in job.outcome.alarmChanges { directory.note(change) }
            hub.add(points: job.points)
            hub.publish(anomalies: job.outcome.anomalies, alarms: job.outcome.alarmChanges)
            if !job.outcome.alarmChanges.isEmpty {
                for listener in listeners { listener.tell(job.outcome.alarmChanges) }
            }
            observer?(job.outcome)
            job.receipt?.fulfil(.success(summary))
        }
    }

    private func persist(_ group: [WriteJob]) async throws -> [HeldReadings] {
        var delay = Duration.milliseconds(50)
        var giveUp: ContinuousClock.Instant?
        while true {
            do {
                for model in group.flatMap(\.models) { try await store.saveModel(model) }
                let held = try await store.write(group.map(\.outcome))
                condition.recover()
                return held
            } catch let error as TocsinError where error.isRetriable {
                metrics.update { $0.storeErrors += 1 }
                if condition.isEnding {
                    let end = giveUp ?? ContinuousClock.now + Self.drainPatience
                    giveUp = end
                    if ContinuousClock.now >= end { throw error }
                }
                condition.stall(error.message)
                try await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(2))
            }
        }
    }
}
