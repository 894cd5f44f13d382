import Dispatch
import Synchronization
public import TocsinCore

/// The rows of the operational store as SQL finds them beside those of the lake.
public struct StoreTables: Sendable {
    private let store: any Store
    private let readingsSince: Timestamp?
    private let windowsSince: Timestamp?
    private static let page = 20_000

    /// - Parameters:
    ///   - readingsSince: what silver holds from before then need not be read from the store again; nil = all.
    ///   - windowsSince: the same for windows.
    public init(_ store: any Store, readingsSince: Timestamp?, windowsSince: Timestamp?) {
        self.store = store
        self.readingsSince = readingsSince
        self.windowsSince = windowsSince
    }

    public var sources: [LakeView: any DuckDBTableSource] {
        let store = store
        return [
            .anomalies: StoreRows(
                columns: GoldTable.anomalies.columns,
                pages: RecordPages(
                    RecordQuery(limit: Self.page), time: { $0.time }, read: { try await store.anomalies($0) }),
                spread: { [$0] }, write: GoldRows<Anomaly>([]).write),
            .alarms: StoreRows(
                columns: GoldTable.alarms.columns,
                pages: RecordPages(
                    RecordQuery(limit: Self.page), time: { $0.raised }, read: { try await store.alarms($0, state: nil) }
                ),
                spread: { [$0] }, write: GoldRows<Alarm>([]).write),
            .windows: StoreRows(
                columns: GoldTable.windows.columns,
                pages: RecordPages(
                    RecordQuery(start: windowsSince, limit: Self.page), time: { $0.start },
                    read: { try await store.windows($0) }),
                spread: { [$0] }, write: GoldRows<StoredWindow>([]).write),
            .readings: StoreRows(
                columns: LakeView.readings.columns,
                pages: RecordPages(
                    RecordQuery(start: readingsSince, limit: Self.page), time: { $0.time },
                    read: { try await store.events($0) }),
                spread: { event in event.readings.indices.map { StoredReading(event: event, index: $0) } },
                write: Self.write),
        ]
    }

    private struct StoredReading: Sendable {
        var event: StoredEvent
        var index: Int
    }

    private static let write: @Sendable (StoredReading, Int, inout DuckDBChunkWriter) -> Void = { row, number, chunk in
        let (event, reading) = (row.event, row.event.readings[row.index])
        chunk[0].setText(event.sensor, number)
        chunk[1].setText(reading.metric, number)
        chunk[2].setInteger(event.time.microseconds, number)
        chunk[3].setInteger(event.time.nanoseconds, number)
        chunk[4].setDouble(reading.value, number)
        if let unit = reading.unit { chunk[5].setText(unit, number) } else { chunk[5].setNull(number) }
        // The zone is not in the store's events; what the store holds was found good, and nobody knows yet of alarms.
        chunk[6].setNull(number)
        chunk[7].setText(event.source, number)
        chunk[8].setInteger(event.received.microseconds, number)
        chunk[9].setInteger(Int64(bitPattern: event.key), number)
        chunk[10].setBoolean(event.isLate, number)
        chunk[11].setText("", number)
        chunk[12].setNull(number)
    }
}

/// Pages of a store, read when DuckDB asks for the next rows.
private struct StoreRows<Record: Sendable, Row: Sendable>: DuckDBTableSource {
    let columns: [DuckDBColumn]
    let pages: RecordPages<Record>
    /// The rows of one record.
    let spread: @Sendable (Record) -> [Row]
    let write: @Sendable (Row, Int, inout DuckDBChunkWriter) -> Void

    func open() throws -> any DuckDBRowReader { Reader(self) }

    private final class Reader: DuckDBRowReader {
        private let source: StoreRows
        private var pages: RecordPages<Record>
        private var rows: [Row] = []
        private var place = 0

        init(_ source: StoreRows) {
            self.source = source
            pages = source.pages
        }

        func fill(_ chunk: inout DuckDBChunkWriter) throws -> Int {
            while place == rows.count {
                var next = pages
                let page = try Blocking.wait { [next] in
                    var pages = next
                    let page = try await pages.next()
                    return (page, pages)
                }
                (next, place) = (page.1, 0)
                pages = next
                rows = page.0.flatMap(source.spread)
                if page.0.isEmpty { return 0 }
            }
            let count = min(chunk.capacity, rows.count - place)
            for row in 0..<count { source.write(rows[place + row], row, &chunk) }
            place += count
            return count
        }
    }
}

/// Waits for asynchronous work on a thread that may block: those of DuckDB, never one of Swift's pool.
private enum Blocking {
    static func wait<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<Value, any Error>?>(nil)
        // Awaited right below.
        Task {
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            result.withLock { $0 = outcome }
            done.signal()
        }
        done.wait()
        guard let value = result.withLock({ $0 }) else { preconditionFailure("the work has signalled its end") }
        return try value.get()
    }
}
