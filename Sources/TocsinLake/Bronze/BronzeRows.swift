internal import TocsinCore

/// The rows of one bronze file, for DuckDB's COPY.
struct BronzeRows: DuckDBTableSource {
    let columnsOfRoll: BronzeColumns
    let names: NameBook
    let rows: [UInt32]

    /// The schema of `bronze/events`; raise `LakeTable.schemaVersion` with it.
    static let columns: [DuckDBColumn] = [
        DuckDBColumn("sensor", .varchar),
        DuckDBColumn("time", .timestamp),
        DuckDBColumn("time_ns", .bigint),
        DuckDBColumn("event_key", .bigint),
        DuckDBColumn("source", .varchar),
        DuckDBColumn("position", .bigint),
        DuckDBColumn("received", .timestamp),
        DuckDBColumn("zone", .varchar),
        DuckDBColumn("readings", .map(key: .varchar, value: .double)),
        DuckDBColumn("units", .map(key: .varchar, value: .varchar)),
        DuckDBColumn("payload", .blob),
        DuckDBColumn("spool_record", .bigint),
    ]

    var columns: [DuckDBColumn] { Self.columns }
    var estimatedRowCount: Int? { rows.count }
    func open() throws -> any DuckDBRowReader { BronzeReader(self) }
}

/// Fills chunks with the rows, a column at a time.
final class BronzeReader: DuckDBRowReader {
    private let roll: BronzeColumns
    private let names: NameBook
    private let rows: [UInt32]
    private var place = 0
    private var scratch: [UInt8] = []
    /// Of the message `wide`: where each of its series stands last.
    private var lastOfSeries: [UInt32: Int] = [:]
    private var wide = 0..<0

    init(_ source: BronzeRows) {
        roll = source.columnsOfRoll
        names = source.names
        rows = source.rows
    }

    func fill(_ chunk: inout DuckDBChunkWriter) throws -> Int {
        let range = place..<min(place + chunk.capacity, rows.count)
        place = range.upperBound
        let rows = rows[range]
        fillNumbers(&chunk, rows)
        fillSensors(&chunk, rows)
        fillSources(&chunk, rows)
        fillZones(&chunk, rows)
        fillReadings(&chunk, rows)
        fillUnits(&chunk, rows)
        fillPayloads(&chunk, rows)
        return range.count
    }

    private func fillNumbers(_ chunk: inout DuckDBChunkWriter, _ rows: ArraySlice<UInt32>) {
        fill(&chunk[1], rows) { Self.microseconds(roll.times[$0]) }
        fill(&chunk[2], rows) { roll.times[$0] }
        fill(&chunk[3], rows) { Int64(bitPattern: roll.keys[$0]) }
        fill(&chunk[5], rows) { roll.positions[$0] }
        fill(&chunk[6], rows) { Self.microseconds(roll.origins[Int(roll.originOfEvent[$0])].received) }
        fill(&chunk[11], rows) { Int64(bitPattern: roll.origins[Int(roll.originOfEvent[$0])].record) }
    }

    private func fill(
        _ column: inout DuckDBVectorWriter, _ rows: ArraySlice<UInt32>, _ number: (Int) -> Int64
    ) {
        let numbers = rows.map { number(Int($0)) }
        column.setIntegers(numbers.span)
    }

    /// Rounded down, so that the hour of a time before 1970 is the same.
    private static func microseconds(_ nanoseconds: Int64) -> Int64 {
        let quotient = nanoseconds / 1000
        return nanoseconds % 1000 < 0 ? quotient - 1 : quotient
    }

    private func fillSensors(_ chunk: inout DuckDBChunkWriter, _ rows: ArraySlice<UInt32>) {
        var previous: UInt32?
        for (place, row) in rows.enumerated() {
            let sensor = roll.sensors[Int(row)]
            if sensor == previous {
                chunk[0].repeatBytes(from: place - 1, place)
            } else {
                names.sensors.write(Int(sensor), to: &chunk[0], place)
            }
            previous = sensor
        }
    }

    private func fillSources(_ chunk: inout DuckDBChunkWriter, _ rows: ArraySlice<UInt32>) {
        var previous = ""
        for (place, row) in rows.enumerated() {
            let source = roll.origins[Int(roll.originOfEvent[Int(row)])].source
            if place > 0, source == previous {
                chunk[4].repeatBytes(from: place - 1, place)
            } else {
                chunk[4].setText(source, place)
                previous = source
            }
        }
    }

