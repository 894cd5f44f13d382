/// The weights of one application profile of the Numenta Anomaly Benchmark v1.1 (`config/profiles.json`).
public struct NABProfile: Equatable, Sendable {
    public let name: String
    /// What the earliest possible detection inside a window earns.
    public let truePositiveWeight: Double
    /// What one false alarm far from a window costs.
    public let falsePositiveWeight: Double
    /// What a missed window costs.
    public let falseNegativeWeight: Double

    public static let standard = NABProfile(
        name: "standard", truePositiveWeight: 1, falsePositiveWeight: 0.11, falseNegativeWeight: 1)
    public static let rewardLowFalsePositives = NABProfile(
        name: "reward_low_FP_rate", truePositiveWeight: 1, falsePositiveWeight: 0.22, falseNegativeWeight: 1)
    public static let rewardLowFalseNegatives = NABProfile(
        name: "reward_low_FN_rate", truePositiveWeight: 1, falsePositiveWeight: 0.11, falseNegativeWeight: 2)
    public static let all = [standard, rewardLowFalsePositives, rewardLowFalseNegatives]
}
