#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

// The few functions the standard library does not have; kept here so that no other file imports the C library.

@inline(__always) func naturalLog(_ x: Double) -> Double { log(x) }
@inline(__always) func exponential(_ x: Double) -> Double { exp(x) }
@inline(__always) func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

extension Double {
    @inline(__always) func clamped(_ low: Double, _ high: Double) -> Double {
        self < low ? low : (self > high ? high : self)
    }
}

extension Float {
    /// Picks by the sign bit, without a branch: for choices that are a coin toss, which no predictor can learn.
    @inline(__always) func bySign(negative: Float, positive: Float) -> Float {
        let mask = UInt32(bitPattern: Int32(bitPattern: bitPattern) >> 31)
        return Float(bitPattern: negative.bitPattern & mask | positive.bitPattern & ~mask)
    }

    @inline(__always) func clamped(_ low: Float, _ high: Float) -> Float {
        self < low ? low : (self > high ? high : self)
    }
}

/// The middle value of unsorted numbers (mean of the two middle ones); NaN when empty. O(n log n).
func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    return quantile(sorted: values.sorted(), 0.5)
}

/// The quantile of ascending numbers by linear interpolation between order statistics (type 7 of Hyndman and Fan
/// 1996, the default of NumPy); NaN when empty.
func quantile(sorted values: [Double], _ fraction: Double) -> Double {
    guard !values.isEmpty else { return .nan }
    let position = fraction.clamped(0, 1) * Double(values.count - 1)
    let lower = Int(position)
    let upper = min(lower + 1, values.count - 1)
    let weight = position - Double(lower)
    return values[lower] * (1 - weight) + values[upper] * weight
}
