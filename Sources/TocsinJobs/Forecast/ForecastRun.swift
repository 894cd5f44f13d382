public import TocsinCore
internal import TocsinDetect

/// `tocsin forecast` on readings that were read already: what one series will do, and when it reaches a limit.
///
/// ```swift
/// let report = try ForecastRun(.init(name: "bearing", horizon: .hours(6), limit: 80)).run(times: times, values: values)
/// print(report.text())
/// ```
public struct ForecastRun: Sendable {
    public struct Options: Sendable {
        /// What the values are called.
        public var name: String
        /// How far to look ahead.
        public var horizon: Span64
        /// nil = none is asked for.
        public var limit: Double?
        /// On which side of the limit it is dangerous; nil = on the side where the last value is not.
        public var side: ForecastSide?
        /// Of the values, for people; empty for none.
        public var unit: String
        /// Share of the values inside the interval, 0.5…0.999.
        public var coverage: Double
        /// Length of the season; nil = looked for.
        public var season: Span64?

        public init(
            name: String, horizon: Span64, limit: Double? = nil, side: ForecastSide? = nil, unit: String = "",
            coverage: Double = 0.95, season: Span64? = nil
        ) {
            self.name = name
            self.horizon = horizon
            self.limit = limit
            self.side = side
            self.unit = unit
            self.coverage = coverage
            self.season = season
        }
    }

    private let options: Options

    public init(_ options: Options) { self.options = options }

    /// - Parameters:
    ///   - times: of the values, in any order.
    ///   - values: NaN = missing.
    /// - Throws: `TocsinError(.format)` for a history that is too short; `.usage` for a horizon of 0 or less.
    public func run(times: [Timestamp], values: [Double]) throws -> ForecastReport {
        guard options.horizon.nanoseconds > 0 else {
            throw TocsinError(
                .usage, "A forecast needs a horizon above 0.", remedy: "Give a length of time such as 6h.")
        }
        guard let series = RegularSeries(times: times, values: values, horizon: options.horizon) else {
            throw TocsinError(
                .format, "There are fewer than three readings at different times.",
                remedy: "Give at least \(Forecaster.fewestValues) and three times the horizon.")
        }
        let forecaster = try Forecaster(
            series, horizon: options.horizon, settings: .init(coverage: options.coverage, season: options.season))
        let forecast = forecaster.forecast()
        let crossing = options.limit.map { limit in
            let side = options.side ?? (forecast.startValue <= limit ? .above : .below)
            return forecast.crossing(of: limit, side == .above ? .above : .below)
        }
        return ForecastReport(
            name: options.name, unit: options.unit, values: series.count, forecast: forecast, crossing: crossing,
            step: forecaster.step, modelName: forecaster.modelName, season: forecaster.season,
            errorToNaive: forecaster.errorToNaive, origins: forecaster.origins)
    }
}

/// On which side of a limit it is dangerous.
public enum ForecastSide: String, CaseIterable, Sendable { case above, below }
