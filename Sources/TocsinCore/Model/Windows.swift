/// A sliding event-time window: `size` long, a new one every `slide`. `size` is a multiple of `slide`.
public struct WindowDefinition: Hashable, Sendable {
    public var size: Span64
    public var slide: Span64
    public init(size: Span64, slide: Span64) {
        self.size = size
        self.slide = slide
    }

    public static let oneMinute = WindowDefinition(size: .seconds(60), slide: .seconds(10))
    public static let fiveMinutes = WindowDefinition(size: .minutes(5), slide: .minutes(1))
}

/// Closed windows as columns. Row `i` covers `start[i] ..< start[i] + definitions[definition[i]].size` of `series[i]`;
/// its statistics are `statistics[i * WindowStatistic.columns ..< (i + 1) * WindowStatistic.columns]`, in the order of
/// `WindowStatistic.allCases`. NaN where a statistic is undefined (variance of one value).
public struct WindowBatch: Sendable {
    public var definition: [UInt8] = []
    public var series: [SeriesID] = []
    public var sensors: [SensorID] = []
    public var start: [Timestamp] = []
    public var statistics: [Double] = []
    /// Isolation score 0…1 of the window forest; NaN until it is trained or when it does not apply.
    public var scores: [Double] = []

    public init() {}

    @inlinable public var count: Int { series.count }

    @inlinable public func value(_ statistic: WindowStatistic, row: Int) -> Double {
        statistics[row * WindowStatistic.columns + statistic.rawValue]
    }
}

/// The statistics of a window, in stored order: append only. Formulas and sources stand in `WindowStatistics`.
public enum WindowStatistic: Int, CaseIterable, Sendable {
    case count, sum, mean, variance
    case standardDeviation
    case minimum, maximum, range
    case median, p5, p25, p75, p95
    case interquartileRange
    case medianAbsoluteDeviation
    case skewness, kurtosis
    case first, last, change
    case slope
    case rootMeanSquare
    case crestFactor
    case meanAbsoluteChange
    case meanCrossingRate
    case autocorrelation
    case coefficientOfVariation
    case completeness

    /// Number of statistics, the row width of `WindowBatch.statistics`.
    public static let columns = allCases.count

    /// The column name in the API and the store.
    public var name: String {
        switch self {
        case .standardDeviation: "standard_deviation"
        case .interquartileRange: "interquartile_range"
        case .medianAbsoluteDeviation: "median_absolute_deviation"
        case .rootMeanSquare: "root_mean_square"
        case .crestFactor: "crest_factor"
        case .meanAbsoluteChange: "mean_absolute_change"
        case .meanCrossingRate: "mean_crossing_rate"
        case .coefficientOfVariation: "coefficient_of_variation"
        default: String(describing: self)
        }
    }
}
