import Foundation
import TocsinCore
import TocsinLake

/// A lake in a temporary folder, with bronze files written by SQL.
final class TestLake: Sendable {
    let folder: TestFolder
    let storage: FolderStorage
    let settings: ETLSettings

    /// 2025-10-01T07:00:00Z
    static let hour = LakePartition(hourOf: Timestamp(nanoseconds: 1_759_302_000_000_000_000))

    init() throws {
        folder = try TestFolder()
        storage = try FolderStorage(folder.file("lake"))
        var settings = ETLSettings(workFolder: folder.file("state/etl"))
        settings.duckdb = TestDuckDB.settings
        settings.memoryBytes = 512 << 20
        settings.ranges = [PlausibleRange(metric: "temperature", low: -40, high: 60)]
        self.settings = settings
    }

    /// One message: `key` 0 is none, `received` in seconds after its time.
    static func message(
        _ sensor: String?, second: Double, key: Int = 0, received: Double = 0.1, _ readings: String,
        units: String = "MAP {}::MAP(VARCHAR, VARCHAR)", position: Int = 0, zone: String? = nil,
        hour: LakePartition = hour
    ) -> String {
        let nanoseconds = hour.start.nanoseconds + Int64(second * 1e9)
        func text(_ value: String?) -> String { value.map { "'\($0)'" } ?? "NULL" }
        return """
            SELECT \(text(sensor))::VARCHAR AS sensor, make_timestamp(\(nanoseconds / 1000)::BIGINT) AS "time",
              \(nanoseconds)::BIGINT AS time_ns, \(key)::BIGINT AS event_key, 'http' AS source, \(position)::BIGINT AS "position",
              make_timestamp(\((nanoseconds + Int64(received * 1e9)) / 1000)::BIGINT) AS received, \(text(zone))::VARCHAR AS "zone",
              \(readings)::MAP(VARCHAR, DOUBLE) AS readings, \(units)::MAP(VARCHAR, VARCHAR) AS units,
              '{}'::BLOB AS payload, 1::BIGINT AS spool_record
            """
    }

    func bronze(_ name: String, _ messages: [String], hour: LakePartition = hour) throws {
        let file = folder.file("lake/\(LakeFile(.events, hour, name: name).path)")
        let parent = URL(filePath: file).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try TestDuckDB.connect().execute(
            "COPY (\(messages.joined(separator: " UNION ALL "))) TO \(DuckDB.literal(file)) (\(LakeTable.events.copyOptions))"
        )
    }

    /// Rows of a query in which `table(gold/hourly)` stands for the files of a table, as text with | between columns.
    func rows(_ sql: String) throws -> [String] {
        var sql = sql
        while let start = sql.firstRange(of: "table("), let end = sql[start.upperBound...].firstIndex(of: ")") {
            let table = sql[start.upperBound..<end]
            sql.replaceSubrange(
                start.lowerBound...end,
                with: "read_parquet('\(folder.file("lake"))/\(table)/**/part-*.parquet', hive_partitioning = false)")
        }
        return try TestDuckDB.connect().rows(sql).map { row in
            row.map { value in
                switch value {
                case .null: "NULL"
                case .integer(let value): "\(value)"
                case .wideInteger(let value): "\(value)"
                case .double(let value): "\((value * 1000).rounded() / 1000)"
                case .text(let value): value
                case .boolean(let value): "\(value)"
                case .timestamp(let microseconds): Timestamp(nanoseconds: microseconds * 1000).iso8601
                default: "\(value)"
                }
            }.joined(separator: "|")
        }
    }

    /// Every file of a prefix with its content.
    func files(_ prefix: String) async throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for object in try await storage.list(prefix: prefix) { files[object.name] = try await storage.get(object.name) }
        return files
    }

    func run(
        source: (any GoldSource)? = nil, transforms: String? = nil, _ change: (inout ETLSettings) -> Void = { _ in }
    ) async -> ETLResult {
        var settings = settings
        change(&settings)
        return await ETLRun(settings, storage: storage, source: source, transforms: transforms).run()
    }
}

/// An operational store of a few rows.
struct ListedGold: GoldSource {
    var anomalies: [Anomaly] = []
    var alarms: [Alarm] = []
    var windows: [StoredWindow] = []

    private func page<T>(_ rows: [T], _ limit: Int, _ offset: Int) -> [T] {
        Array(rows.dropFirst(offset).prefix(limit))
    }

    func anomalies(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [Anomaly] {
        page(anomalies.filter { $0.time >= start && $0.time < end }, limit, offset)
    }
    func alarms(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [Alarm] {
        page(alarms.filter { $0.raised >= start && $0.raised < end }, limit, offset)
    }
    func windows(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [StoredWindow] {
        page(windows.filter { $0.start >= start && $0.start < end }, limit, offset)
    }
}

extension Alarm {
    static func of(_ sensor: String, _ metric: String?, raised: Timestamp, cleared: Timestamp?, id: String = "a1")
        -> Alarm
    {
        Alarm(
            id: id, sensor: sensor, metric: metric, kind: .spike, state: cleared == nil ? .open : .cleared,
            severity: .warning,
            raised: raised, lastSeen: raised, cleared: cleared, verdicts: 1, score: 0.9, pValue: 1e-6,
            sentence: "It jumped.")
    }
}

extension Anomaly {
    static func of(_ sensor: String, _ metric: String?, time: Timestamp, id: String = "n1") -> Anomaly {
        Anomaly(
            id: id, alarmID: "a1", sensor: sensor, metric: metric, kind: .spike, detector: .bank, model: "bank",
            start: time,
            time: time, value: 80, expectedLow: 10, expectedHigh: 30, score: 0.9, pValue: 1e-6,
            contributions: [Contribution(name: "temperature", share: 1)], sentence: "It jumped.")
    }
}
