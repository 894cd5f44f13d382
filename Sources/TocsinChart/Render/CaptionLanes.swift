internal import TocsinCore

/// Captions of marks and ranges, above the plot in at most three lanes, none over another. A caption without room is
/// left out; the legend has its name.
struct CaptionLanes {
    private struct Placed {
        var text: String
        var centre: Double
        /// Where it belongs.
        var stem: Double
        var stemEnd: Double
        var lane: Int
        var colour: ChartColour
    }

    private static let laneHeight = 15.0
    private static let lanes = 3

    private let panel: PanelRenderer
    private var placed: [Placed] = []
    private var used = 0

    var height: Double { Double(used) * Self.laneHeight }

    init(_ panel: PanelRenderer) {
        self.panel = panel
        var wanted: [(text: String, x: Double, end: Double, colour: ChartColour, isStrong: Bool)] = []
        for range in panel.panel.ranges where range.end >= panel.start && range.start <= panel.end {
            guard let caption = range.caption else { continue }
            let from = max(0, panel.x(range.start))
            wanted.append((caption, (from + min(panel.width, panel.x(range.end))) / 2, 0, range.colour, false))
        }
        for mark in panel.panel.marks where mark.time >= panel.start && mark.time <= panel.end {
            guard let caption = mark.caption else { continue }
            let y = mark.value.map { min(max(panel.y($0), 0), panel.height) } ?? panel.height - 5
            wanted.append((caption, panel.x(mark.time), y, mark.style.colour, mark.style.isStrong))
        }
        // What the picture is about comes first and has its place for certain.
        let order = wanted.indices.sorted { left, right in
            if wanted[left].isStrong != wanted[right].isStrong { return wanted[left].isStrong }
            return wanted[left].x != wanted[right].x ? wanted[left].x < wanted[right].x : left < right
        }
        for index in order.prefix(500) {
            let caption = wanted[index]
            let text = TextWidth.fitted(caption.text, width: panel.width, size: Theme.small, isBold: caption.isStrong)
            place(text, x: caption.x, stemEnd: caption.end, colour: caption.colour)
        }
    }

    private mutating func place(_ text: String, x: Double, stemEnd: Double, colour: ChartColour) {
        guard !text.isEmpty else { return }
        let half = TextWidth.of(text, size: Theme.small, isBold: true) / 2 + 4
        let centre = min(max(x, half), max(half, panel.width - half))
        for lane in 0..<Self.lanes {
            let isFree = placed.allSatisfy { other in
                let otherHalf = TextWidth.of(other.text, size: Theme.small, isBold: true) / 2 + 4
                // A stem must not run through a caption below it.
                let isClear = abs(other.centre - centre) >= half + otherHalf
                if other.lane == lane { return isClear }
                return other.lane > lane ? abs(other.stem - centre) >= half : abs(x - other.centre) >= otherHalf
            }
            guard isFree else { continue }
            placed.append(
                Placed(text: text, centre: centre, stem: x, stemEnd: stemEnd, lane: lane, colour: colour))
            used = max(used, lane + 1)
            return
        }
    }

    /// The parts of the stems inside of the plot.
    func stems(_ body: inout SVGWriter) {
        for caption in placed where caption.stemEnd > 14 {
            body.line(
                caption.stem, 0, caption.stem, caption.stemEnd - 11, stroke: caption.colour.fill, width: 1,
                opacity: 0.6)
        }
    }

    /// Relative to the plot's corner.
    func write(to body: inout SVGWriter) {
        for caption in placed {
            let base = -5 - Double(caption.lane) * Self.laneHeight
            body.label(
                caption.centre, base, caption.text, fill: caption.colour.text, anchor: .middle, isBold: true)
            body.line(caption.stem, base + 3, caption.stem, 0, stroke: caption.colour.fill, width: 1, opacity: 0.6)
        }
    }
}
