internal import TocsinCore

/// The line above a plot: its title at the left, what its colours and forms mean at the right; on lines of its own
/// where both do not fit side by side.
struct Legend {
    private enum Sign {
        case line(ChartColour, Bool)
        case area(ChartColour)
        case range(ChartColour)
        case dashes(ChartColour)
        case mark(ChartMarkStyle)
    }

    private var entries: [(sign: Sign, text: String)] = []

    private static let signWidth = 18.0
    private static let gap = 16.0
    private static let rowHeight = 17.0

    init(panel: ChartPanel, timeRange: ClosedRange<Timestamp>, axis: NumberAxis) {
        for line in panel.lines { add(.line(line.colour, line.isFaint), line.name) }
        for band in panel.bands { add(.area(band.colour), band.name) }
        for limit in panel.limits where limit.value.isFinite {
            let isOutside = limit.value < axis.low || limit.value > axis.high
            let note = isOutside ? " (\(limit.value > axis.high ? "above" : "below") the picture)" : ""
            add(.dashes(limit.colour), limit.name.isEmpty ? "" : limit.name + note)
        }
        for range in panel.ranges { add(.range(range.colour), range.name) }
        var counts: [String: Int] = [:]
        for mark in panel.marks where timeRange.contains(mark.time) { counts[mark.name, default: 0] += 1 }
        for mark in panel.marks where timeRange.contains(mark.time) {
            let count = counts[mark.name] ?? 1
            add(.mark(mark.style), mark.name.isEmpty ? "" : count > 1 ? "\(mark.name) (\(count))" : mark.name)
        }
    }

    private mutating func add(_ sign: Sign, _ text: String) {
        guard !text.isEmpty, entries.count < 24, !entries.contains(where: { $0.text == text }) else { return }
        entries.append((sign, text))
    }

    /// - Returns: where the plot may begin.
    func write(title: String, to body: inout SVGWriter, left: Double, width: Double, top: Double) -> Double {
        let widths = entries.map { Self.signWidth + TextWidth.of($0.text, size: Theme.small) + Self.gap }
        let total = widths.reduce(0, +) - (widths.isEmpty ? 0 : Self.gap)
        let titleWidth = TextWidth.of(title, size: Theme.body, isBold: true)
        let isBeside = titleWidth + 24 + total <= width
        var y = top + Theme.body
        if !title.isEmpty {
            let fitted = TextWidth.fitted(title, width: width, size: Theme.body, isBold: true)
            body.label(left, y, fitted, size: Theme.body, fill: Theme.ink, isBold: true)
        }
        guard !entries.isEmpty else { return title.isEmpty ? top : y + 2 }
        var x = left + width - total
        if !isBeside {
            x = left
            if !title.isEmpty { y += Self.rowHeight }
        }
        for (index, entry) in entries.enumerated() {
            if !isBeside, x > left, x + widths[index] - Self.gap > left + width {
                x = left
                y += Self.rowHeight
            }
            sign(entry.sign, x, y - 4, &body)
            let room = left + width - x - Self.signWidth
            body.label(x + Self.signWidth, y, TextWidth.fitted(entry.text, width: room + 1, size: Theme.small))
            x += widths[index]
        }
        return y + 2
    }

    private func sign(_ sign: Sign, _ x: Double, _ y: Double, _ body: inout SVGWriter) {
        switch sign {
        case .line(let colour, let isFaint):
            body.line(x, y, x + 13, y, stroke: colour.fill, width: isFaint ? 1.4 : 2.2, opacity: isFaint ? 0.65 : 1)
        case .area(let colour): body.rectangle(x, y - 5, 13, 10, fill: colour.fill, opacity: 0.25)
        case .range(let colour):
            body.rectangle(x, y - 5, 13, 10, fill: colour.fill, opacity: 0.2)
            body.rectangle(x, y - 5, 13, 2.5, fill: colour.fill, opacity: 0.85)
        case .dashes(let colour): body.line(x, y, x + 13, y, stroke: colour.fill, width: 1.6, dash: "5 3")
        case .mark(let style):
            body.path(
                MarkRenderer.form(style.form, x + 6.5, y, 4), fill: style.form == .cross ? "none" : style.colour.fill,
                stroke: style.form == .cross ? style.colour.fill : "none", width: 2)
        }
    }
}
