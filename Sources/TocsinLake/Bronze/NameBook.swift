internal import TocsinCore

/// The names of sensors, metrics, units and zones as a roll needs them: bytes by id, and sensors in the order of their
/// names; kept from roll to roll and grown by what is new.
struct NameBook: Sendable {
    private(set) var sensors = ByteList()
    /// Ids of sensors in the order of their names (of UTF-8 bytes, as DuckDB sorts), and the place of each id in it.
    private var order: [UInt32] = []
    private(set) var rankOfSensor: [UInt32] = []
    private(set) var metrics = ByteList()
    private(set) var metricOfSeries: [UInt32] = []
    /// By sensor: row of `texts`; -1: none. Up to date for those of the last refresh.
    private(set) var zoneOfSensor: [Int32] = []
    private(set) var unitOfSeries: [Int32] = []
    /// Zones and units.
    private(set) var texts = ByteList()
    private var idOfText: [String: Int32] = [:]

    init() {}

    /// Takes up what is new in the table, and the zones and units of what the roll speaks of. A few thousand at a time, so
    /// that decoders are not held up at the table's lock.
    mutating func refresh(_ table: SeriesTable, for columns: BronzeColumns) {
        let known = sensors.count
        let (sensorCount, metricCount, seriesCount) = table.withIndex {
            ($0.sensorCount, $0.metricCount, $0.seriesCount)
        }
        Self.slices(known..<sensorCount) { range in
            for name in table.withIndex({ index in range.map { index.name(SensorID(UInt32($0))) } }) {
                sensors.append(name)
            }
        }
        Self.slices(metrics.count..<metricCount) { range in
            for name in table.withIndex({ index in range.map { index.name(MetricID(UInt32($0))) } }) {
                metrics.append(name)
            }
        }
        Self.slices(metricOfSeries.count..<seriesCount) { range in
            metricOfSeries += table.withIndex { index in range.map { index.metric(of: SeriesID(UInt32($0))).index } }
        }
        rank(from: known)
        let sensorsOfRoll = Self.distinct(columns.sensors, below: sensorCount)
        zoneOfSensor += repeatElement(-1, count: sensorCount - zoneOfSensor.count)
        Self.slices(0..<sensorsOfRoll.count) { range in
            let zones = table.withIndex { index in range.map { index.zone(of: SensorID(sensorsOfRoll[$0])) } }
            for (place, zone) in zip(range, zones) { zoneOfSensor[Int(sensorsOfRoll[place])] = id(of: zone) }
        }
        let seriesOfRoll = Self.distinct(columns.series, below: seriesCount)
        unitOfSeries += repeatElement(-1, count: seriesCount - unitOfSeries.count)
        Self.slices(0..<seriesOfRoll.count) { range in
            let units = table.withIndex { index in range.map { index.unit(of: SeriesID(seriesOfRoll[$0])) } }
            for (place, unit) in zip(range, units) { unitOfSeries[Int(seriesOfRoll[place])] = id(of: unit) }
        }
    }

    private mutating func id(of text: String?) -> Int32 {
        guard let text else { return -1 }
        if let known = idOfText[text] { return known }
        let id = Int32(texts.count)
        texts.append(text)
        idOfText[text] = id
        return id
    }

    /// Sorts the new sensors and merges them with those before.
    private mutating func rank(from first: Int) {
        guard sensors.count > first else { return }
        let list = sensors
        let added = (UInt32(first)..<UInt32(list.count)).sorted { list.precedes(Int($0), Int($1)) }
        var merged: [UInt32] = []
        merged.reserveCapacity(list.count)
        var place = 0
        for id in added {
            while place < order.count, list.precedes(Int(order[place]), Int(id)) {
                merged.append(order[place])
                place += 1
            }
            merged.append(id)
        }
        merged += order[place...]
        order = merged
        rankOfSensor = [UInt32](repeating: 0, count: merged.count)
        for (rank, id) in merged.enumerated() { rankOfSensor[Int(id)] = UInt32(rank) }
    }

    /// The ids that occur, each once, in rising order.
    private static func distinct(_ ids: [UInt32], below bound: Int) -> [UInt32] {
        var occurs = [Bool](repeating: false, count: bound)
        for id in ids where Int(id) < bound { occurs[Int(id)] = true }
        return occurs.indices.compactMap { occurs[$0] ? UInt32($0) : nil }
    }

    private static func slices(_ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(start + 4096, range.upperBound)
            body(start..<end)
            start = end
        }
    }
}

/// Texts one behind the other.
struct ByteList: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []

    var count: Int { ends.count }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        ends.append(bytes.count)
    }

    func range(_ row: Int) -> Range<Int> { (row == 0 ? 0 : ends[row - 1])..<ends[row] }

    /// In the order of bytes.
    func precedes(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (range(left), range(right))
        for offset in 0..<min(left.count, right.count) {
            let (one, other) = (bytes[left.lowerBound + offset], bytes[right.lowerBound + offset])
            if one != other { return one < other }
        }
        return left.count < right.count
    }
}
