/// The four counts of flags against point labels; add them to pool files, as SKAB does.
///
/// A ratio whose denominator is zero is 0.
public struct PointCounts: Equatable, Sendable {
    public var truePositives: Int
    public var falsePositives: Int
    public var trueNegatives: Int
    public var falseNegatives: Int

    public init(truePositives: Int = 0, falsePositives: Int = 0, trueNegatives: Int = 0, falseNegatives: Int = 0) {
        self.truePositives = truePositives
        self.falsePositives = falsePositives
        self.trueNegatives = trueNegatives
        self.falseNegatives = falseNegatives
    }

    /// Counts row by row; rows beyond the shorter array are ignored. O(n).
    public init(predicted: [Bool], labels: [Bool]) {
        self.init()
        for (flag, label) in zip(predicted, labels) {
            switch (flag, label) {
            case (true, true): truePositives += 1
            case (true, false): falsePositives += 1
            case (false, false): trueNegatives += 1
            case (false, true): falseNegatives += 1
            }
        }
    }

    public static func + (left: PointCounts, right: PointCounts) -> PointCounts {
        PointCounts(
            truePositives: left.truePositives + right.truePositives,
            falsePositives: left.falsePositives + right.falsePositives,
            trueNegatives: left.trueNegatives + right.trueNegatives,
            falseNegatives: left.falseNegatives + right.falseNegatives)
    }

    public static func += (left: inout PointCounts, right: PointCounts) { left = left + right }
}

extension PointCounts {
    /// All rows counted.
    public var total: Int { truePositives + falsePositives + trueNegatives + falseNegatives }

    /// TP / (TP + FP), 0...1.
    public var precision: Double { Self.ratio(truePositives, truePositives + falsePositives) }

    /// TP / (TP + FN), 0...1.
    public var recall: Double { Self.ratio(truePositives, truePositives + falseNegatives) }

    /// TN / (TN + FP), 0...1.
    public var specificity: Double { Self.ratio(trueNegatives, trueNegatives + falsePositives) }

    /// Harmonic mean of precision and recall, 0...1.
    public var f1: Double { Self.ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }

    /// FAR = FP / (FP + TN), 0...1 (SKAB prints it in percent).
    public var falseAlarmRate: Double { Self.ratio(falsePositives, falsePositives + trueNegatives) }

    /// MAR = FN / (FN + TP), 0...1 (SKAB prints it in percent).
    public var missedAlarmRate: Double { Self.ratio(falseNegatives, falseNegatives + truePositives) }

    /// (TP + TN) / all, 0...1.
    public var accuracy: Double { Self.ratio(truePositives + trueNegatives, total) }

    /// The mean of recall and specificity over the classes that have rows, 0...1, as scikit-learn's
    /// `balanced_accuracy_score`.
    public var balancedAccuracy: Double {
        if truePositives + falseNegatives == 0 { return specificity }
        if trueNegatives + falsePositives == 0 { return recall }
        return (recall + specificity) / 2
    }

    /// Matthews correlation coefficient, -1...1; 0 when a row or a column of the table is empty.
    public var matthews: Double {
        let (hit, alarm) = (Double(truePositives), Double(falsePositives))
        let (quiet, miss) = (Double(trueNegatives), Double(falseNegatives))
        let square = (hit + alarm) * (hit + miss) * (quiet + alarm) * (quiet + miss)
        return square > 0 ? (hit * quiet - alarm * miss) / square.squareRoot() : 0
    }

    private static func ratio(_ part: Int, _ whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
}
