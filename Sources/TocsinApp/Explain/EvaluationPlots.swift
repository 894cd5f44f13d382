internal import TocsinChart
internal import TocsinCore
public import TocsinEvaluation

/// `tocsin evaluate --plots`: a picture of each recording with what the detectors said.
public struct EvaluationPlots: Sendable {
    private let folder: String

    /// - Throws: `TocsinError` when the folder cannot be made.
    public init(folder: String) throws {
        self.folder = folder
        try DataFolder.create(at: folder)
    }

    public func draw(_ series: LabelledSeries, _ answers: [Evaluation.Answer]) throws {
        let isChangePoints = series.labels.contains(true)
        let picture = EvaluationPicture(
            name: series.name, times: series.times,
            columns: zip(series.columnNames, series.columns).map { (name: $0, values: $1) },
            windows: isChangePoints ? series.labelledStretches : series.windows, trainingRows: series.trainingRows,
            answers: answers.map { .init(detector: $0.detector, scores: $0.scores, threshold: $0.threshold) },
            axis: series.hasTimes ? .time : .rows)
        let name = series.name.map { $0 == "/" ? "-" : $0 }
        try PictureFile.write(picture.chart(), to: "\(folder)/\(String(name)).svg")
    }
}
