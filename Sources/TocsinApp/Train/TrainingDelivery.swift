internal import Synchronization
internal import TocsinCore
internal import TocsinJobs

/// Takes batches from a source into a training instead of an engine.
final class TrainingDelivery: BatchDelivery {
    private struct Done: DeliveryReceipt {
        func wait() async throws -> DeliverySummary { DeliverySummary() }
    }

    private let state: Mutex<(training: ForestTraining, leftOut: Int)>
    private let table: SeriesTable

    init(training: ForestTraining, table: SeriesTable) {
        state = Mutex((training, 0))
        self.table = table
    }

    var leftOut: Int { state.withLock { $0.leftOut } }

    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        state.withLock { $0.leftOut += $0.training.add(batch, table: table) + batch.rejects.count }
        return Done()
    }

    func train() throws -> (record: ModelRecord, report: ForestTraining.Report) {
        try state.withLock { try $0.training.train() }
    }
}
