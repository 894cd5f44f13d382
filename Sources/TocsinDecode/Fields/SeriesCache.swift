internal import TocsinCore

/// Remembers the series of (sensor, metric) pairs: the table walks through the series of a sensor one by one, which is
/// slow for messages with many metrics. Direct-mapped, 256 KiB once used, void for another table.
struct SeriesCache {
    private struct Entry {
        var key: UInt64
        var series: SeriesID
    }

    private static let size = 16_384
    private var entries: [Entry] = []

    @inline(__always)
    mutating func series(_ sensor: SensorID, _ metric: MetricID, _ index: inout SeriesIndex) -> SeriesID? {
        if entries.isEmpty { entries = Array(repeating: Entry(key: .max, series: SeriesID(0)), count: Self.size) }
        let key = UInt64(sensor.index) << 32 | UInt64(metric.index)
        // Fibonacci hashing (Knuth, volume 3, section 6.4).
        let slot = Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 50)
        if entries[slot].key == key { return entries[slot].series }
        guard let series = index.series(sensor, metric) else { return nil }
        entries[slot] = Entry(key: key, series: series)
        return series
    }

    mutating func removeAll() { entries = [] }
}
