import Foundation
import Synchronization
import TocsinCore
import TocsinLake
import TocsinSpool

/// Spool, table and lake in a folder, as a process has them; `restart` is the next process.
struct BronzeWorld {
    struct Crash: Error {}

    let folder: TestFolder
    let clock = HandClock()
    let notes = Mutexed<[LakeNote]>([])
    let crashAt = Mutexed<LakeRollStep?>(nil)
    var table = SeriesTable(seed: 1)
    var spool: Spool
    var storage: FolderStorage
    var settings = LakeWriterSettings()

    init() throws {
        folder = try TestFolder()
        (spool, storage) = try Self.open(folder)
        settings.threads = 2
    }

    private static func open(_ folder: TestFolder) throws -> (Spool, FolderStorage) {
        var settings = SpoolSettings()
        settings.isDurable = false
        return (
            try Spool.open(folder: folder.file("spool"), settings: settings).0, try FolderStorage(folder.file("lake"))
        )
    }

    mutating func restart() async throws {
        await spool.close()
        (spool, storage) = try Self.open(folder)
    }

    func writer(_ destination: LakeWriter.Destination? = nil, lastFound: UInt64? = nil) async throws -> LakeWriter {
        let (notes, crashAt, table) = (notes, crashAt, table)
        return try await LakeWriter(
            spool: spool, destination: destination ?? .folder(storage), stateFolder: folder.file("state"),
            duckdb: TestDuckDB.settings, settings: settings, lastFound: lastFound, clock: clock,
            observer: LakeObserver(
                tell: { note in notes.value.withLock { $0.append(note) } },
                onStep: { step in if crashAt.value.withLock({ $0 == step }) { throw Crash() } }),
            decodeAgain: { raw in Self.decode(raw, table) })
    }

    /// A process that writes all there is and ends.
    @discardableResult
    func write(lastFound: UInt64? = nil) async throws -> LakeWriterFigures {
        let writer = try await writer(lastFound: lastFound)
        try await writer.flush(table)
        return writer.figures
    }

    /// A process that is killed behind a step; false where it never came to it.
    func crash(at step: LakeRollStep) async throws -> Bool {
        crashAt.value.withLock { $0 = step }
        defer { crashAt.value.withLock { $0 = nil } }
        do {
            try await write()
            return false
        } catch is Crash {
            return true
        }
    }

    /// "sensor time value" lines, as a decoder would have it.
    static func decode(_ raw: RawInput, _ table: SeriesTable) -> Batch? {
        let rows = String(decoding: raw.bytes, as: UTF8.self).split(separator: "\n").map { line in
            let parts = line.split(separator: " ")
            return (String(parts[0]), Timestamp(seconds: Double(parts[1]) ?? 0), Double(parts[2]) ?? 0)
        }
        return batch(rows, table, received: raw.origin.received)
    }

    static func batch(
        _ rows: [(sensor: String, time: Timestamp, value: Double)], _ table: SeriesTable, received: Timestamp
    ) -> Batch {
        var batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: "test", position: 1000, received: received))
        table.withIndex { index in
            for row in rows {
                guard let sensor = index.sensor(row.sensor.utf8.span), let metric = index.metric("level".utf8.span),
                    let series = index.series(sensor, metric)
                else { continue }
                index.setUnit("m", of: series)
                let text = Array("\(row.sensor) \(Int(row.time.seconds)) \(row.value)\n".utf8)
                batch.series.append(series)
                batch.values.append(row.value)
                batch.appendEvent(
                    sensor: sensor, time: row.time, key: 0,
                    payload: ByteRange(offset: batch.bytes.count, length: text.count - 1),
                    label: .none)
                batch.bytes += text
            }
        }
        return batch
    }

    /// Appends `rows` as one record, with the names that it brings.
    @discardableResult
    func append(_ rows: [(sensor: String, time: Timestamp, value: Double)]) throws -> UInt64 {
        let before = table.withIndex { ($0.sensorCount, $0.metricCount, $0.seriesCount) }
        let batch = Self.batch(rows, table, received: clock.now())
        var names = NewNames(
            firstSensor: UInt32(before.0), firstMetric: UInt32(before.1), firstSeries: UInt32(before.2))
        table.withIndex { index in
            names.sensors = (before.0..<index.sensorCount).map { index.name(SensorID(UInt32($0))) }
            names.metrics = (before.1..<index.metricCount).map { index.name(MetricID(UInt32($0))) }
            names.series = (before.2..<index.seriesCount).map {
                let id = SeriesID(UInt32($0))
                return NewNames.Series(sensor: index.sensor(of: id), metric: index.metric(of: id))
            }
        }
        var writer = StateWriter()
        SpoolEntry.encode(batch, names: names, into: &writer)
        return try spool.append(writer)
    }

    /// Ten sensors over three hours, one of them out of order.
    func appendSome(_ records: Range<Int>) throws {
        for record in records {
            try append(
                (0..<100).map { number in
                    let second = 1_760_000_000 + Double((record * 100 + number) * 20 % 10_000)
                    return ("sensor-\(number * 7 % 10)", Timestamp(seconds: second), Double(record * 100 + number))
                })
        }
    }

    /// Names and contents of the bronze files, without the record numbers' path.
    func files() async throws -> [String] { try await storage.list(prefix: "bronze/").map(\.name) }

    func query(_ sql: String) throws -> [[DuckDBValue]] {
        let pattern = storage.location + "/" + LakeLayout.pattern(of: .events)
        return try TestDuckDB.connect().rows(sql.replacingOccurrences(of: "BRONZE", with: "read_parquet('\(pattern)')"))
    }
}

final class Mutexed<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
}
