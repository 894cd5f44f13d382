internal import Synchronization
internal import TocsinCore
internal import TocsinJobs

/// Takes batches from a source into a training instead of an engine.
final class TrainingDelivery: BatchDelivery {
    private struct Done: DeliveryReceipt {
        func wait() async throws -> DeliverySummary { DeliverySummary() }
    }

    private let state: Mutex<(training: any ModelTraining, leftOut: Int, taken: Int)>
    private let table: SeriesTable

    init(training: any ModelTraining, table: SeriesTable) {
        state = Mutex((training, 0, 0))
        self.table = table
    }

    var leftOut: Int { state.withLock { $0.leftOut } }
    var taken: Int { state.withLock { $0.taken } }

    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        let events = table.withIndex { index in
            (0..<batch.eventCount).map { event in
                let readings = batch.readings(of: event)
                let label = batch.labels[event]
                return TrainingEvent(
                    sensor: index.name(batch.sensors[event]), time: batch.times[event],
                    metrics: readings.map { index.name(index.metric(of: batch.series[$0])) },
                    values: Array(batch.values[readings]), isAnomalous: label == .none ? nil : label.isAnomalous)
            }
        }
        state.withLock { $0.leftOut += batch.rejects.count }
        add(events)
        return Done()
    }

    func add(_ events: [TrainingEvent]) {
        state.withLock { state in
            for event in events { if state.training.add(event) { state.taken += 1 } else { state.leftOut += 1 } }
        }
    }

    func train(progress: (String) -> Void) throws -> [TrainedModel] {
        try state.withLock { try $0.training.train(progress: progress) }
    }
}
