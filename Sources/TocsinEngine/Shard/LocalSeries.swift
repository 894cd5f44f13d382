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
        /// Local indices whose series have left.
        private var free: [Int32] = []
        /// Global numbers of the shard's sensors that another process has.
        var elsewhere: Set<UInt32> = []

        /// nil for a series not seen by this shard.
        @inline(__always)
        func existing(_ series: SeriesID) -> SeriesID? {
            let position = Int(series.index)
            guard position < local.count, local[position] >= 0 else { return nil }
            return SeriesID(UInt32(local[position]))
        }

        /// The local index of a series that has none: one that was used before, where there is such.
        mutating func add(_ series: SeriesID) -> Int {
            let position = Int(series.index)
            if local.count <= position { local += repeatElement(-1, count: position + 1 - local.count) }
            let index = free.popLast().map(Int.init) ?? global.count
            local[position] = Int32(index)
            if index < global.count { global[index] = series } else { global.append(series) }
            return index
        }

        /// The series has left.
        mutating func remove(_ index: SeriesID) {
            local[Int(global[Int(index.index)].index)] = -1
            free.append(Int32(index.index))
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
