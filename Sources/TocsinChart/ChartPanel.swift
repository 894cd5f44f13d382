public import TocsinCore

/// One plot with its own vertical axis. Later parts lie over earlier ones: ranges, bands, limits, lines, marks.
public struct ChartPanel: Sendable {
    /// Quantity and unit: "temperature (°C)".
    public var title: String
    /// Of the plot alone, in pixels.
    public var height: Double
    public var ranges: [ChartRange] = []
    public var bands: [ChartBand] = []
    public var limits: [ChartLimit] = []
    public var lines: [ChartLine] = []
    public var marks: [ChartMark] = []
    /// What the vertical axis covers at least; it grows with what is drawn.
    public var valueRange: ClosedRange<Double>?

    public init(title: String, height: Double = 190) {
        self.title = title
        self.height = height
    }
}

/// Values over time. Not-a-number and infinities are gaps.
public struct ChartLine: Sendable {
    public var name: String
    public var times: [Timestamp]
    public var values: [Double]
    public var colour: ChartColour
    /// Thinner and paler: background to another line.
    public var isFaint: Bool
    /// Points further apart are not joined; nil = all are.
    public var longestGap: Span64?

    public init(
        name: String, times: [Timestamp], values: [Double], colour: ChartColour = .blue, isFaint: Bool = false,
        longestGap: Span64? = nil
    ) {
        self.name = name
        self.times = times
        self.values = values
        self.colour = colour
        self.isFaint = isFaint
        self.longestGap = longestGap
    }
}

/// A shaded area between two values over time. A bound that is not-a-number is open: the area goes to the plot's edge;
/// where both are, there is none.
public struct ChartBand: Sendable {
    public var name: String
    public var times: [Timestamp]
    public var low: [Double]
    public var high: [Double]
    public var colour: ChartColour

    public init(name: String, times: [Timestamp], low: [Double], high: [Double], colour: ChartColour = .blue) {
        self.name = name
        self.times = times
        self.low = low
        self.high = high
        self.colour = colour
    }

    /// The same bounds all along.
    public init(
        name: String, from start: Timestamp, to end: Timestamp, low: Double, high: Double, colour: ChartColour = .blue
    ) {
        self.init(name: name, times: [start, end], low: [low, low], high: [high, high], colour: colour)
    }
}

/// A dashed horizontal line: a limit, a threshold.
public struct ChartLimit: Sendable {
    public var name: String
    public var value: Double
    public var colour: ChartColour

    public init(name: String, value: Double, colour: ChartColour = .vermilion) {
        self.name = name
        self.value = value
        self.colour = colour
    }
}

/// A point that matters.
public struct ChartMark: Sendable {
    public var time: Timestamp
    /// nil = at the foot of the plot.
    public var value: Double?
    /// In the legend, with the number of marks of that name.
    public var name: String
    /// Written above the plot where there is room.
    public var caption: String?
    public var style: ChartMarkStyle

    public init(
        time: Timestamp, value: Double?, name: String, caption: String? = nil, style: ChartMarkStyle
    ) {
        self.time = time
        self.value = value
        self.name = name
        self.caption = caption
        self.style = style
    }
}

/// A stretch of time, shaded over the whole height of the plot.
public struct ChartRange: Sendable {
    public var start: Timestamp
    public var end: Timestamp
    /// In the legend.
    public var name: String
    /// Written above the plot where there is room.
    public var caption: String?
    public var colour: ChartColour

    public init(
        start: Timestamp, end: Timestamp, name: String, caption: String? = nil, colour: ChartColour = .green
    ) {
        self.start = start
        self.end = end
        self.name = name
        self.caption = caption
        self.colour = colour
    }
}
