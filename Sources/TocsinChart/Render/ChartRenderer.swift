internal import TocsinCore

/// Lays a chart out from top to bottom and writes it.
struct ChartRenderer {
    private let chart: Chart
    private let width: Double
    private let start: Timestamp
    private let end: Timestamp
    /// Left edge and width of all plots.
    private let left: Double
    private let plotWidth: Double
    private let axes: [NumberAxis]

    private static let longestTitleLines = 3
    private static let panelGap = 20.0
    // Room for one tick label and the space to the next.
    private static let tickWidth = 84.0

    init(_ chart: Chart) {
        self.chart = chart
        width = min(max(chart.width.isFinite ? chart.width : 900, 360), 10_000)
        let time = Extent.time(of: chart)
        start = time.lowerBound
        end = time.upperBound
        axes = chart.panels.map { panel in
            NumberAxis(Extent.values(of: panel, in: time), height: panel.height.isFinite ? panel.height : 190)
        }
        let labels = axes.flatMap(\.labels).map { TextWidth.of($0, size: Theme.small) }
        left = Theme.margin + max(34, labels.max() ?? 0) + 10
        plotWidth = width - left - Theme.margin - 4
    }

    func document() -> String {
        var body = SVGWriter()
        var y = Theme.margin
        header(&body, &y)
        let timeAxis = TimeAxis(
            chart.axis, from: start.nanoseconds, to: end.nanoseconds, count: max(2, Int(plotWidth / Self.tickWidth)))
        for (panel, axis) in zip(chart.panels, axes) {
            if y > Theme.margin { y += Self.panelGap }
            let renderer = PanelRenderer(
                panel: panel, axis: axis, timeAxis: timeAxis, start: start, end: end, left: left, width: plotWidth)
            y = renderer.write(to: &body, top: y)
        }
        if !chart.panels.isEmpty { times(timeAxis, &body, &y) }
        if let bars = chart.bars, !bars.bars.isEmpty {
            y += Self.panelGap
            y = BarRenderer(bars: bars, left: Theme.margin, width: width - 2 * Theme.margin).write(to: &body, top: y)
        }
        return wrap(body.text, height: (y + Theme.margin).rounded(.up))
    }

    private func wrap(_ body: String, height: Double) -> String {
        let size = "\(SVGWriter.number(width)) \(SVGWriter.number(height))"
        var result = SVGWriter()
        result.raw("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(size)\" ")
        result.raw("width=\"\(SVGWriter.number(width))\" height=\"\(SVGWriter.number(height))\" ")
        result.raw("font-family=\"\(Theme.fonts)\" role=\"img\">\n")
        result.raw("<title>\(SVGWriter.escaped(chart.title))</title>\n")
        // Text is dark, so the ground is laid as well: the picture may be shown on a dark page.
        result.rectangle(0, 0, width, height, fill: Theme.background, radius: 6)
        result.raw(body)
        result.raw("</svg>\n")
        return result.text
    }

    private func header(_ body: inout SVGWriter, _ y: inout Double) {
        let room = width - 2 * Theme.margin
        if !chart.title.isEmpty {
            let title = TextWidth.fitted(chart.title, width: room, size: Theme.title, isBold: true)
            y += Theme.title
            body.label(Theme.margin, y, title, size: Theme.title, fill: Theme.ink, isBold: true)
            y += 3
        }
        let lines = TextWidth.wrapped(chart.subtitle, width: room, size: Theme.body, lines: Self.longestTitleLines)
        for line in lines {
            y += Theme.body + 4
            body.label(Theme.margin, y, line, size: Theme.body)
        }
    }

    /// The labels of the time axis, under the last panel.
    private func times(_ axis: TimeAxis, _ body: inout SVGWriter, _ y: inout Double) {
        let first = y + 17
        let second = first + 15
        body.label(Theme.margin, second, axis.name)
        let span = max(1, Double(end.since(start).nanoseconds))
        var free = 0.0
        var contextFree = Theme.margin + TextWidth.of(axis.name, size: Theme.small) + 10
        var pending = ""
        for tick in axis.ticks {
            let x = left + Double(Timestamp(nanoseconds: tick.time).since(start).nanoseconds) / span * plotWidth
            if !tick.context.isEmpty { pending = tick.context }
            let half = TextWidth.of(tick.label, size: Theme.small) / 2
            let middle = min(max(x, half + 2), width - half - 2)
            guard middle - half >= free else { continue }
            free = middle + half + 6
            body.label(middle, first, tick.label, anchor: .middle)
            guard !pending.isEmpty else { continue }
            let room = TextWidth.of(pending, size: Theme.small) / 2
            // The first one may be moved aside, since it holds from the left edge on anyway.
            let isFirst = tick.time == axis.ticks.first?.time
            let centre = min(max(x, isFirst ? contextFree + room : room + 2), width - room - 2)
            guard centre - room >= contextFree else { continue }
            contextFree = centre + room + 10
            body.label(centre, second, pending, fill: Theme.ink, anchor: .middle)
            pending = ""
        }
        y = second + 2
    }
}

/// What a chart must show.
enum Extent {
    static func time(of chart: Chart) -> ClosedRange<Timestamp> {
        if let given = chart.timeRange, given.lowerBound < given.upperBound { return given }
        var low = Timestamp(nanoseconds: .max)
        var high = Timestamp(nanoseconds: .min)
        func take(_ time: Timestamp) {
            low = min(low, time)
            high = max(high, time)
        }
        for panel in chart.panels {
            for line in panel.lines { for time in line.times { take(time) } }
            for band in panel.bands { for time in band.times { take(time) } }
            for mark in panel.marks { take(mark.time) }
            for range in panel.ranges {
                take(range.start)
                take(range.end)
            }
        }
        guard low <= high else { return Timestamp(nanoseconds: 0)...Timestamp(nanoseconds: 1_000_000_000) }
        if low == high { high = low.advanced(by: chart.axis == .time ? .seconds(1) : .nanoseconds(1)) }
        if low == high { low = Timestamp(nanoseconds: high.nanoseconds - 1) }
        return low...high
    }

    static func values(of panel: ChartPanel, in time: ClosedRange<Timestamp>) -> ClosedRange<Double>? {
        var low = Double.infinity
        var high = -Double.infinity
        func take(_ value: Double) {
            guard value.isFinite else { return }
            low = min(low, value)
            high = max(high, value)
        }
        for line in panel.lines {
            for row in 0..<min(line.times.count, line.values.count) where time.contains(line.times[row]) {
                take(line.values[row])
            }
        }
        for mark in panel.marks where time.contains(mark.time) { if let value = mark.value { take(value) } }
        if let given = panel.valueRange {
            take(given.lowerBound)
            take(given.upperBound)
        }
        let span = low < high ? high - low : max(1, abs(low.isFinite ? low : 1))
        // A bound far away from everything measured would press the measurements flat: it may lie outside then.
        let reach = low <= high ? (low - 2 * span)...(high + 2 * span) : nil
        for band in panel.bands {
            for row in 0..<min(band.times.count, band.low.count, band.high.count) where time.contains(band.times[row]) {
                for value in [band.low[row], band.high[row]] where reach?.contains(value) ?? true { take(value) }
            }
        }
        for limit in panel.limits where reach?.contains(limit.value) ?? true { take(limit.value) }
        return low <= high ? low...high : nil
    }
}
