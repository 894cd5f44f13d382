internal import TocsinCore

/// Writes the marks of a panel: of each style at most one a column of pixels, the one furthest from the axis' middle.
struct MarkRenderer {
    private let panel: PanelRenderer

    init(_ panel: PanelRenderer) { self.panel = panel }

    func write(to body: inout SVGWriter) {
        for mark in thinned() {
            let x = panel.x(mark.time)
            let y = mark.value.map { min(max(panel.y($0), 0), panel.height) } ?? panel.height - 5
            if mark.style.isStrong { ring(x, y, mark.style, &body) }
            body.path(
                Self.form(mark.style.form, x, y, mark.style.isStrong ? 5.2 : 3.8),
                fill: mark.style.form == .cross ? "none" : mark.style.colour.fill,
                stroke: mark.style.form == .cross ? mark.style.colour.fill : Theme.background,
                width: mark.style.form == .cross ? 2.2 : 1.2)
        }
    }

    private func ring(_ x: Double, _ y: Double, _ style: ChartMarkStyle, _ body: inout SVGWriter) {
        body.path(Self.form(.circle, x, y, 9), stroke: style.colour.fill, width: 1.6)
    }

    private func thinned() -> [ChartMark] {
        var chosen: [String: Int] = [:]
        var kept: [ChartMark] = []
        for mark in panel.panel.marks where mark.time >= panel.start && mark.time <= panel.end {
            let column = Int(panel.x(mark.time) / 2)
            let key = "\(mark.name)|\(mark.style.colour)|\(mark.style.form)|\(mark.style.isStrong)|\(column)"
            if let index = chosen[key] {
                if distance(mark) > distance(kept[index]) { kept[index] = mark }
            } else {
                chosen[key] = kept.count
                kept.append(mark)
            }
        }
        // The strong ones last: on top.
        return kept.filter { !$0.style.isStrong } + kept.filter(\.style.isStrong)
    }

    private func distance(_ mark: ChartMark) -> Double {
        mark.value.map { abs(panel.axis.share($0) - 0.5) } ?? 0
    }

    /// The outline of a form around a point.
    static func form(_ form: ChartMarkStyle.Form, _ x: Double, _ y: Double, _ size: Double) -> String {
        func at(_ dx: Double, _ dy: Double) -> String {
            "\(SVGWriter.number(x + dx * size)) \(SVGWriter.number(y + dy * size))"
        }
        let radius = SVGWriter.number(size)
        switch form {
        case .circle:
            return "M\(at(-1, 0))a\(radius) \(radius) 0 1 0 \(SVGWriter.number(2 * size)) 0"
                + "a\(radius) \(radius) 0 1 0 \(SVGWriter.number(-2 * size)) 0Z"
        case .square: return "M\(at(-0.9, -0.9))L\(at(0.9, -0.9))L\(at(0.9, 0.9))L\(at(-0.9, 0.9))Z"
        case .diamond: return "M\(at(0, -1.25))L\(at(1.25, 0))L\(at(0, 1.25))L\(at(-1.25, 0))Z"
        case .triangle: return "M\(at(0, -1.2))L\(at(1.1, 0.85))L\(at(-1.1, 0.85))Z"
        case .inverted: return "M\(at(0, 1.2))L\(at(1.1, -0.85))L\(at(-1.1, -0.85))Z"
        case .cross: return "M\(at(-1, -1))L\(at(1, 1))M\(at(-1, 1))L\(at(1, -1))"
        }
    }
}
