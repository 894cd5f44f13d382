internal import TocsinCore

/// Writes one panel: heading and legend, captions, plot.
struct PanelRenderer {
    let panel: ChartPanel
    let axis: NumberAxis
    let timeAxis: TimeAxis
    let start: Timestamp
    let end: Timestamp
    let left: Double
    let width: Double

    var height: Double { min(max(panel.height.isFinite ? panel.height : 190, 40), 5000) }

    func x(_ time: Timestamp) -> Double {
        let share = Double(time.since(start).nanoseconds) / max(1, Double(end.since(start).nanoseconds))
        return min(max(share, -1), 2) * width
    }

    /// From the top of the plot.
    func y(_ value: Double) -> Double { height * (1 - axis.share(value)) }

    /// - Returns: where the plot ends.
    func write(to body: inout SVGWriter, top: Double) -> Double {
        let legend = Legend(panel: panel, timeRange: start...end, axis: axis)
        var plotTop = legend.write(title: panel.title, to: &body, left: left, width: width, top: top) + 6
        let captions = CaptionLanes(self)
        plotTop += captions.height
        body.raw(
            "<svg x=\"\(SVGWriter.number(left))\" y=\"\(SVGWriter.number(plotTop))\" "
                + "width=\"\(SVGWriter.number(width))\" height=\"\(SVGWriter.number(height))\">\n")
        ranges(&body)
        grid(&body)
        bands(&body)
        limits(&body)
        lines(&body)
        captions.stems(&body)
        body.raw("</svg>\n")
        frame(&body, plotTop)
        // Marks may stand half outside of the plot rather than be cut.
        body.raw("<g transform=\"translate(\(SVGWriter.number(left)) \(SVGWriter.number(plotTop)))\">\n")
        MarkRenderer(self).write(to: &body)
        captions.write(to: &body)
        body.raw("</g>\n")
        return plotTop + height
    }

    private func ranges(_ body: inout SVGWriter) {
        for range in panel.ranges where range.end >= start && range.start <= end {
            let from = max(0, x(range.start))
            let to = min(width, x(range.end))
            // The shortest range is still to be seen.
            let room = max(to - from, 2)
            body.rectangle(from, 0, room, height, fill: range.colour.fill, opacity: 0.13)
            body.rectangle(from, 0, room, 3, fill: range.colour.fill, opacity: 0.85)
        }
    }

    private func grid(_ body: inout SVGWriter) {
        for tick in axis.ticks { body.line(0, y(tick), width, y(tick), stroke: Theme.rule) }
        for tick in timeAxis.ticks {
            let place = x(Timestamp(nanoseconds: tick.time))
            body.line(place, 0, place, height, stroke: Theme.rule)
        }
    }

    private func frame(_ body: inout SVGWriter, _ top: Double) {
        body.line(left, top + height, left + width, top + height, stroke: Theme.frame)
        for tick in timeAxis.ticks {
            let place = left + x(Timestamp(nanoseconds: tick.time))
            body.line(place, top + height, place, top + height + 4, stroke: Theme.frame)
        }
        for (tick, label) in zip(axis.ticks, axis.labels) {
            body.label(left - 8, top + y(tick) + 4, label, anchor: .end)
        }
    }

    private func bands(_ body: inout SVGWriter) {
        for band in panel.bands {
            for run in BandColumns.runs(of: band, from: start, to: end, columns: width) {
                var data = ""
                for (index, column) in run.enumerated() {
                    data += (index == 0 ? "M" : "L") + place(column.x, column.high)
                }
                for column in run.reversed() { data += "L" + place(column.x, column.low) }
                body.path(data + "Z", fill: band.colour.fill, opacity: 0.16)
                for edge in [\BandColumns.Column.low, \BandColumns.Column.high] {
                    guard run.allSatisfy({ $0[keyPath: edge].isFinite }) else { continue }
                    var data = ""
                    for (index, column) in run.enumerated() {
                        data += (index == 0 ? "M" : "L") + place(column.x, column[keyPath: edge])
                    }
                    body.path(data, stroke: band.colour.fill, width: 1, opacity: 0.35)
                }
            }
        }
    }

    private func limits(_ body: inout SVGWriter) {
        for limit in panel.limits {
            let place = y(limit.value)
            guard limit.value.isFinite, place >= 0, place <= height else { continue }
            body.line(0, place, width, place, stroke: limit.colour.fill, width: 1.4, dash: "6 4")
        }
    }

    private func lines(_ body: inout SVGWriter) {
        for line in panel.lines {
            var data = ""
            var dots = ""
            let segments = PixelColumns.segments(of: line, from: start, to: end, columns: width)
            let points = segments.reduce(0) { $0 + $1.count }
            for segment in segments {
                for (index, point) in segment.enumerated() {
                    data += (index == 0 ? "M" : "L") + place(point.x, point.value)
                }
                // A point alone has no line to be seen by.
                let areShown = points <= Int(width / 9) || segment.count == 1
                if areShown { for point in segment { dots += "M" + place(point.x, point.value) + "h0" } }
            }
            let isDense = points > Int(width * 2)
            let stroke = line.isFaint ? 1 : isDense ? 1.1 : 1.5
            body.path(data, stroke: line.colour.fill, width: stroke, opacity: line.isFaint ? 0.55 : 1)
            body.path(dots, stroke: line.colour.fill, width: line.isFaint ? 2.6 : 3.6, opacity: line.isFaint ? 0.55 : 1)
        }
    }

    private func place(_ x: Double, _ value: Double) -> String {
        "\(SVGWriter.number(x)) \(SVGWriter.number(y(value)))"
    }
}

/// Thins a band to columns of pixels: the lowest and the highest bound of each.
enum BandColumns {
    struct Column {
        var x: Double
        /// Infinite = open.
        var low: Double
        var high: Double
    }

    static func runs(of band: ChartBand, from start: Timestamp, to end: Timestamp, columns: Double) -> [[Column]] {
        let count = min(band.times.count, band.low.count, band.high.count)
        let scale = columns / max(1, Double(end.since(start).nanoseconds))
        var runs: [[Column]] = []
        var isBroken = true
        for row in Order.ofTimes(band.times, count: count) {
            let low = band.low[row]
            let high = band.high[row]
            guard !(low.isNaN && high.isNaN) else {
                isBroken = true
                continue
            }
            let x = min(max(Double(band.times[row].since(start).nanoseconds) * scale, -columns), 2 * columns)
            let column = Column(x: x, low: low.isNaN ? -.infinity : low, high: high.isNaN ? .infinity : high)
            var run = runs.popLast() ?? []
            if let last = run.last, Int(last.x) == Int(x), last.x != x {
                run[run.count - 1].low = min(last.low, column.low)
                run[run.count - 1].high = max(last.high, column.high)
                isBroken = false
            } else if isBroken, !run.isEmpty {
                runs.append(run)
                run = [column]
            } else {
                run.append(column)
            }
            isBroken = false
            runs.append(run)
        }
        return runs.filter { $0.count > 1 }
    }
}
