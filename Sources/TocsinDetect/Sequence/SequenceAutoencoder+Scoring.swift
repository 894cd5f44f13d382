internal import TocsinCore

/// The scores of a batch; reused, it allocates nothing from the second batch on.
public struct SequenceScores: Sendable {
    /// Mean squared error of each sequence over its scored steps and standardised features.
    public internal(set) var errors: [Double] = []
    /// [sequence][feature]: what each feature adds to the error; they sum up to it.
    public internal(set) var contributions: [Double] = []

    public init() {}
}

extension SequenceAutoencoder {
    /// The reconstruction errors of whole sequences, [sequence][step][feature] in the features' own units; missing
    /// values count as the mean.
    ///
    /// About 0.12 ms a sequence at the default shape on one core with AVX-512, 0.07 with bfloat16; alone 0.3 or
    /// 0.15 ms.
    public func score(
        batch: [Double], scratch: SequenceScratch, precision: SequenceNetwork.Precision = .single,
        into scores: inout SequenceScores
    ) {
        let width = shape.width
        precondition(batch.count % width == 0, "whole sequences")
        score(count: batch.count / width, scratch, precision, into: &scores) { sequence, inputs in
            var feature = 0
            for place in sequence * width..<(sequence + 1) * width {
                inputs.append(scaler.scaled(batch[place], feature))
                feature += 1
                if feature == featureNames.count { feature = 0 }
            }
        }
    }

    /// The errors of every `step`th sequence in flat rows in time order: sequence k starts at row k * `step`. Empty for
    /// fewer rows than a sequence has.
    public func score(
        rows: [Double], step: Int = 1, scratch: SequenceScratch, precision: SequenceNetwork.Precision = .single,
        into scores: inout SequenceScores
    ) {
        let features = featureNames.count
        precondition(rows.count % features == 0 && step > 0, "whole rows, a positive step")
        let values = rows.indices.map { scaler.scaled(rows[$0], $0 % features) }
        let starts = SequenceWindows.starts(in: 0..<rows.count / features, shape, step: step)
        score(count: starts.count, scratch, precision, into: &scores) { sequence, inputs in
            inputs.append(contentsOf: values[starts[sequence]..<starts[sequence] + shape.width])
        }
    }

    private func score(
        count: Int, _ scratch: SequenceScratch, _ precision: SequenceNetwork.Precision,
        into scores: inout SequenceScores, _ append: (Int, inout [Float]) -> Void
    ) {
        scores.errors.removeAll(keepingCapacity: true)
        scores.contributions.removeAll(keepingCapacity: true)
        for first in stride(from: 0, to: count, by: 96) {
            let part = first..<min(first + 96, count)
            scratch.inputs.removeAll(keepingCapacity: true)
            for sequence in part { append(sequence, &scratch.inputs) }
            network.errors(scratch, precision, lastSteps: scoredSteps, into: &scores)
        }
    }
}

extension SequenceNetwork {
    /// Appends the errors of the sequences in `scratch.inputs`.
    func errors(
        _ scratch: SequenceScratch, _ precision: Precision, lastSteps: Int, into scores: inout SequenceScores
    ) {
        let inputs = scratch.inputs
        if scratch.outputs.count != inputs.count { scratch.outputs = inputs }
        var outputs: [Float] = []
        swap(&outputs, &scratch.outputs)
        reconstruct(inputs, into: &outputs, scratch: scratch, precision: precision)
        let features = shape.features
        let scale = 1 / Double(lastSteps * features)
        let skipped = shape.width - lastSteps * features
        for first in stride(from: 0, to: inputs.count, by: shape.width) {
            let base = scores.contributions.count
            scores.contributions.append(contentsOf: repeatElement(0, count: features))
            for row in stride(from: first + skipped, to: first + shape.width, by: features) {
                for feature in 0..<features {
                    let error = Double(outputs[row + feature] - inputs[row + feature])
                    scores.contributions[base + feature] += error * error
                }
            }
            var sum = 0.0
            for feature in base..<base + features {
                scores.contributions[feature] *= scale
                sum += scores.contributions[feature]
            }
            scores.errors.append(sum)
        }
        swap(&outputs, &scratch.outputs)
    }
}
