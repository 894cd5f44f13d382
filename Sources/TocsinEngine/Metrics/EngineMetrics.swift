internal import Synchronization
public import TocsinCore

/// What the engine counts. All changes of one batch happen under one lock, so that promise 1 holds at every moment:
/// `received == stored + late + duplicate + deadLettered + spooled + handedOver`.
public final class EngineMetrics: Sendable {
    public struct Snapshot: Sendable {
        /// Readings and undecodable messages that were handed to the engine.
        public var received: UInt64 = 0
        public var stored: UInt64 = 0
        public var late: UInt64 = 0
        public var duplicate: UInt64 = 0
        public var deadLettered: UInt64 = 0
        /// In the spool (where there is one) and in memory, not yet judged and stored.
        public var spooled: UInt64 = 0
        /// Received, and given to another process before their turn had come (`engine.order: event` only).
        public var handedOver: UInt64 = 0
        /// Of those received: read back from the spool after a restart.
        public var recovered: UInt64 = 0
        public var deadLettersByReason: [DeadLetterReason: UInt64] = [:]
        public var receivedBySource: [String: UInt64] = [:]

        public var events: UInt64 = 0
        public var batches: UInt64 = 0
        public var windows: UInt64 = 0
        public var anomaliesByKind: [AnomalyKind: UInt64] = [:]
        public var alarmsRaised: UInt64 = 0
        public var alarmsCleared: UInt64 = 0
        public var modelRuns: UInt64 = 0
        public var storeErrors: UInt64 = 0
        public var checkpoints: UInt64 = 0
        public var checkpointErrors: UInt64 = 0
        /// Of the last checkpoint: bytes, seconds from barrier to disk, longest time a stage was held up.
        public var lastCheckpoint: (bytes: Int, seconds: Double, pause: Double) = (0, 0, 0)

        /// From the arrival of a batch to its verdicts being durable and published, seconds, one count a reading.
        public var latency = Histogram()
        /// Processing in the shard per reading (all detectors and windows), seconds, one count a reading.
        public var inference = Histogram()
        /// Store transactions, seconds.
        public var commits = Histogram()

        public var anomalies: UInt64 { anomaliesByKind.values.reduce(0, +) }

        /// Readings came in and wait, by source.
        mutating func take(_ readings: [String: UInt64]) {
            let count = readings.values.reduce(0, +)
            received += count
            spooled += count
            receivedBySource.merge(readings, uniquingKeysWith: +)
        }
    }

    private let state = Mutex(Snapshot())

    public init() {}

    public var snapshot: Snapshot { state.withLock { $0 } }

    func update(_ change: (inout Snapshot) -> Void) { state.withLock { change(&$0) } }

    /// A batch entered: its readings count as spooled from now on.
    func admit(_ batch: Batch) {
        let count = UInt64(batch.inputCount)
        update {
            $0.received += count
            $0.spooled += count
            $0.events += UInt64(batch.eventCount)
            $0.batches += 1
            $0.receivedBySource[batch.origin.sourceName, default: 0] += count
        }
    }

    /// What was taken in before the start and has not been judged: it counts from now on. `admit(recovered:of:)` follows for
    /// each batch when its turn comes.
    /// - Parameter readings: by source.
    func expect(_ readings: [String: UInt64]) {
        update {
            $0.take(readings)
            $0.recovered += readings.values.reduce(0, +)
        }
    }

    /// The turn of a batch from before the start.
    /// - Parameter expected: what was told to `expect` and has not had its turn. Where names are missing in the spool less
    ///   was told than comes.
    func admit(recovered batch: Batch, of expected: inout [String: UInt64]) {
        let source = batch.origin.sourceName
        let count = UInt64(batch.inputCount)
        let told = min(expected[source] ?? 0, count)
        if told > 0 { expected[source]? -= told }
        update {
            $0.take([source: count - told])
            $0.recovered += count - told
            $0.events += UInt64(batch.eventCount)
            $0.batches += 1
        }
    }

    /// What was told to `expect` and cannot be read any more.
    func withdraw(_ expected: [String: UInt64]) {
        let count = expected.values.reduce(0, +)
        guard count > 0 else { return }
        update {
            $0.received -= count
            $0.recovered -= count
            $0.spooled -= count
            for (source, count) in expected { $0.receivedBySource[source, default: count] -= count }
        }
    }

    /// The engine had stopped before it could take the batch: it never was in.
    func withdraw(_ batch: Batch) {
        let count = UInt64(batch.inputCount)
        update {
            $0.received -= count
            $0.spooled -= count
            $0.events -= UInt64(batch.eventCount)
            $0.batches -= 1
            $0.receivedBySource[batch.origin.sourceName, default: count] -= count
        }
    }

    /// A batch became durable: its readings leave `spooled` for good.
    func settle(_ summary: DeliverySummary, outcome: BatchOutcome, latency: Double?) {
        update {
            $0.stored += UInt64(summary.stored)
            $0.late += UInt64(summary.late)
            $0.duplicate += UInt64(summary.duplicate)
            $0.deadLettered += UInt64(summary.deadLettered)
            $0.spooled -= UInt64(outcome.batch.inputCount)
            for letter in outcome.deadLetters {
                $0.deadLettersByReason[letter.reason, default: 0] += UInt64(letter.readings)
            }
            $0.windows += UInt64(outcome.windows.count)
            for anomaly in outcome.anomalies { $0.anomaliesByKind[anomaly.kind, default: 0] += 1 }
            for change in outcome.alarmChanges {
                switch change.step {
                case .raised: $0.alarmsRaised += 1
                case .cleared: $0.alarmsCleared += 1
                case .updated, .reopened, .escalated, .acknowledged, .assigned, .commented, .shelved, .unshelved,
                    .outOfService, .inService, .handedOver, .takenOver:
                    break
                }
            }
            if let latency, outcome.batch.inputCount > 0 {
                $0.latency.record(seconds: latency, times: UInt64(outcome.batch.inputCount))
            }
        }
    }
}
