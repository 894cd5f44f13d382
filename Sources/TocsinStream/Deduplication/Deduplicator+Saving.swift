public import TocsinCore

extension Deduplicator {
    /// Writes the keys of a series, oldest first: a byte if there are none.
    public func save(series: SeriesID, to writer: inout StateWriter) {
        let index = Int(series.index)
        guard index < rings.count, rings[index] != 0 else { return writer.write(UInt8(0)) }
        let words = unsafe pool.pointer(rings[index])
        let ring = unsafe Ring(words[0])
        writer.write(UInt8(ring.count))
        let first = ring.count == ring.capacity ? ring.next : 0
        for position in 0..<ring.count { unsafe writer.write(words[1 + (first + position) % ring.capacity]) }
    }

    /// Replaces the keys of a series by saved ones. False if the bytes are none: nothing has changed then.
    public mutating func restore(series: SeriesID, from reader: inout StateReader) -> Bool {
        guard let count = reader.read(UInt8.self), count <= Self.capacity, reader.remaining >= Int(count) * 8 else {
            return false
        }
        var keys: [UInt64] = []
        for _ in 0..<count {
            guard let key = reader.read(UInt64.self), key != 0 else { return false }
            keys.append(key)
        }
        remove(series: series)
        for key in keys { remember(Int(series.index), key) }
        return true
    }

    /// Forgets the keys of a series.
    public mutating func remove(series: SeriesID) {
        let index = Int(series.index)
        guard index < rings.count, rings[index] != 0 else { return }
        pool.makeUnique()
        let words = unsafe Ring(pool.pointer(rings[index])[0]).words
        pool.free(rings[index], words: words)
        rings[index] = 0
    }
}
