internal import CTocsinKernels
internal import TocsinCore

/// Adam on mini-batches, each split into parts of 16 sequences whose gradients are made on several cores and added in
/// order: the result does not depend on how many cores there are.
struct SequenceTrainer {
    private static let partRows = 16
    let shape: SequenceShape
    let settings: SequenceAutoencoder.Settings
    private let packed: AlignedFloats
    private let first: AlignedFloats
    private let second: AlignedFloats
    private let transposed: AlignedFloats
    private let parts: [GradientWork]
    private var random: SplitMix64
    private var updates = 0

    init(shape: SequenceShape, settings: SequenceAutoencoder.Settings) {
        self.shape = shape
        self.settings = settings
        random = SplitMix64(seed: settings.seed)
        let count = shape.packedCount
        packed = AlignedFloats(count: count)
        packed.copy(from: SequenceNetwork(shape: shape, seed: random.next()).packed)
        first = AlignedFloats(count: count)
        second = AlignedFloats(count: count)
        transposed = AlignedFloats(count: shape.transposedCount)
        let parts = (settings.batchSize + Self.partRows - 1) / Self.partRows
        self.parts = (0..<parts).map { _ in GradientWork(shape: shape, rows: Self.partRows, body: .best) }
    }

    /// The weights of now.
    func network() -> SequenceNetwork {
        let copy = AlignedFloats(count: packed.count)
        copy.copy(from: packed)
        return SequenceNetwork(shape: shape, packed: copy)
    }

    /// One pass over all sequences in random order; gives the mean squared error on the way.
    mutating func epoch(_ windows: SequenceWindows) -> Double {
        let order = windows.starts.shuffled(using: &random)
        var squares = 0.0
        for start in stride(from: 0, to: order.count, by: settings.batchSize) {
            let batch = order[start..<min(start + settings.batchSize, order.count)]
            squares += learn(Array(batch), windows.values)
        }
        return squares / Double(order.count * shape.width)
    }

    private mutating func learn(_ starts: [Int], _ values: [Float]) -> Double {
        shape.transpose(packed, into: transposed)
        let (shape, parts, packed, transposed) = (shape, parts, packed, transposed)
        let scale = 2 / Float(starts.count * shape.width)
        let count = (starts.count + Self.partRows - 1) / Self.partRows
        let squares = ParallelWork.map(count, threads: settings.threads) { part in
            let mine = starts[part * Self.partRows..<min((part + 1) * Self.partRows, starts.count)]
            let work = parts[part]
            for (place, start) in mine.enumerated() {
                unsafe values.withUnsafeBufferPointer { source in
                    let from = unsafe UnsafeBufferPointer(rebasing: source[start..<start + shape.width])
                    guard let base = from.baseAddress else { return }
                    unsafe (work.inputs.pointer + place * shape.width).update(from: base, count: shape.width)
                }
            }
            return work.run(mine.count, packed: packed, transposed: transposed, scale: scale)
        }
        let gradient = parts[0].gradient
        for part in parts[1..<max(count, 1)] {
            unsafe tk_lstm_add(gradient.pointer, part.gradient.pointer, gradient.count)
        }
        update(gradient)
        return squares.reduce(0, +)
    }

    private mutating func update(_ gradient: AlignedFloats) {
        let length = unsafe tk_lstm_squares(gradient.pointer, gradient.count).squareRoot()
        // A gradient that is not finite teaches nothing.
        guard length.isFinite else { return }
        updates += 1
        let factor = min(1, settings.maximumGradient / max(length, 1e-30))
        let corrections = (1 - power(0.999, Double(updates))).squareRoot() / (1 - power(0.9, Double(updates)))
        unsafe tk_lstm_adam(
            packed.pointer, gradient.pointer, first.pointer, second.pointer, packed.count,
            Float(settings.learningRate * corrections), Float(factor), 1e-7)
    }
}
