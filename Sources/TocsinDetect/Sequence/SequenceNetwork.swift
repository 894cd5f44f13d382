internal import CTocsinKernels
internal import TocsinCore

/// The bare LSTM autoencoder on standardised sequences: weights, forward pass, gradient.
///
/// LSTM of Hochreiter and Schmidhuber 1997 with forget gates (Gers et al. 2000), sigmoid gates and tanh, no peepholes;
/// autoencoder of sequences as Malhotra et al. 2016, with the last state repeated as the decoder's input. sigmoid and
/// tanh are within 3e-7 of the exact ones. Weights are packed once, when an instance is made.
public struct SequenceNetwork: Sendable {
    /// How exact the forward pass is.
    public enum Precision: Sendable {
        /// 32-bit floats.
        case single
        /// Weights and activations rounded to 8 bits of mantissa, sums in 32 bits: about twice as fast. On a trained
        /// model errors of reconstruction change by 0.2 % (median) to 2.5 % (most). As `single` where the processor has
        /// no AVX-512 BF16.
        case bfloat16
    }

    public let shape: SequenceShape
    let packed: AlignedFloats
    private let pairs: AlignedFloats?

    /// Whether this processor has what `Precision.bfloat16` needs.
    public static var hasBFloat16: Bool { tk_lstm_has_bfloat16() != 0 }

    /// - Parameter weights: layer by layer, encoder first: input weights [gate][unit][input], recurrent weights
    ///   [gate][unit][unit], biases [gate][unit], gates in the order input, forget, cell, output; then the dense
    ///   layer: weights [feature][unit], biases [feature].
    /// - Throws: `TocsinError(.model)` when their number is not `shape.weightCount`.
    public init(shape: SequenceShape, weights: [Float]) throws {
        guard weights.count == shape.weightCount else {
            throw TocsinError(
                .model, "A sequence model of this shape has \(shape.weightCount) weights, not \(weights.count).")
        }
        self.init(shape: shape, packed: shape.pack(weights))
    }

    /// Random weights as training starts with them: uniform within ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010),
    /// biases 0, those of forget gates 1 (Jozefowicz et al. 2015).
    public init(shape: SequenceShape, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var weights: [Float] = []
        func append(_ count: Int, _ fan: Int) {
            let limit = (6 / Double(fan)).squareRoot()
            for _ in 0..<count { weights.append(Float((2 * random.nextUnit() - 1) * limit)) }
        }
        for (layer, units) in shape.layers.enumerated() {
            let inputs = shape.inputs(of: layer)
            append(4 * units * inputs, inputs + units)
            append(4 * units * units, 2 * units)
            for gate in 0..<4 { weights.append(contentsOf: repeatElement(gate == 1 ? 1 : 0, count: units)) }
        }
        append(shape.features * shape.units[0], shape.features + shape.units[0])
        weights.append(contentsOf: repeatElement(0, count: shape.features))
        self.init(shape: shape, packed: shape.pack(weights))
    }

    /// - Parameter packed: not to be written from here on.
    init(shape: SequenceShape, packed: AlignedFloats) {
        self.shape = shape
        self.packed = packed
        guard Self.hasBFloat16 else {
            pairs = nil
            return
        }
        var net = shape.kernel
        let pairs = AlignedFloats(count: unsafe tk_lstm_bfloat16_count(&net))
        unsafe tk_lstm_pack_bfloat16(&net, packed.pointer, pairs.pointer)
        self.pairs = pairs
    }

    /// All weights in the order of `init(shape:weights:)`.
    public var weights: [Float] { shape.packedPlaces().map { packed[Int($0)] } }

    /// Reconstructs sequences: `inputs` and `outputs` are [sequence][step][feature] and equally long.
    ///
    /// About 0.12 ms a sequence at the default shape on one core with AVX-512; a sequence alone takes 0.3 ms.
    public func reconstruct(
        _ inputs: [Float], into outputs: inout [Float], scratch: SequenceScratch, precision: Precision = .single
    ) {
        let rows = inputs.count / shape.width
        precondition(
            inputs.count == rows * shape.width && outputs.count == inputs.count, "whole sequences, in as out")
        let work = scratch.forward(for: shape)
        var net = shape.kernel
        unsafe inputs.withUnsafeBufferPointer { source in
            unsafe outputs.withUnsafeMutableBufferPointer { target in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                if precision == .bfloat16, let pairs {
                    unsafe tk_lstm_forward_bfloat16(&net, pairs.pointer, source, rows, target, work.pointer)
                } else {
                    unsafe tk_lstm_forward(
                        &net, packed.pointer, source, rows, target, work.pointer, scratch.body.body)
                }
            }
        }
    }

    /// The mean squared error of reconstructing `inputs`, and its derivative by every weight in the order of `weights`.
    public func gradient(of inputs: [Float], body: SequenceBody = .best) -> (loss: Double, gradient: [Float]) {
        let rows = inputs.count / shape.width
        precondition(rows > 0 && inputs.count == rows * shape.width, "whole sequences")
        let work = GradientWork(shape: shape, rows: rows, body: body)
        for (place, value) in inputs.enumerated() { work.inputs[place] = value }
        let transposed = AlignedFloats(count: shape.transposedCount)
        shape.transpose(packed, into: transposed)
        let squares = work.run(rows, packed: packed, transposed: transposed, scale: 2 / Float(inputs.count))
        return (squares / Double(inputs.count), shape.packedPlaces().map { work.gradient[Int($0)] })
    }
}

extension SequenceShape {
    var packedCount: Int {
        var net = kernel
        return unsafe tk_lstm_count(&net)
    }

    var transposedCount: Int {
        var net = kernel
        return unsafe tk_lstm_transposed_count(&net)
    }

    func pack(_ weights: [Float]) -> AlignedFloats {
        let packed = AlignedFloats(count: packedCount)
        for (place, weight) in zip(packedPlaces(), weights) { packed[Int(place)] = weight }
        return packed
    }

    func transpose(_ packed: AlignedFloats, into transposed: AlignedFloats) {
        var net = kernel
        unsafe tk_lstm_transpose(&net, packed.pointer, transposed.pointer)
    }
}
