public import TocsinCore

/// A scored recording: the values above, the score with its threshold below, findings marked in both.
///
/// For `tocsin score --plot`: `ScorePicture(…).chart().svg()`.
public struct ScorePicture: Sendable {
    public struct Finding: Sendable {
        public var row: Int
        /// A kind's word where the detector names one; else "anomalous".
        public var kind: AnomalyKind?
        public init(row: Int, kind: AnomalyKind?) {
            self.row = row
            self.kind = kind
        }
    }

    public var title: String
    public var subtitle: String
    public var times: [Timestamp]
    /// Column by column, each as long as `times`; at most six are drawn.
    public var columns: [(name: String, values: [Double])]
    /// Per row, 0 to 1; not-a-number where there is none.
    public var scores: [Double]
    /// nil where the detector has no one threshold.
    public var threshold: Double?
    public var findings: [Finding]

    public init(
        title: String, subtitle: String = "", times: [Timestamp], columns: [(name: String, values: [Double])],
        scores: [Double], threshold: Double? = nil, findings: [Finding]
    ) {
        self.title = title
        self.subtitle = subtitle
        self.times = times
        self.columns = columns
        self.scores = scores
        self.threshold = threshold
        self.findings = findings
    }

    private static let mostColumns = 6

    public func chart() -> Chart {
        let shown = columns.prefix(Self.mostColumns)
        let height = shown.count == 1 ? 210.0 : 120
        var panels: [ChartPanel] = []
        for column in shown {
            var panel = ChartPanel(title: column.name, height: height)
            panel.lines = [ChartLine(name: "", times: times, values: column.values)]
            // One legend is enough: the forms are the same everywhere.
            panel.marks = marks(on: column.values, isNamed: panels.isEmpty)
            panels.append(panel)
        }
        var score = ChartPanel(title: "score", height: 110)
        score.lines = [ChartLine(name: "", times: times, values: scores, colour: .grey)]
        if let threshold {
            score.limits = [ChartLimit(name: "threshold \(NumberText.short(threshold))", value: threshold)]
        }
        score.valueRange = 0...1
        score.marks = marks(on: scores, isNamed: panels.isEmpty)
        panels.append(score)
        let rest = columns.count - shown.count
        let note = rest > 0 ? " \(rest) further columns are not drawn." : ""
        return Chart(title: title, subtitle: subtitle + note, panels: panels)
    }

    private func marks(on values: [Double], isNamed: Bool) -> [ChartMark] {
        findings.compactMap { finding in
            guard times.indices.contains(finding.row), values.indices.contains(finding.row) else { return nil }
            let value = values[finding.row]
            return ChartMark(
                time: times[finding.row], value: value.isFinite ? value : nil,
                name: isNamed ? finding.kind?.name ?? "anomalous" : "",
                style: finding.kind.map { .of($0) } ?? ChartMarkStyle(.vermilion, .circle))
        }
    }
}
