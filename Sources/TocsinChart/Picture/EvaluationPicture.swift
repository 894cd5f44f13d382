public import TocsinCore

/// One labelled recording with what detectors said of it: values with the labelled windows shaded, then for each
/// detector its score, its threshold and its marks.
///
/// For docs/detection.md, written by `tocsin evaluate … --plots FOLDER`.
public struct EvaluationPicture: Sendable {
    public struct Answer: Sendable {
        public var detector: String
        /// One per row behind the fitted ones; not-a-number where it has none yet.
        public var scores: [Double]
        public var threshold: Double
        public init(detector: String, scores: [Double], threshold: Double) {
            self.detector = detector
            self.scores = scores
            self.threshold = threshold
        }
    }

    public var name: String
    public var subtitle: String
    public var times: [Timestamp]
    /// Metric by metric; at most four are drawn, in panels.
    public var columns: [(name: String, values: [Double])]
    /// Rows labelled as anomalous.
    public var windows: [Range<Int>]
    /// Fitted rows at the beginning, for which there are no scores.
    public var trainingRows: Int
    public var answers: [Answer]
    /// `.rows` for recordings without times of their own: numbers of rows run along the axis then.
    public var axis: Chart.Axis

    public init(
        name: String, subtitle: String = "", times: [Timestamp], columns: [(name: String, values: [Double])],
        windows: [Range<Int>], trainingRows: Int = 0, answers: [Answer], axis: Chart.Axis = .time
    ) {
        self.name = name
        self.subtitle = subtitle
        self.times = axis == .rows ? times.indices.map { Timestamp(nanoseconds: Int64($0)) } : times
        self.columns = columns
        self.windows = windows
        self.trainingRows = max(0, trainingRows)
        self.answers = answers
        self.axis = axis
    }

    private static let mostColumns = 4

    public func chart() -> Chart {
        var panels = columns.prefix(Self.mostColumns).map { column in
            var panel = ChartPanel(title: column.name, height: columns.count == 1 ? 200 : 110)
            panel.ranges = ranges(isNamed: true)
            panel.lines = [ChartLine(name: "", times: times, values: column.values)]
            if answers.count == 1, let answer = answers.first {
                panel.marks = marks(of: answer, on: column.values, isNamed: true)
            }
            return panel
        }
        panels += answers.map { self.panel(of: $0) }
        return Chart(title: name, subtitle: subtitle, panels: panels, axis: axis)
    }

    private func panel(of answer: Answer) -> ChartPanel {
        var panel = ChartPanel(title: "score of \(answer.detector)", height: 95)
        let padded = Array(repeating: Double.nan, count: min(trainingRows, times.count)) + answer.scores
        panel.ranges = ranges(isNamed: false)
        panel.lines = [ChartLine(name: "", times: times, values: padded, colour: .grey)]
        panel.limits = [ChartLimit(name: "threshold \(NumberText.short(answer.threshold))", value: answer.threshold)]
        panel.marks = marks(of: answer, on: padded, isNamed: answers.count > 1)
        return panel
    }

    private func ranges(isNamed: Bool) -> [ChartRange] {
        var ranges: [ChartRange] = []
        if trainingRows > 0, times.indices.contains(trainingRows), let first = times.first {
            ranges.append(
                ChartRange(start: first, end: times[trainingRows], name: isNamed ? "fitted" : "", colour: .sky))
        }
        for window in windows {
            let window = window.clamped(to: 0..<times.count)
            guard let first = window.first, let last = window.last else { continue }
            ranges.append(
                ChartRange(start: times[first], end: times[last], name: isNamed ? "labelled as anomalous" : ""))
        }
        return ranges
    }

    /// One mark for each run of rows at or above the threshold, at its first row.
    private func marks(of answer: Answer, on values: [Double], isNamed: Bool) -> [ChartMark] {
        var marks: [ChartMark] = []
        var wasAbove = false
        for (index, score) in answer.scores.enumerated() {
            let isAbove = score >= answer.threshold
            defer { wasAbove = isAbove }
            let row = index + trainingRows
            guard isAbove, !wasAbove, times.indices.contains(row), values.indices.contains(row) else { continue }
            let isTrue = windows.contains { $0.contains(row) }
            let value = values[row]
            marks.append(
                ChartMark(
                    time: times[row], value: value.isFinite ? value : nil,
                    name: !isNamed ? "" : isTrue ? "mark inside a labelled window" : "mark outside",
                    style: isTrue ? ChartMarkStyle(.green, .diamond) : ChartMarkStyle(.vermilion, .inverted)))
        }
        return marks
    }
}
