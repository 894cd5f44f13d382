/// Writes horizontal bars: names at the left, all bars from one line, numbers behind them.
struct BarRenderer {
    let bars: ChartBars
    let left: Double
    let width: Double

    private static let rowHeight = 21.0
    private static let most = 30

    /// - Returns: where the last bar ends.
    func write(to body: inout SVGWriter, top: Double) -> Double {
        var y = top + Theme.body
        body.label(left, y, bars.title, size: Theme.body, fill: Theme.ink, isBold: true)
        y += 6
        let shown = bars.bars.prefix(Self.most)
        let names = shown.map { TextWidth.fitted($0.name, width: width * 0.35, size: Theme.small) }
        let nameWidth = names.map { TextWidth.of($0, size: Theme.small) }.max() ?? 0
        let textWidth = shown.map { TextWidth.of($0.text, size: Theme.small) }.max() ?? 0
        let start = left + nameWidth + 10
        let room = max(20, left + width - start - textWidth - 10)
        let greatest = shown.map(\.value).filter(\.isFinite).max() ?? 0
        for (bar, name) in zip(shown, names) {
            let share = bar.value.isFinite && greatest > 0 ? min(max(bar.value / greatest, 0), 1) : 0
            body.label(start - 10, y + 14, name, fill: Theme.ink, anchor: .end)
            body.rectangle(start, y + 4, max(share * room, 1), 13, fill: ChartColour.blue.fill, radius: 2)
            body.label(start + share * room + 7, y + 14, bar.text)
            y += Self.rowHeight
        }
        if bars.bars.count > shown.count {
            body.label(start, y + 12, "and \(bars.bars.count - shown.count) more")
            y += Self.rowHeight
        }
        return y
    }
}