    private func fillZones(_ chunk: inout DuckDBChunkWriter, _ rows: ArraySlice<UInt32>) {
        var previous: Int32 = -1
        for (place, row) in rows.enumerated() {
            let zone = names.zoneOfSensor[Int(roll.sensors[Int(row)])]
            if zone < 0 {
                chunk[7].setNull(place)
            } else if zone == previous {
                chunk[7].repeatBytes(from: place - 1, place)
            } else {
                names.texts.write(Int(zone), to: &chunk[7], place)
            }
            previous = zone
        }
    }

    private func fillReadings(_ chunk: inout DuckDBChunkWriter, _ rows: ArraySlice<UInt32>) {
        chunk.withMap(8) { map in
            var written = (metric: UInt32.max, entry: 0)
            for (place, row) in rows.enumerated() {
                map.begin(place)
                let readings = Int(roll.firstReading[Int(row)])..<Int(roll.firstReading[Int(row) + 1])
                for reading in readings where isLast(reading, of: readings) {
                    let metric = names.metricOfSeries[Int(roll.series[reading])]
                    let entry = map.append()
                    map.values.setDouble(roll.values[reading], entry)
                    if metric == written.metric {
                        map.keys.repeatBytes(from: written.entry, entry)
                    } else {
                        names.metrics.write(Int(metric), to: &map.keys, entry)
                    }
                    written = (metric, entry)
                }
            }
        }
    }

    private func fillUnits(_ chunk: inout DuckDBChunkWriter, _ rows: ArraySlice<UInt32>) {
        chunk.withMap(9) { map in
            var written = (metric: UInt32.max, unit: Int32(-1), entry: 0)
            for (place, row) in rows.enumerated() {
                map.begin(place)
                let readings = Int(roll.firstReading[Int(row)])..<Int(roll.firstReading[Int(row) + 1])
                for reading in readings {
                    let series = Int(roll.series[reading])
                    let (metric, unit) = (names.metricOfSeries[series], names.unitOfSeries[series])
                    guard unit >= 0, isLast(reading, of: readings) else { continue }
                    let entry = map.append()
                    if metric == written.metric {
                        map.keys.repeatBytes(from: written.entry, entry)
                    } else {
                        names.metrics.write(Int(metric), to: &map.keys, entry)
                    }
                    if unit == written.unit {
                        map.values.repeatBytes(from: written.entry, entry)
                    } else {
                        names.texts.write(Int(unit), to: &map.values, entry)
                    }
                    written = (metric, unit, entry)
                }
            }
        }
    }

    /// A metric that stands twice in a message counts as its last value: a map's keys must differ.
    private func isLast(_ reading: Int, of readings: Range<Int>) -> Bool {
        guard readings.count > 1 else { return true }
        guard readings.count > 32 else {
            return !roll.series[reading + 1..<readings.upperBound].contains(roll.series[reading])
        }
        if wide != readings {
            // Comparing each with each would take long in a message of thousands.
            wide = readings
            lastOfSeries.removeAll(keepingCapacity: true)
            for reading in readings { lastOfSeries[roll.series[reading]] = reading }
        }
        return lastOfSeries[roll.series[reading]] == reading
    }

    private func fillPayloads(_ chunk: inout DuckDBChunkWriter, _ rows: ArraySlice<UInt32>) {
        guard chunk.isWanted(10) else { return }
        guard roll.keepsPayload else {
            for place in 0..<rows.count { chunk[10].setNull(place) }
            return
        }
        for (place, row) in rows.enumerated() {
            let source = roll.origins[Int(roll.originOfEvent[Int(row)])].chunk
            let start = Int(roll.payloadStarts[Int(row)])
            let payload = start..<start + Int(roll.payloadLengths[Int(row)])
            if roll.chunks[source].header.isEmpty {
                roll.chunks[source].bytes.withUnsafeBytes {
                    chunk[10].setBytes(UnsafeRawBufferPointer(rebasing: $0[payload]), place)
                }
            } else {
                // Header and row together: a payload can be decoded alone, and repeated bytes pack to next to nothing.
                scratch.removeAll(keepingCapacity: true)
                scratch.append(contentsOf: roll.chunks[source].header)
                scratch.append(contentsOf: roll.chunks[source].bytes[payload])
                chunk[10].setBytes(scratch, place)
            }
        }
    }
}

extension ByteList {
    fileprivate func write(_ row: Int, to column: inout DuckDBVectorWriter, _ place: Int) {
        let range = range(row)
        bytes.withUnsafeBytes { column.setBytes(UnsafeRawBufferPointer(rebasing: $0[range]), place) }
    }
}
