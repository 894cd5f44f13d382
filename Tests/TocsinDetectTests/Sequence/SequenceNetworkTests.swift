import Testing
import TocsinCore
import TocsinDetect

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite struct SequenceNetworkTests {
    private static func sequences(_ count: Int, _ shape: SequenceShape, seed: UInt64) -> [[[Double]]] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            (0..<shape.steps).map { _ in
                // Exact in both precisions.
                (0..<shape.features).map { _ in Double(Float(4 * random.nextUnit() - 2)) }
            }
        }
    }

    private static func flat(_ sequences: [[[Double]]]) -> [Float] {
        sequences.flatMap { $0.flatMap { $0.map(Float.init) } }
    }

    private static func difference(
        _ shape: SequenceShape, sequences count: Int, _ body: SequenceBody, _ precision: SequenceNetwork.Precision
    ) -> Double {
        let network = SequenceNetwork(shape: shape, seed: 5)
        let sequences = sequences(count, shape, seed: 6)
        var plain = PlainSequenceNetwork(shape: shape, weights: network.weights.map(Double.init))
        let expected = sequences.flatMap { plain.reconstruct($0).flatMap { $0 } }
        let inputs = flat(sequences)
        var outputs = inputs
        network.reconstruct(inputs, into: &outputs, scratch: SequenceScratch(body: body), precision: precision)
        return zip(outputs, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
    }

    /// Sizes around the kernels' 16 units, 64 outputs, groups of 6 rows and chunks of 24.
    @Test(arguments: SequenceBody.allCases.filter(\.isAvailable))
    func equalsThePlainNetwork(body: SequenceBody) throws {
        let shapes: [(features: Int, steps: Int, units: [Int])] = [
            (1, 2, [1]), (6, 7, [5, 3]), (3, 4, [16]), (17, 5, [33, 18]), (70, 3, [20]), (4, 6, [9, 8, 7, 6]),
        ]
        for (features, steps, units) in shapes {
            let shape = try SequenceShape(features: features, steps: steps, units: units)
            for count in [1, 2, 3, 4, 7, 25] {
                let difference = Self.difference(shape, sequences: count, body, .single)
                #expect(difference < 1e-5, "\(shape), \(count) sequences: \(difference)")
            }
        }
        let usual = try SequenceShape(features: 6, steps: 50, units: [128, 64])
        #expect(Self.difference(usual, sequences: 5, body, .single) < 1e-4)
    }

    @Test func bfloat16IsCloseToThePlainNetwork() throws {
        for units in [[128, 64], [33, 17]] {
            let shape = try SequenceShape(features: 7, steps: 20, units: units)
            for count in [1, 9] {
                let difference = Self.difference(shape, sequences: count, .best, .bfloat16)
                #expect(difference < 0.02, "\(difference)")
            }
        }
    }

    @Test(arguments: SequenceBody.allCases.filter(\.isAvailable))
    func activationsAreWithinTheirStatedError(body: SequenceBody) {
        let values = (-40_000...40_000).map { Float($0) / 1000 } + [.infinity, -.infinity, 1e30, -1e30, 0]
        let (sigmoids, tangents) = body.activations(of: values)
        var worst = 0.0
        for (place, value) in values.enumerated() {
            worst = max(worst, abs(Double(sigmoids[place]) - 1 / (1 + exp(-Double(value)))))
            worst = max(worst, abs(Double(tangents[place]) - tanh(Double(value))))
        }
        #expect(worst < 3e-7, "\(worst)")
    }

    /// Every weight: against central differences of the plain network's loss in doubles.
    @Test(arguments: SequenceBody.allCases.filter(\.isAvailable))
    func gradientsAreThoseOfTheLoss(body: SequenceBody) throws {
        let shapes: [(features: Int, steps: Int, units: [Int], count: Int)] = [
            (2, 5, [4, 3], 3), (3, 4, [17], 7), (1, 3, [2, 3, 2], 1), (66, 2, [2], 2),
        ]
        for (features, steps, units, count) in shapes {
            let shape = try SequenceShape(features: features, steps: steps, units: units)
            let network = SequenceNetwork(shape: shape, seed: 8)
            let sequences = Self.sequences(count, shape, seed: 9)
            let (loss, gradient) = network.gradient(of: Self.flat(sequences), body: body)
            var plain = PlainSequenceNetwork(shape: shape, weights: network.weights.map(Double.init))
            #expect(abs(loss - plain.loss(sequences)) < 1e-5 * loss)
            #expect(gradient.count == shape.weightCount)
            let scale = gradient.map { Double(abs($0)) }.max() ?? 0
            let step = max(1, gradient.count / 400)
            for place in stride(from: 0, to: gradient.count, by: step) {
                let weight = plain.weights[place]
                plain.weights[place] = weight + 1e-4
                let above = plain.loss(sequences)
                plain.weights[place] = weight - 1e-4
                let below = plain.loss(sequences)
                plain.weights[place] = weight
                let expected = (above - below) / 2e-4
                #expect(
                    abs(Double(gradient[place]) - expected) < 1e-4 * abs(expected) + 1e-5 * scale,
                    "\(shape), weight \(place): \(gradient[place]), \(expected)")
            }
        }
    }

    @Test func weightsGoInAndComeOut() throws {
        let shape = try SequenceShape(features: 5, steps: 3, units: [19, 4])
        let weights = (0..<shape.weightCount).map { Float($0) }
        #expect(try SequenceNetwork(shape: shape, weights: weights).weights == weights)
        #expect(throws: TocsinError.self) { try SequenceNetwork(shape: shape, weights: weights + [0]) }
    }

    @Test func sizesAreLimited() {
        for (features, steps, units) in [
            (0, 5, [4]), (257, 5, [4]), (3, 1, [4]), (3, 5, []), (3, 5, [0]), (3, 5, [513]), (3, 5, [1, 1, 1, 1, 1]),
            (3, 2000, [512]),
        ] {
            #expect(throws: TocsinError.self) {
                try SequenceShape(features: features, steps: steps, units: units)
            }
        }
    }
}
