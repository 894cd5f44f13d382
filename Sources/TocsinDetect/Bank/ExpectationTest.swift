/// Two-sided CUSUM (Page 1954) of a level against an expectation that varies: said once, then held until the level is
/// back where it is expected.
struct ExpectationTest: Sendable {
    var sum: Float = 0
    /// Mean absolute difference while nothing is wrong, and the largest seen lately.
    var error: Float = 0
    var worst: Float = 0
    /// Steps since the deviation was said; 0 while there is none.
    var holding: UInt16 = 0

    /// What is normal: one standard deviation, and never less than a third of what has occurred.
    func unit(floor: Float) -> Float { max(1.2533 * error, worst / 3, floor) }

    /// The evidence when the deviation is to be said, else nil.
    ///
    /// - Parameters:
    ///   - floor: the smallest standard deviation that is believed.
    ///   - minimum: smaller differences are never said.
    mutating func judge(_ difference: Float, floor: Float, minimum: Float) -> Float? {
        let z = (difference / unit(floor: floor)).clamped(-6, 6)
        guard holding == 0 else {
            holding = abs(z) < 1.5 ? 0 : (holding == .max ? .max : holding + 1)
            return nil
        }
        sum = sum > 0 || sum == 0 && z > 0 ? max(0, sum + z - 3) : min(0, sum + z + 3)
        guard abs(sum) > 6, abs(difference) >= minimum else { return nil }
        defer { sum = 0 }
        holding = 1
        return abs(sum) + abs(z)
    }

    /// Learns the size of a difference that is no deviation.
    mutating func learn(_ difference: Float, floor: Float, rate: Float) {
        guard holding == 0 else { return }
        let size = min(abs(difference), 3 * unit(floor: floor))
        error += (size - error) * rate
    }

    /// Whatever is accepted can go on.
    var isPlausible: Bool {
        abs(sum) <= 1e6 && error >= 0 && error <= 1e7 && worst >= 0 && worst <= 1e7
    }
}
