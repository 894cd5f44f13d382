#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Standard normal deviates by the ziggurat of Marsaglia and Tsang (2000), in the form of Doornik, "An improved ziggurat
/// method to generate normal random samples" (2005): the layer and the position come from different bits.
///
/// About 99 of 100 draws cost one random word, one comparison and one multiplication.
struct GaussianSampler: Sendable {
    private static let layers = 128
    /// Where the tail begins, and the area of each layer.
    private static let tail = 3.442619855899
    private static let area = 9.91256303526217e-3

    /// Right edges of the layers, descending, and the share of each layer that lies wholly under the curve.
    private let edges: [Double]
    private let ratios: [Double]

    init() {
        var edges = [Double](repeating: 0, count: Self.layers + 1)
        var density = exp(-0.5 * Self.tail * Self.tail)
        edges[0] = Self.area / density
        edges[1] = Self.tail
        for layer in 2..<Self.layers {
            edges[layer] = (-2 * log(Self.area / edges[layer - 1] + density)).squareRoot()
            density = exp(-0.5 * edges[layer] * edges[layer])
        }
        self.edges = edges
        ratios = (0..<Self.layers).map { edges[$0 + 1] / edges[$0] }
    }

    @inline(__always)
    func next(_ random: inout RandomSource) -> Double {
        let word = random.next()
        let layer = Int(truncatingIfNeeded: word & 127)
        let position = Double(Int64(bitPattern: word) >> 11) * 0x1p-52
        if abs(position) < ratios[layer] { return position * edges[layer] }
        return nextAtEdge(layer, position, &random)
    }

    @inline(never)
    private func nextAtEdge(_ firstLayer: Int, _ firstPosition: Double, _ random: inout RandomSource) -> Double {
        var layer = firstLayer
        var position = firstPosition
        while true {
            if abs(position) < ratios[layer] { return position * edges[layer] }
            if layer == 0 { return Self.beyondTail(negative: position < 0, &random) }
            let x = position * edges[layer]
            let lower = exp(-0.5 * (edges[layer] * edges[layer] - x * x))
            let upper = exp(-0.5 * (edges[layer + 1] * edges[layer + 1] - x * x))
            if upper + random.uniform() * (lower - upper) < 1 { return x }
            let word = random.next()
            layer = Int(truncatingIfNeeded: word & 127)
            position = Double(Int64(bitPattern: word) >> 11) * 0x1p-52
        }
    }

    /// Marsaglia's method for the tail.
    private static func beyondTail(negative: Bool, _ random: inout RandomSource) -> Double {
        while true {
            // 1 - uniform is never 0, so the logarithms are finite.
            let x = log(1 - random.uniform()) / tail
            let y = log(1 - random.uniform())
            if -2 * y >= x * x { return negative ? x - tail : tail - x }
        }
    }
}
