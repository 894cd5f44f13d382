internal import TocsinCore

/// Batches on their way: the oldest is waited for when there are too many.
struct PendingReceipts {
    private var receipts: [any DeliveryReceipt] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func add(_ receipt: any DeliveryReceipt) async throws {
        receipts.append(receipt)
        if receipts.count >= limit { _ = try await receipts.removeFirst().wait() }
    }

    mutating func waitForAll() async throws {
        while !receipts.isEmpty { _ = try await receipts.removeFirst().wait() }
    }
}
