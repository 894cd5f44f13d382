import TocsinDetect

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The same network written down once more from its formulas, in doubles and without any cleverness.
struct PlainSequenceNetwork {
    let shape: SequenceShape
    var weights: [Double]
    private var cursor = 0

    init(shape: SequenceShape, weights: [Double]) {
        self.shape = shape
        self.weights = weights
    }

    /// [step][feature] in and out.
    mutating func reconstruct(_ sequence: [[Double]]) -> [[Double]] {
        cursor = 0
        var rows = sequence
        for units in shape.units { rows = layer(rows, units: units) }
        rows = Array(repeating: rows[rows.count - 1], count: sequence.count)
        for units in shape.units.reversed() { rows = layer(rows, units: units) }
        return dense(rows)
    }

    /// Mean squared error over sequences, steps and features.
    mutating func loss(_ sequences: [[[Double]]]) -> Double {
        var sum = 0.0
        for sequence in sequences {
            for (row, copy) in zip(sequence, reconstruct(sequence)) {
                for (value, other) in zip(row, copy) { sum += (value - other) * (value - other) }
            }
        }
        return sum / Double(sequences.count * shape.steps * shape.features)
    }

    private mutating func matrix(_ rows: Int, _ columns: Int) -> [[Double]] {
        (0..<rows).map { _ in
            defer { cursor += columns }
            return Array(weights[cursor..<cursor + columns])
        }
    }

    private mutating func layer(_ rows: [[Double]], units: Int) -> [[Double]] {
        let inputWeights = matrix(4 * units, rows[0].count)
        let stateWeights = matrix(4 * units, units)
        let biases = matrix(1, 4 * units)[0]
        var output = [Double](repeating: 0, count: units)
        var state = output
        return rows.map { row in
            let sums = (0..<4 * units).map { place in
                biases[place] + product(inputWeights[place], row) + product(stateWeights[place], output)
            }
            for unit in 0..<units {
                let input = sigmoid(sums[unit])
                let forget = sigmoid(sums[units + unit])
                state[unit] = forget * state[unit] + input * tanh(sums[2 * units + unit])
                output[unit] = sigmoid(sums[3 * units + unit]) * tanh(state[unit])
            }
            return output
        }
    }

    private mutating func dense(_ rows: [[Double]]) -> [[Double]] {
        let outputWeights = matrix(shape.features, rows[0].count)
        let biases = matrix(1, shape.features)[0]
        return rows.map { row in biases.indices.map { biases[$0] + product(outputWeights[$0], row) } }
    }

    private func product(_ left: [Double], _ right: [Double]) -> Double {
        zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
