public import TocsinChart
internal import TocsinCore

extension Explanation {
    private static let mostOthers = 3

    /// The series around the finding with band and marks, the other metrics that moved, the other sensors, and what
    /// contributed.
    public func chart() -> Chart {
        var panels: [ChartPanel] = []
        if let main { panels.append(mainPanel(main)) }
        let shown = movements.filter { $0.metric != main?.metric }.map(\.metric)
        let moved = shown.compactMap { name in others.first { $0.metric == name } }
        for series in moved.prefix(Self.mostOthers) { panels.append(panel(series, height: 100)) }
        if let main, let neighbours, neighbours.times.count > 1 { panels.append(panel(neighbours, main)) }
        let contributions = anomaly.contributions.filter { $0.share.isFinite && $0.share > 0 }.prefix(8)
        let bars = ChartBars(
            title: "What contributed",
            bars: contributions.map {
                ChartBars.Bar(name: $0.name, value: $0.share, text: "\(NumberText.fixed($0.share * 100, 0)) %")
            })
        return Chart(
            title: "\(anomaly.kind.name): \(anomaly.metric.map { "\($0) of " } ?? "")\(anomaly.sensor)",
            subtitle: anomaly.sentence, panels: panels, bars: contributions.count > 1 ? bars : nil, timeRange: view)
    }

    private func mainPanel(_ series: SeriesExtract) -> ChartPanel {
        var panel = panel(series, height: 220)
        let style = ChartMarkStyle.of(anomaly.kind, isStrong: true)
        if anomaly.time > anomaly.start {
            panel.ranges.append(
                ChartRange(
                    start: anomaly.start, end: anomaly.time, name: "from beginning to finding", colour: style.colour))
        }
        if bandIsOfReadings, anomaly.expectedLow.isFinite || anomaly.expectedHigh.isFinite {
            // Around the finding only: what was expected elsewhere is not stored.
            let reach = Span64(nanoseconds: view.upperBound.since(view.lowerBound).nanoseconds / 10)
            panel.bands.append(
                ChartBand(
                    name: "expected then", from: anomaly.start.advanced(by: Span64(nanoseconds: -reach.nanoseconds)),
                    to: anomaly.time.advanced(by: reach), low: anomaly.expectedLow, high: anomaly.expectedHigh,
                    colour: .green))
        }
        panel.marks.append(
            ChartMark(
                time: anomaly.time, value: value(of: anomaly, in: series), name: "",
                caption: "\(anomaly.kind.name) \(Wording.timeOfDay(anomaly.time).prefix(8))", style: style))
        return panel
    }

    /// The value of a noise or silence finding is no reading, and neither is its band.
    private var bandIsOfReadings: Bool {
        switch anomaly.kind {
        case .noise, .silence, .pattern, .multivariate, .fire: false
        default: anomaly.metric != nil
        }
    }

    /// Where a mark stands: on the finding's own value where that is a reading of the series, else on the nearest value.
    private func value(of finding: Anomaly, in series: SeriesExtract) -> Double? {
        let isReading = [.spike, .range, .stuck].contains(finding.kind)
        if isReading, finding.metric == series.metric, finding.value.isFinite { return finding.value }
        if finding.kind == .silence { return nil }
        let near = series.times.indices.min {
            series.times[$0].since(finding.time).nanoseconds.magnitude
                < series.times[$1].since(finding.time).nanoseconds.magnitude
        }
        return near.map { series.values[$0] }.flatMap { $0.isFinite ? $0 : nil }
    }

    private func panel(_ series: SeriesExtract, height: Double) -> ChartPanel {
        var panel = ChartPanel(title: series.title, height: height)
        let gap = series.interval.map { Span64(nanoseconds: $0.nanoseconds > .max / 8 ? .max : $0.nanoseconds * 8) }
        let name: String
        if case .windows(let size) = series.origin {
            panel.bands = [
                ChartBand(
                    name: "lowest to highest", times: series.times, low: series.low, high: series.high, colour: .sky)
            ]
            let known = (series.low + series.high).filter(\.isFinite)
            if let low = known.min(), let high = known.max() { panel.valueRange = low...high }
            name = "mean of \(Wording.duration(size))"
        } else {
            name = "reading"
        }
        panel.lines = [ChartLine(name: name, times: series.times, values: series.values, longestGap: gap)]
        panel.marks = around.compactMap { other in
            guard other.metric == series.metric || (other.metric == nil && series.metric == main?.metric) else {
                return nil
            }
            return ChartMark(
                time: other.time, value: value(of: other, in: series), name: other.kind.name, style: .of(other.kind))
        }
        return panel
    }

    private func panel(_ neighbours: Neighbours, _ main: SeriesExtract) -> ChartPanel {
        var panel = ChartPanel(title: "\(main.title) beside other sensors", height: 120)
        panel.bands = [
            ChartBand(
                name: "middle half of \(neighbours.count) others", times: neighbours.times,
                low: neighbours.lowQuartiles, high: neighbours.highQuartiles, colour: .grey)
        ]
        panel.lines = [
            ChartLine(
                name: "their median", times: neighbours.times, values: neighbours.medians, colour: .grey, isFaint: true),
            ChartLine(name: "this sensor", times: main.times, values: main.values),
        ]
        return panel
    }
}
