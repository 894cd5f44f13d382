internal import CTocsinKernels

/// Which body of the LSTM kernels to run; they differ in the last bits, as they sum in different orders.
public enum SequenceBody: Sendable, CaseIterable {
    case portable, avx2, avx512

    /// The fastest one this processor has.
    public static var best: SequenceBody {
        switch tk_lstm_body() {
        case tk_body_avx512: .avx512
        case tk_body_avx2: .avx2
        default: .portable
        }
    }

    public var isAvailable: Bool { body.rawValue <= tk_lstm_body().rawValue }

    var body: tk_body {
        switch self {
        case .portable: tk_body_portable
        case .avx2: tk_body_avx2
        case .avx512: tk_body_avx512
        }
    }

    /// sigmoid and tanh of `values` as the layers compute them: to measure their error.
    public func activations(of values: [Float]) -> (sigmoids: [Float], tangents: [Float]) {
        var sigmoids = values
        var tangents = values
        unsafe tk_lstm_activations(values, values.count, &sigmoids, &tangents, body)
        return (sigmoids, tangents)
    }
}

/// Memory that scoring needs and keeps between calls (2 MB at the default shape); one for each thread.
public final class SequenceScratch {
    let body: SequenceBody
    private var shape: SequenceShape?
    private var floats = AlignedFloats(count: 0)
    var inputs: [Float] = []
    var outputs: [Float] = []

    /// - Parameter body: which must be available.
    public init(body: SequenceBody = .best) {
        precondition(body.isAvailable, "this processor lacks what the chosen kernels need")
        self.body = body
    }

    func forward(for shape: SequenceShape) -> AlignedFloats {
        if self.shape != shape {
            var net = shape.kernel
            floats = AlignedFloats(count: unsafe tk_lstm_forward_scratch(&net))
            self.shape = shape
        }
        return floats
    }
}

/// What one part of a mini-batch needs for its gradient.
///
/// Sendable because one piece of work at a time has it.
final class GradientWork: @unchecked Sendable {
    let inputs: AlignedFloats
    let gradient: AlignedFloats
    private let shape: SequenceShape
    private let rows: Int
    private let scratch: AlignedFloats
    private let body: tk_body

    init(shape: SequenceShape, rows: Int, body: SequenceBody) {
        self.shape = shape
        self.rows = rows
        self.body = body.body
        var net = shape.kernel
        inputs = AlignedFloats(count: rows * shape.width)
        gradient = AlignedFloats(count: shape.packedCount)
        scratch = AlignedFloats(count: unsafe tk_lstm_gradient_scratch(&net, rows))
    }

    /// The sum of squared errors of the first `count` of `inputs`; `gradient` is then half its derivative times
    /// `scale`.
    func run(_ count: Int, packed: AlignedFloats, transposed: AlignedFloats, scale: Float) -> Double {
        precondition(count <= rows, "more sequences than there is memory for")
        var net = shape.kernel
        return unsafe tk_lstm_gradient(
            &net, packed.pointer, transposed.pointer, inputs.pointer, count, scale, gradient.pointer, scratch.pointer,
            body)
    }
}
