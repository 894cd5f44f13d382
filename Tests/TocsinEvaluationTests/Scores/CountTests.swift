import Testing
import TocsinEvaluation

@Suite struct CountTests {
    @Test func countsAndRates() {
        let counts = PointCounts(
            predicted: [true, true, false, false, true, false], labels: [true, false, true, false, true, false])
        #expect(counts == PointCounts(truePositives: 2, falsePositives: 1, trueNegatives: 2, falseNegatives: 1))
        #expect(abs(counts.f1 - 2.0 / 3) < 1e-12)
        #expect(abs(counts.falseAlarmRate - 1.0 / 3) < 1e-12 && abs(counts.missedAlarmRate - 1.0 / 3) < 1e-12)
        #expect(abs(counts.accuracy - 4.0 / 6) < 1e-12 && abs(counts.balancedAccuracy - 2.0 / 3) < 1e-12)
        #expect(abs(counts.matthews - 1.0 / 3) < 1e-12)
        let pooled = counts + PointCounts(truePositives: 8)
        #expect(pooled.truePositives == 10 && abs(pooled.recall - 10.0 / 11) < 1e-12)
    }

    @Test func emptyCountsAreZero() {
        let none = PointCounts(predicted: [], labels: [])
        #expect(
            [none.precision, none.recall, none.f1, none.falseAlarmRate, none.missedAlarmRate, none.matthews] == [
                0, 0, 0, 0, 0, 0,
            ])
        #expect(PointCounts(trueNegatives: 3).balancedAccuracy == 1)
        #expect(PointCounts(predicted: [true, true], labels: [true]).total == 1)
    }

    @Test func confusionByKind() {
        var matrix = ConfusionMatrix(kinds: ["none", "spike", "drift"])
        matrix.add(truth: 1, found: 1, times: 8)
        matrix.add(truth: "spike", found: "none")
        matrix.add(truth: "spike", found: "drift")
        matrix.add(truth: "drift", found: "drift")
        matrix.add(truth: "none", found: "spike")
        matrix.add(truth: "none", found: "unheard of")
        matrix.add(truth: 7, found: -1)
        #expect(matrix.total == 12)
        #expect(abs(matrix.recall(1) - 0.8) < 1e-12)
        #expect(abs(matrix.precision(1) - 8.0 / 9) < 1e-12)
        #expect(matrix.precision(2) == 0.5 && matrix.recall(2) == 1)
        #expect(matrix.recall(0) == 0 && matrix.f1(0) == 0 && matrix.recall(9) == 0)
        #expect(abs(matrix.accuracy - 9.0 / 12) < 1e-12)
    }

    @Test func remainingLife() {
        #expect(abs(RemainingLife.rmse(predicted: [10, 20], actual: [13, 16]) - 12.5.squareRoot()) < 1e-12)
        // e^(13/13) - 1 for early, e^(10/10) - 1 for late.
        let score = RemainingLife.nasaScore(predicted: [87, 110], actual: [100, 100])
        #expect(abs(score - 2 * (2.718281828459045 - 1)) < 1e-9)
        #expect(RemainingLife.rmse(predicted: [], actual: [1]) == 0)
        #expect(RemainingLife.nasaScore(predicted: [5], actual: [5]) == 0)
    }
}

@Suite struct EventScoreTests {
    private func flags(_ text: String) -> [Bool] { text.map { $0 == "x" } }

    @Test func eventsDelaysAndFalseIncidents() {
        let labels = flags("...xxxx......xxx....xx..")
        let alarms = flags(".x.x...x.x.x...x.x.x....")
        // Flags at 7 and 19 stand beside events, 9, 11 and 17 apart from them, so do 1, 7, 9, 11, 17 and 19.
        let apart = EventScore.evaluate(flags: alarms, labels: labels, rowsPerDay: 12)
        #expect(apart.events == 3 && apart.found == 2)
        #expect(abs(apart.recall - 2.0 / 3) < 1e-12)
        #expect(apart.falseIncidents == 6 && apart.falseIncidentsPerDay == 3)
        #expect(apart.medianDelayRows == 1)
        // Gaps of one row closed: 1...3 and 15...19 touch an event, 7...11 does not.
        let joined = EventScore.evaluate(flags: alarms, labels: labels, rowsPerDay: 12, joinRows: 2)
        #expect(joined.falseIncidents == 1 && joined.found == 2)
    }

    @Test func edges() {
        let nothing = EventScore.evaluate(flags: [], labels: [], rowsPerDay: 0)
        #expect(nothing.events == 0 && nothing.recall == 0 && nothing.medianDelayRows == nil)
        let all = EventScore.evaluate(flags: [true, true], labels: [true, true, true], rowsPerDay: .nan)
        #expect(all.events == 1 && all.found == 1 && all.falseIncidents == 0 && all.falseIncidentsPerDay == 0)
        #expect(all.medianDelayRows == 0)
    }
}
