public import TocsinCore

/// A picture of measurements over time: panels under one another that share the horizontal axis, and below them, where
/// asked for, a bar chart.
///
/// ```swift
/// var panel = ChartPanel(title: "temperature (°C)")
/// panel.lines = [ChartLine(name: "measured", times: times, values: values)]
/// let svg = Chart(title: "pump-7", panels: [panel]).svg()
/// ```
/// The same chart gives the same bytes. Ten million readings make a picture of some hundred kilobytes at most, because
/// each column of pixels keeps only its first, smallest, greatest and last value.
public struct Chart: Sendable {
    /// What runs along the horizontal axis.
    public enum Axis: Sendable, Equatable {
        /// Times, written in UTC.
        case time
        /// Numbers of rows: `Timestamp.nanoseconds` is the number. For recordings without times.
        case rows
    }

    public var title: String
    /// Wrapped into at most three lines under the title.
    public var subtitle: String
    public var panels: [ChartPanel]
    public var bars: ChartBars?
    public var axis: Axis
    /// The part that is shown; nil = all that the lines, marks and ranges cover.
    public var timeRange: ClosedRange<Timestamp>?
    /// Of the whole picture, in pixels; at least 360.
    public var width: Double

    public init(
        title: String, subtitle: String = "", panels: [ChartPanel], bars: ChartBars? = nil, axis: Axis = .time,
        timeRange: ClosedRange<Timestamp>? = nil, width: Double = 900
    ) {
        self.title = title
        self.subtitle = subtitle
        self.panels = panels
        self.bars = bars
        self.axis = axis
        self.timeRange = timeRange
        self.width = width
    }

    /// The picture as one SVG document (SVG 1.1, no scripts, no style sheet, nothing loaded from elsewhere).
    public func svg() -> String { ChartRenderer(self).document() }
}

/// Bars for shares or amounts: name, bar, number.
public struct ChartBars: Sendable {
    public struct Bar: Sendable {
        public var name: String
        public var value: Double
        /// Written behind the bar.
        public var text: String
        public init(name: String, value: Double, text: String) {
            self.name = name
            self.value = value
            self.text = text
        }
    }

    public var title: String
    public var bars: [Bar]
    public init(title: String, bars: [Bar]) {
        self.title = title
        self.bars = bars
    }
}
