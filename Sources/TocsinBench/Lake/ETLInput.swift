internal import TocsinApp
internal import TocsinCore
internal import TocsinLake
internal import TocsinMeasure

/// Bronze as the lake's writer makes it, of any size in seconds: four hours of 10,000 sensors, two files an hour.
struct ETLInput {
    enum Kind: String, CaseIterable, Sendable {
        /// Four readings a message.
        case wide
        /// One.
        case narrow

        var readingsPerMessage: Int { self == .wide ? 4 : 1 }
    }

    let kind: Kind
    /// About so many in all.
    let readings: Int
    /// The lake.
    let folder: String
    private static let hours = 4
    private static let filesPerHour = 2
    private static let day = "2026-11-20"

    private var messagesPerFileAndSensor: Int {
        let messages = readings / kind.readingsPerMessage
        return max(1, messages / (LakeBenchSettings.sensors * Self.hours * Self.filesPerHour))
    }

    private func path(hour: Int, file: Int) -> String {
        "\(folder)/bronze/events/date=\(Self.day)/hour=0\(hour)/part-\(file).parquet"
    }

    /// The first of the files.
    var firstFile: String { path(hour: 0, file: 0) }

    func make(_ connection: DuckDBConnection, progress: ProgressLine?) throws {
        for hour in 0..<Self.hours {
            for file in 0..<Self.filesPerHour {
                let number = hour * Self.filesPerHour + file + 1
                progress?(
                    "making bronze of \(kind.rawValue) messages, file \(number) of \(Self.hours * Self.filesPerHour)")
                try Self.write(select(hour: hour, file: file), to: path(hour: hour, file: file), connection)
            }
        }
    }

    /// A lake of the first messages of another's first file.
    static func extract(_ messages: Int, of input: ETLInput, to folder: String, _ connection: DuckDBConnection) throws {
        let small = ETLInput(kind: input.kind, readings: messages * input.kind.readingsPerMessage, folder: folder)
        try write(
            "FROM (FROM read_parquet(\(DuckDB.literal(input.firstFile)), hive_partitioning = false) LIMIT \(messages)) "
                + "ORDER BY sensor, time_ns",
            to: small.firstFile, connection)
    }

    private static func write(_ query: String, to path: String, _ connection: DuckDBConnection) throws {
        try DataFolder.create(at: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        try connection.execute(
            "COPY (\(query)) TO \(DuckDB.literal(path)) (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")
    }

    private func select(hour: Int, file: Int) -> String {
        let count = messagesPerFileAndSensor
        // Evenly over the hour, all sensors at the same moments.
        let step = 3_600_000_000_000 / (count * Self.filesPerHour)
        let values =
            kind == .wide
            ? """
            map {'temperature': round(20 + 5 * sin(i * 0.01) + random(), 2), 'humidity': round(40 + 10 * random(), 1),
                'pressure': round(1000 + 20 * random(), 1), 'battery': round(3 + 0.5 * random(), 3)}
            """ : "map {'temperature': round(20 + 5 * sin(i * 0.01) + random(), 2)}"
        return """
            SELECT 'sensor_' || lpad(s::varchar, 6, '0') AS sensor, make_timestamp(ns // 1000) AS "time", ns AS time_ns,
                (hash(s, ns) >> 1)::bigint AS event_key, 'http' AS source, i AS "position",
                make_timestamp(ns // 1000 + 50000) AS received, 'zone_' || (s % 100) AS "zone", \(values) AS readings,
                map {'temperature': 'C'} AS units,
                ('{"sensor_id":"sensor_' || s || '","timestamp":' || ns || '}')::blob AS payload,
                i // 1000 AS spool_record
            FROM (SELECT s, k * \(LakeBenchSettings.sensors) + s AS i,
                    (epoch_ns(TIMESTAMP '\(Self.day) 0\(hour):00:00') + (\(file * count) + k) * \(step))::bigint AS ns
                FROM range(\(LakeBenchSettings.sensors)) a (s), range(\(count)) b (k))
            ORDER BY sensor, time_ns
            """
    }
}
