internal import TocsinCore

/// Makes chunks of windows in reused memory.
struct WindowChunkPacker {
    /// The columns that stand alone in a row of `window_chunks`, in the order of the table; then come `statistics`.
    static let heads: [WindowStatistic] = [.count, .mean, .minimum, .maximum, .standardDeviation]
    static let packed: [WindowStatistic] = WindowStatistic.allCases.filter { !heads.contains($0) }
    /// Series, start, the heads, score, statistics.
    static let blobs = heads.count + 4
    /// So few that one window is read in microseconds; so many that the database's own cost does not count. The view of
    /// schema 2 counts on it: a larger number is a new schema.
    static let rows = 256

    // Not a power of two: the columns' first rows would all want the same lines of the processor's cache.
    private static let stride = rows + 8

    private var packer = ColumnPacker()
    private(set) var ranges: [Range<Int>] = []
    private(set) var content: UInt64 = 0
    private(set) var starts: ClosedRange<Int64> = 0...0
    private(set) var series: ClosedRange<Int64> = 0...0
    private var numbers: [Double] = []
    private var keys: [Int64] = []
    private var scores: [Double] = []
    private var count = 0

    var bytes: [UInt8] { packer.bytes }

    /// What every checksum of a chunk begins with, so that a chunk's other columns cannot be changed unseen.
    static func seed(_ definition: WindowDefinition, rows: Int, blob: Int) -> UInt64 {
        var hash = StableHash()
        hash.combine(UInt64(bitPattern: definition.size.nanoseconds))
        hash.combine(UInt64(bitPattern: definition.slide.nanoseconds))
        hash.combine(UInt64(rows))
        hash.combine(UInt64(blob))
        return hash.value
    }

    /// Packs `part` of the arranged rows: at least one, at most `rows`.
    mutating func pack(_ windows: WindowRows, _ part: Range<Int>, _ definition: WindowDefinition) {
        packer.removeAll()
        ranges.removeAll(keepingCapacity: true)
        content = 0
        count = part.count
        transpose(windows, part)
        let rows = windows.rows
        series = rows[part.lowerBound].series...rows[part.upperBound - 1].series
        keys.removeAll(keepingCapacity: true)
        for row in part { keys.append(rows[row].series) }
        blob(definition) { packer, chunk in chunk.keys.withUnsafeBufferPointer { packer.append(integers: $0) } }
        keys.removeAll(keepingCapacity: true)
        for row in part { keys.append(rows[row].start) }
        starts = (keys.min() ?? 0)...(keys.max() ?? 0)
        blob(definition) { packer, chunk in chunk.keys.withUnsafeBufferPointer { packer.append(integers: $0) } }
        for statistic in Self.heads {
            blob(definition) { packer, chunk in chunk.column(statistic) { packer.append($0) } }
        }
        blob(definition) { packer, chunk in chunk.scores.withUnsafeBufferPointer { packer.append($0) } }
        blob(definition) { packer, chunk in
            for statistic in Self.packed { chunk.append(statistic, to: &packer) }
        }
    }

    private mutating func blob(
        _ definition: WindowDefinition, _ body: (inout ColumnPacker, borrowing WindowChunkPacker) -> Void
    ) {
        // Taken out, so that the columns can be read meanwhile.
        var packer = ColumnPacker()
        swap(&packer, &self.packer)
        let start = packer.open()
        body(&packer, self)
        var hash = StableHash()
        hash.combine(content)
        hash.combine(packer.close(start, seed: Self.seed(definition, rows: count, blob: ranges.count)))
        content = hash.value
        ranges.append(start..<packer.bytes.count)
        swap(&packer, &self.packer)
    }

    private func column<Result>(
        _ statistic: WindowStatistic, _ body: (UnsafeBufferPointer<Double>) -> Result
    ) -> Result {
        numbers.withUnsafeBufferPointer { numbers in
            let first = statistic.rawValue * Self.stride
            return body(UnsafeBufferPointer(rebasing: numbers[first..<first + count]))
        }
    }

    private borrowing func append(_ statistic: WindowStatistic, to packer: inout ColumnPacker) {
        if DerivedStatistic.isDerivable(statistic), let lacks = lacks(statistic) {
            if lacks.allSatisfy({ $0 == 0 }) {
                packer.appendDerived(steps: nil)
            } else {
                lacks.withUnsafeBufferPointer { packer.appendDerived(steps: $0) }
            }
        } else if statistic == .meanCrossingRate {
            let isPacked = column(.count) { counts in
                column(statistic) { values in packer.append(steps: values, counts: counts) }
            }
            if !isPacked { column(statistic) { packer.append($0) } }
        } else {
            column(statistic) { packer.append($0, isCorrected: true) }
        }
    }

    /// What the formula lacks in each row, in smallest steps; nil where it is far away in one.
    private func lacks(_ statistic: WindowStatistic) -> [Int64]? {
        var lacks: [Int64] = []
        lacks.reserveCapacity(count)
        return numbers.withUnsafeBufferPointer { numbers in
            for row in 0..<count {
                let made = DerivedStatistic.value(statistic) { numbers[$0.rawValue * Self.stride + row] }
                let value = numbers[statistic.rawValue * Self.stride + row]
                let lack = Int64(bitPattern: value.bitPattern) &- Int64(bitPattern: made.bitPattern)
                guard (-ColumnPacker.mostSteps...ColumnPacker.mostSteps).contains(lack) else { return nil }
                lacks.append(lack)
            }
            return lacks
        }
    }

    /// Rows of 28 numbers become columns.
    private mutating func transpose(_ windows: WindowRows, _ part: Range<Int>) {
        let width = WindowStatistic.columns
        if numbers.isEmpty { numbers = [Double](repeating: 0, count: width * Self.stride) }
        scores.removeAll(keepingCapacity: true)
        var next = part.lowerBound
        while next < part.upperBound {
            let source = windows.sources[Int(windows.rows[next].source)]
            var end = next + 1
            while end < part.upperBound, windows.rows[end].source == windows.rows[next].source { end += 1 }
            for row in windows.rows[next..<end] { scores.append(source.scores[Int(row.row)]) }
            source.statistics.withUnsafeBufferPointer { statistics in
                numbers.withUnsafeMutableBufferPointer { numbers in
                    for (target, row) in zip((next - part.lowerBound)..., windows.rows[next..<end]) {
                        let first = Int(row.row) * width
                        for column in 0..<width { numbers[column * Self.stride + target] = statistics[first + column] }
                    }
                }
            }
            next = end
        }
    }
}
