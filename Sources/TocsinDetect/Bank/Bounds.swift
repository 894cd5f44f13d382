// One instruction each, where the library's `min`, `max` and a clamp of two comparisons take four.

extension FloatingPoint {
    /// Self or `high`, whichever is less; NaN stays NaN.
    @inline(__always) func atMost(_ high: Self) -> Self { high < self ? high : self }

    /// Self or `low`, whichever is more; NaN stays NaN.
    @inline(__always) func atLeast(_ low: Self) -> Self { low > self ? low : self }
}

extension Float {
    /// The magnitude of self, which is not negative, with the sign of another number: a choice that is a coin toss, made
    /// without a branch.
    @inline(__always) func withSign(of other: Float) -> Float {
        Float(bitPattern: bitPattern | other.bitPattern & 0x8000_0000)
    }
}
