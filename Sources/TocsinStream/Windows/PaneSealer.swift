/// Turns the readings of an open pane into its sealed form: time order, sums, sorted keys.
struct PaneSealer: Sendable {
    private var runs = SortedRuns()
    private var keys: [UInt64] = []
    private var pairs: [Pair] = []

    private struct Pair: Comparable, Sendable {
        var time: Int64
        var key: UInt64
        var value: UInt64

        static func < (left: Pair, right: Pair) -> Bool {
            left.time != right.time ? left.time < right.time : left.key < right.key
        }
    }

    /// Insertion sort below, merging above.
    private static let shortRun = 16

    /// Sorts the pairs at `pairs` by (time, value), in place. In-order input costs one comparison a reading.
    mutating func sortByTime(_ words: inout [UInt64], pairs start: Int, count: Int) {
        var isSorted = true
        for index in 1..<max(count, 1) {
            let (here, before) = (start + 2 * index, start + 2 * index - 2)
            let (time, earlier) = (Int64(bitPattern: words[here]), Int64(bitPattern: words[before]))
            if time < earlier || (time == earlier && key(words[here + 1]) < key(words[before + 1])) {
                isSorted = false
                break
            }
        }
        if isSorted { return }
        self.pairs.removeAll(keepingCapacity: true)
        for index in 0..<count {
            let value = words[start + 2 * index + 1]
            self.pairs.append(
                Pair(time: Int64(bitPattern: words[start + 2 * index]), key: key(value), value: value))
        }
        self.pairs.sort()
        for index in 0..<count {
            words[start + 2 * index] = UInt64(bitPattern: self.pairs[index].time)
            words[start + 2 * index + 1] = self.pairs[index].value
        }
    }

    private func key(_ word: UInt64) -> UInt64 { OrderedKey.key(Double(bitPattern: word)) }

    /// Writes the sealed pane at `target` from `count` time-ordered pairs at `pairs`; `start` is the pane's start
    /// time.
    mutating func seal(
        _ words: inout [UInt64], pairs: Int, count: Int, start: Int64, interval: inout TypicalInterval, at target: Int
    ) {
        var output = words.mutableSpan
        let values = target + SealedPane.values
        let origin = Double(bitPattern: output[pairs + 1])
        var sum = 0.0
        var offsets = 0.0
        var times = 0.0
        for index in 0..<count {
            let time = Int64(bitPattern: output[pairs + 2 * index])
            let bits = output[pairs + 2 * index + 1]
            output[values + index] = bits
            let value = Double(bitPattern: bits)
            sum += value
            offsets += value - origin
            // Wrapping: the true difference lies within a pane's length, even where `start` itself wrapped.
            times += Double(time &- start)
            interval.observe(time)
        }
        let reciprocal = 1 / Double(count)
        let meanOffset = offsets * reciprocal
        let meanTime = times * 1e-9 * reciprocal
        output[target + SealedPane.sum] = sum.bitPattern
        output[target + SealedPane.meanOffset] = meanOffset.bitPattern
        output[target + SealedPane.meanTime] = meanTime.bitPattern
        Self.writeMoments(&output, pairs, count, start, origin, meanOffset, meanTime, target)
        sortKeys(&words, values: values, count: count)
    }

    private static func writeMoments(
        _ output: inout MutableSpan<UInt64>, _ pairs: Int, _ count: Int, _ start: Int64, _ origin: Double,
        _ meanOffset: Double, _ meanTime: Double, _ target: Int
    ) {
        var (second, third, fourth) = (0.0, 0.0, 0.0)
        var (lag, change, timeMoment, timeProducts) = (0.0, 0.0, 0.0, 0.0)
        var previous = 0.0
        for index in 0..<count {
            let time = Int64(bitPattern: output[pairs + 2 * index])
            let deviation = Double(bitPattern: output[pairs + 2 * index + 1]) - origin - meanOffset
            let square = deviation * deviation
            second += square
            third += square * deviation
            fourth += square * square
            if index > 0 {
                lag += deviation * previous
                change += abs(deviation - previous)
            }
            previous = deviation
            let timeDeviation = Double(time &- start) * 1e-9 - meanTime
            timeMoment += timeDeviation * timeDeviation
            timeProducts += timeDeviation * deviation
        }
        output[target + SealedPane.secondMoment] = second.bitPattern
        output[target + SealedPane.thirdMoment] = third.bitPattern
        output[target + SealedPane.fourthMoment] = fourth.bitPattern
        output[target + SealedPane.lagProducts] = lag.bitPattern
        output[target + SealedPane.absoluteChange] = change.bitPattern
        output[target + SealedPane.timeMoment] = timeMoment.bitPattern
        output[target + SealedPane.timeProducts] = timeProducts.bitPattern
    }

    /// Writes the keys of the values at `values` behind them, ascending, between sentinels.
    private mutating func sortKeys(_ words: inout [UInt64], values: Int, count: Int) {
        let target = values + count + 1
        if count <= Self.shortRun {
            var output = words.mutableSpan
            output[target - 1] = 0
            for index in 0..<count {
                let key = OrderedKey.key(Double(bitPattern: output[values + index]))
                Self.insert(key, &output, start: target, end: target + index)
            }
            output[target + count] = .max
            return
        }
        let needed = count + 2 * ((count + Self.shortRun - 1) / Self.shortRun)
        if keys.count < needed { keys.append(contentsOf: repeatElement(0, count: needed - keys.count)) }
        runs.removeAll()
        Self.writeRuns(words, values: values, count: count, &keys, &runs)
        Self.merge(&runs, keys)
        for index in 0..<count + 2 { words[target - 1 + index] = runs.merged[index] }
    }

    /// Cuts the values into short runs of sorted keys, each between its sentinels.
    private static func writeRuns(
        _ words: [UInt64], values: Int, count: Int, _ keys: inout [UInt64], _ runs: inout SortedRuns
    ) {
        var output = keys.mutableSpan
        var offset = 1
        for first in stride(from: 0, to: count, by: shortRun) {
            let length = min(shortRun, count - first)
            output[offset - 1] = 0
            for index in 0..<length {
                let key = OrderedKey.key(Double(bitPattern: words[values + first + index]))
                insert(key, &output, start: offset, end: offset + index)
            }
            output[offset + length] = .max
            runs.append(offset: offset, count: length)
            offset += length + 2
        }
    }

    private static func merge(_ runs: inout SortedRuns, _ keys: [UInt64]) { runs.merge(keys.span) }

    /// Insertion into `keys[start ..< end]`, ascending.
    @inline(__always)
    private static func insert(_ key: UInt64, _ keys: inout MutableSpan<UInt64>, start: Int, end: Int) {
        var position = end
        while position > start {
            let before = keys[position - 1]
            if before <= key { break }
            keys[position] = before
            position -= 1
        }
        keys[position] = key
    }
}
