internal import TocsinCore

/// What has gathered for the next files.
struct LakeRoll: Sendable {
    /// Numbers of its first and last record; `first - 1` while it has none.
    private(set) var first: UInt64
    private(set) var last: UInt64
    private(set) var columns: BronzeColumns
    /// When its first message was read.
    private(set) var begun: Timestamp?
    /// When its first message arrived at its source.
    private(set) var oldest: Timestamp?

    init(first: UInt64, keepsPayload: Bool) {
        self.first = first
        last = first - 1
        columns = BronzeColumns(keepsPayload: keepsPayload)
    }

    /// Begins the next one behind it; memory is kept where this one was full, for the next will be.
    mutating func restart(after record: UInt64, keepsPayload: Bool, isFull: Bool) {
        first = record + 1
        last = record
        begun = nil
        oldest = nil
        if isFull {
            columns.removeAll(keepsPayload: keepsPayload)
        } else {
            columns = BronzeColumns(keepsPayload: keepsPayload)
        }
    }

    /// There are no records up to `record` but those it has.
    mutating func pass(through record: UInt64) { last = max(last, record) }

    mutating func add(_ item: SpoolIntake.Item, now: Timestamp) {
        last = item.record
        begun = begun ?? now
        guard let batch = item.batch, batch.eventCount > 0 else { return }
        oldest = oldest ?? batch.origin.received
        columns.append(batch, record: item.record)
    }
}
