/// Measures of a ranking by score against point labels; rows beyond the shorter array are ignored.
///
/// Scores: higher is more anomalous, any scale; NaN ranks lowest. O(n log n).
public enum Ranking {
    /// Area under the ROC curve, 0...1, ties counted half (Mann-Whitney); 0.5 when only one class is present.
    public static func areaUnderROC(scores: [Double], labels: [Bool]) -> Double {
        let order = ScoreOrder(scores: scores, labels: labels)
        let negatives = order.rows.count - order.positives
        guard order.positives > 0, negatives > 0 else { return 0.5 }
        var area = 0.0
        var lastTrue = 0
        var lastFalse = 0
        order.forEachThreshold { _, truePositives, falsePositives in
            area += Double(falsePositives - lastFalse) * Double(truePositives + lastTrue) / 2
            lastTrue = truePositives
            lastFalse = falsePositives
        }
        return area / (Double(order.positives) * Double(negatives))
    }

    /// Average precision, 0...1: precision summed over the steps of recall, equal scores as one step, as scikit-learn's
    /// `average_precision_score`; 0 without a labelled row.
    public static func averagePrecision(scores: [Double], labels: [Bool]) -> Double {
        let order = ScoreOrder(scores: scores, labels: labels)
        guard order.positives > 0 else { return 0 }
        var sum = 0.0
        var lastTrue = 0
        order.forEachThreshold { _, truePositives, falsePositives in
            let precision = Double(truePositives) / Double(truePositives + falsePositives)
            sum += Double(truePositives - lastTrue) * precision
            lastTrue = truePositives
        }
        return sum / Double(order.positives)
    }

    /// The best F1 any threshold reaches (flag when score >= threshold); an upper bound, as it is chosen on the labels.
    ///
    /// Without a labelled row: F1 0 at threshold +infinity. Of equal F1 the highest threshold is given.
    public static func bestF1(
        scores: [Double], labels: [Bool]
    ) -> (f1: Double, threshold: Double, precision: Double, recall: Double) {
        let order = ScoreOrder(scores: scores, labels: labels)
        var best = (f1: 0.0, threshold: Double.infinity, precision: 0.0, recall: 0.0)
        guard order.positives > 0 else { return best }
        order.forEachThreshold { threshold, truePositives, falsePositives in
            let f1 = 2 * Double(truePositives) / Double(truePositives + falsePositives + order.positives)
            guard f1 > best.f1 else { return }
            best = (
                f1, threshold, Double(truePositives) / Double(truePositives + falsePositives),
                Double(truePositives) / Double(order.positives)
            )
        }
        return best
    }
}
