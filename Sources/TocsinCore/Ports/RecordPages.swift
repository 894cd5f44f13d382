/// Walks the records of a listing from the newest to the oldest, page by page, at the same cost for each page.
///
/// Each page begins at the time of the last record before it, behind those of that time which were seen: records that
/// come meanwhile are newer and shift nothing.
public struct RecordPages<Record: Sendable>: Sendable {
    private var query: RecordQuery
    private let time: @Sendable (Record) -> Timestamp
    private let read: @Sendable (RecordQuery) async throws -> [Record]
    private var isOver = false

    /// - Parameters:
    ///   - query: its limit is the length of a page.
    ///   - time: by which the listing is ordered.
    public init(
        _ query: RecordQuery, time: @escaping @Sendable (Record) -> Timestamp,
        read: @escaping @Sendable (RecordQuery) async throws -> [Record]
    ) {
        self.query = query
        self.time = time
        self.read = read
    }

    /// The next page; empty at the end.
    public mutating func next() async throws -> [Record] {
        guard !isOver else { return [] }
        let records = try await read(query)
        guard records.count == query.limit, let last = records.last.map(time) else {
            isOver = true
            return records
        }
        let same = records.reversed().prefix { time($0) == last }.count
        let end = last.advanced(by: .nanoseconds(1))
        query.offset = query.end == end && same == records.count ? query.offset + same : same
        query.end = end
        return records
    }
}
