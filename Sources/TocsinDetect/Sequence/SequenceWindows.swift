/// Sequences to learn from: standardised rows of all segments one after the other, and where sequences start in them.
struct SequenceWindows: Sendable {
    var values: [Float]
    var starts: [Int]

    /// The values where sequences of a run of rows start.
    static func starts(in rows: Range<Int>, _ shape: SequenceShape, step: Int = 1) -> [Int] {
        guard rows.count >= shape.steps else { return [] }
        return stride(from: rows.lowerBound, through: rows.upperBound - shape.steps, by: step).map {
            $0 * shape.features
        }
    }

    /// At most `count` of them, evenly.
    mutating func thin(to count: Int) {
        guard starts.count > max(count, 1) else { return }
        let step = (starts.count + max(count, 1) - 1) / max(count, 1)
        starts = stride(from: 0, to: starts.count, by: step).map { starts[$0] }
    }

    /// Mean squared errors of all sequences over their last steps, on several cores.
    func errors(_ network: SequenceNetwork, lastSteps: Int, threads: Int) -> [Double] {
        let part = 240
        let parts = ParallelWork.map((starts.count + part - 1) / part, threads: threads) { index in
            let scratch = SequenceScratch()
            var scores = SequenceScores()
            let end = min((index + 1) * part, starts.count)
            for first in stride(from: index * part, to: end, by: 48) {
                scratch.inputs.removeAll(keepingCapacity: true)
                for start in starts[first..<min(first + 48, end)] {
                    scratch.inputs.append(contentsOf: values[start..<start + network.shape.width])
                }
                network.errors(scratch, .single, lastSteps: lastSteps, into: &scores)
            }
            return scores.errors
        }
        return parts.flatMap { $0 }
    }
}
