/// Merges ascending runs of ordered keys by pairs in two reused buffers: n log2(runs) branch-free steps, no malloc.
///
/// Every run stands between the sentinels 0 and `UInt64.max`, which no key equals, so that the inner loop needs no
/// bounds: of two runs it takes the lower half of the keys from the front and the upper half from the back, two
/// independent chains that the processor overlaps.
struct SortedRuns: Sendable {
    private struct Run {
        var offset: Int
        var count: Int
    }

    /// After `merge`: all keys ascending.
    private(set) var merged: [UInt64] = []
    private var spare: [UInt64] = []
    private var runs: [Run] = []
    private var count = 0

    /// Where `merged` begins: behind a sentinel.
    static let mergedStart = 1

    /// Forgets the runs of the last merge.
    mutating func removeAll() {
        runs.removeAll(keepingCapacity: true)
        count = 0
    }

    /// Names a run: `source[offset ..< offset + count]`, with the sentinels around it. `count` is positive.
    mutating func append(offset: Int, count: Int) {
        runs.append(Run(offset: offset, count: count))
        self.count += count
    }

    /// Merges the named runs of `source` into `merged`, from `mergedStart` on.
    mutating func merge(_ source: Span<UInt64>) {
        // The inner loop is unchecked and relies on this. (It also fetches the runs from memory side by side.)
        for run in runs {
            precondition(
                run.count > 0 && source[run.offset - 1] == 0 && source[run.offset + run.count] == .max,
                "a run stands between sentinels")
        }
        let needed = count + 2 * runs.count
        if spare.count < needed {
            spare.append(contentsOf: repeatElement(0, count: needed - spare.count))
            merged.append(contentsOf: repeatElement(0, count: spare.count - merged.count))
        }
        Self.mergePairs(&runs, source, &spare)
        swap(&merged, &spare)
        while runs.count > 1 {
            Self.mergePairs(&runs, merged, &spare)
            swap(&merged, &spare)
        }
    }

    private static func mergePairs(_ runs: inout [Run], _ source: [UInt64], _ target: inout [UInt64]) {
        mergePairs(&runs, source.span, &target)
    }

    private static func mergePairs(_ runs: inout [Run], _ source: Span<UInt64>, _ target: inout [UInt64]) {
        var output = target.mutableSpan
        var offset = 0
        var pairs = 0
        for index in stride(from: 0, to: runs.count, by: 2) {
            let left = runs[index]
            var total = left.count
            output[offset] = 0
            if index + 1 < runs.count {
                total += runs[index + 1].count
                merge(source, left, runs[index + 1], &output, offset + 1)
            } else {
                for position in 0..<total { output[offset + 1 + position] = source[left.offset + position] }
            }
            output[offset + 1 + total] = .max
            runs[pairs] = Run(offset: offset + 1, count: total)
            pairs += 1
            offset += total + 2
        }
        runs.removeSubrange(pairs...)
    }

    @inline(__always)
    private static func merge(
        _ source: Span<UInt64>, _ left: Run, _ right: Run, _ output: inout MutableSpan<UInt64>, _ offset: Int
    ) {
        let total = left.count &+ right.count
        precondition(offset >= 0 && offset + total < output.count, "merged keys fit the buffer")
        var (lowLeft, lowRight) = (left.offset, right.offset)
        var (highLeft, highRight) = (left.offset &+ left.count &- 1, right.offset &+ right.count &- 1)
        var last = offset &+ total &- 1
        // Bounds: the sentinels of each run stop its cursors, and every step writes one place of `total`.
        for position in offset..<offset &+ total / 2 {
            // Arithmetic on the comparison: a conditional becomes a branch, mispredicted every other time.
            let (leftKey, rightKey) = unsafe (source[unchecked: lowLeft], source[unchecked: lowRight])
            let takesRight = unsafe Int(unsafeBitCast(rightKey < leftKey, to: UInt8.self))
            unsafe output[unchecked: position] = min(leftKey, rightKey)
            lowRight &+= takesRight
            lowLeft &+= 1 &- takesRight

            let (leftEnd, rightEnd) = unsafe (source[unchecked: highLeft], source[unchecked: highRight])
            let takesLeft = unsafe Int(unsafeBitCast(rightEnd < leftEnd, to: UInt8.self))
            unsafe output[unchecked: last] = max(leftEnd, rightEnd)
            highLeft &-= takesLeft
            highRight &-= 1 &- takesLeft
            last &-= 1
        }
        if total % 2 == 1 {
            output[last] = min(source[lowLeft], source[lowRight])
        }
    }
}
