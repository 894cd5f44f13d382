import Foundation

/// The spectral residual detector as TSB-AD runs it: deterministic, so that its published VUS-PR checks ours.
/// Plain sums instead of a fast transform: O(n²), a fraction of a second for the one series it is needed for.
struct SpectralResidual {
    private let cosines: [Double]
    private let sines: [Double]
    private var count: Int { cosines.count }

    init(count: Int) {
        cosines = (0..<count).map { cos(2 * .pi * Double($0) / Double(count)) }
        sines = (0..<count).map { sin(2 * .pi * Double($0) / Double(count)) }
    }

    func scores(_ values: [Double]) -> [Double] {
        let low = values.min() ?? 0
        let range = (values.max() ?? 1) - low
        let scaled = values.map { ($0 - low) / range }
        let spectrum = transform(scaled, Array(repeating: 0, count: count), sign: -1)
        let size = spectrum.map { log(($0.0 * $0.0 + $0.1 * $0.1).squareRoot()) }
        let smooth = movingMean(of: size, first: scaled[0], last: scaled[count - 1])
        var real: [Double] = []
        var imaginary: [Double] = []
        for (index, part) in spectrum.enumerated() {
            let factor = exp(-smooth[index])
            real.append(part.0 * factor)
            imaginary.append(part.1 * factor)
        }
        return transform(real, imaginary, sign: 1).map { ($0.0 * $0.0 + $0.1 * $0.1).squareRoot() / Double(count) }
    }

    /// Over 100 frequencies, the half spectrum mirrored, its ends padded with the ends of the series (as published).
    private func movingMean(of size: [Double], first: Double, last: Double) -> [Double] {
        let half = Array(size[1...((count - 1 + 1) / 2)])
        let padded = Array(repeating: first, count: 49) + half + Array(repeating: last, count: 50)
        let means = half.indices.map { padded[$0..<($0 + 100)].reduce(0, +) / 100 }
        return [size[0]] + means + ((count - 1) % 2 == 1 ? Array(means.dropLast()) : means).reversed()
    }

    private func transform(_ real: [Double], _ imaginary: [Double], sign: Double) -> [(Double, Double)] {
        (0..<count).map { frequency in
            var sum = (0.0, 0.0)
            var angle = 0
            for row in 0..<count {
                let (cosine, sine) = (cosines[angle], sign * sines[angle])
                sum.0 += real[row] * cosine - imaginary[row] * sine
                sum.1 += real[row] * sine + imaginary[row] * cosine
                angle += frequency
                if angle >= count { angle -= count }
            }
            return sum
        }
    }
}
