internal import Synchronization
internal import TocsinCore

/// Dense numbering of the series that one shard owns: its state arrays hold only its own sensors' series.
///
/// The shard extends it; the sensor directory reads it.
final class LocalSeries: Sendable {
    struct Mapping {
        /// Local index by global series index; -1 = not seen by this shard.
        var local: [Int32] = []
        var global: [SeriesID] = []

        @inline(__always)
        mutating func index(of series: SeriesID) -> Int {
            let position = Int(series.index)
            if position < local.count, local[position] >= 0 { return Int(local[position]) }
            return add(series)
        }

        /// nil for a series not seen by this shard.
        @inline(__always)
        func existing(_ series: SeriesID) -> SeriesID? {
            let position = Int(series.index)
            guard position < local.count, local[position] >= 0 else { return nil }
            return SeriesID(UInt32(local[position]))
        }

        private mutating func add(_ series: SeriesID) -> Int {
            let position = Int(series.index)
            while local.count <= position { local.append(-1) }
            local[position] = Int32(global.count)
            global.append(series)
            return global.count - 1
        }
    }

    let mapping = Mutex(Mapping())

    func indices(of series: [SeriesID]) -> [Int?] {
        mapping.withLock { mapping in
            series.map { id in
                let position = Int(id.index)
                guard position < mapping.local.count, mapping.local[position] >= 0 else { return nil }
                return Int(mapping.local[position])
            }
        }
    }
}
