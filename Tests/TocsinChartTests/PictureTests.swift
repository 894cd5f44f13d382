import Testing
import TocsinChart
import TocsinCore

@Suite struct PictureTests {
    private let times = (0..<400).map { ChartTests.time($0 * 60) }

    @Test func aRunAboveTheThresholdIsOneMark() {
        var scores = Array(repeating: 0.1, count: 300)
        for row in [10, 11, 12, 200] { scores[row] = 2 }
        let picture = EvaluationPicture(
            name: "recording", times: times, columns: [("value", times.indices.map { Double($0 % 20) })],
            windows: [105..<130, 390..<1000], trainingRows: 100,
            answers: [.init(detector: "bank", scores: scores, threshold: 1)])
        let parsed = ParsedSVG(picture.chart().svg())
        #expect(parsed.isWellFormed)
        #expect(parsed.texts.contains("mark inside a labelled window"))
        #expect(parsed.texts.contains("mark outside"))
        #expect(parsed.texts.contains("score of bank"))
        #expect(parsed.texts.contains("threshold 1"))
    }

    @Test func findingsAreMarkedInEveryPanelAndNamedOnce() {
        let values = times.indices.map { Double($0 % 20) }
        let picture = ScorePicture(
            title: "plant.csv", times: times, columns: [("temperature", values), ("humidity", values)],
            scores: values.map { $0 / 20 }, threshold: 0.9,
            findings: [.init(row: 50, kind: .spike), .init(row: 51, kind: nil), .init(row: 4000, kind: .spike)])
        let texts = ParsedSVG(picture.chart().svg()).texts
        #expect(texts.filter { $0 == "spike" }.count == 1)
        #expect(texts.filter { $0 == "anomalous" }.count == 1)
        #expect(texts.contains("threshold 0.9"))
    }

    @Test func columnsTooManyToDrawAreSaid() {
        let values = times.indices.map(Double.init)
        let picture = ScorePicture(
            title: "wide", subtitle: "A table.", times: times, columns: (0..<9).map { ("column \($0)", values) },
            scores: values, findings: [])
        #expect(ParsedSVG(picture.chart().svg()).texts.contains("A table. 3 further columns are not drawn."))
    }
}
