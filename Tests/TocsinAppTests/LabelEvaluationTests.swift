import Testing
import TocsinCore
import TocsinJobs
import TocsinTestKit

@Suite struct LabelEvaluationTests {
    private let table = SeriesTable(seed: 1)
    private let start = Timestamp(seconds: 1_760_000_000)

    /// 100 seconds of one sensor, anomalous in the given seconds, with anomalies found at others.
    private func outcome(anomalous: [ClosedRange<Int>], found: [(second: Int, incident: String)]) -> BatchOutcome {
        var builder = BatchBuilder(table: table)
        for second in 0..<100 {
            let isAnomalous = anomalous.contains { $0.contains(second) }
            builder.add(
                "s", at: start.advanced(by: .seconds(Int64(second))), ["v": 1],
                label: isAnomalous ? .anomalous : .normal)
        }
        let batch = builder.take()
        let anomalies = found.map { second, incident in
            let time = start.advanced(by: .seconds(Int64(second)))
            return Anomaly(
                id: "\(second)", alarmID: incident, sensor: "s", metric: "v", kind: .spike, detector: .bank,
                model: "bank", start: time, time: time, value: 1, expectedLow: 0, expectedHigh: 0, score: 1, pValue: 0,
                contributions: [], sentence: "")
        }
        return BatchOutcome(
            batch: batch, fates: Array(repeating: .stored, count: batch.eventCount),
            accepted: Array(repeating: true, count: batch.readingCount), anomalies: anomalies)
    }

    @Test func countsEpisodesAndIncidentsNotPoints() {
        var evaluation = LabelEvaluation(tolerance: .seconds(5))
        evaluation.add(
            outcome(
                anomalous: [10...19, 50...59],
                found: [(12, "a"), (13, "a"), (14, "a"), (30, "b"), (80, "c"), (81, "c")]))
        let report = evaluation.report(table: table)
        #expect(report.anomalousEvents == 20)
        #expect(report.episodes == 2)
        #expect(report.episodesFound == 1)
        #expect(report.incidents == 3)
        #expect(report.incidentsRight == 1)
        #expect(report.recall == 0.5)
        #expect(abs(report.precision - 1.0 / 3) < 1e-12)
        #expect(abs(report.f1 - 0.4) < 1e-12)
        #expect(report.medianDelay == 2)
    }

    @Test func anAnomalyShortlyAfterTheEpisodeStillFindsIt() {
        var evaluation = LabelEvaluation(tolerance: .seconds(5))
        evaluation.add(outcome(anomalous: [10...19], found: [(24, "a")]))
        #expect(evaluation.report(table: table).episodesFound == 1)
        var strict = LabelEvaluation(tolerance: .seconds(4))
        strict.add(outcome(anomalous: [10...19], found: [(24, "a")]))
        #expect(strict.report(table: table).episodesFound == 0)
    }

    @Test func withoutLabelsOrAnomaliesThereIsNoNumber() {
        let report = LabelEvaluation().report(table: table)
        #expect(report.precision.isNaN)
        #expect(report.recall.isNaN)
        #expect(report.medianDelay.isNaN)
    }
}
