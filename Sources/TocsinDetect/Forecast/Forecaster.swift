public import TocsinCore

/// Chooses season and model by back-testing on the last part of a history, and forecasts with intervals from its errors.
///
/// ```swift
/// let forecaster = try Forecaster(series, horizon: .hours(6))
/// forecaster.modelName                          // "Holt-Winters with damped trend"
/// forecaster.forecast().points.last?.upper      // at the end of the six hours
/// ```
/// Seasons are looked for at an hour, a day and a week. Models are the last value, the season before, and Holt-Winters
/// without, with damped and with lasting trend. Nothing in the back-test looks ahead. About 0.1 s for 10,000 values.
public struct Forecaster: Sendable {
    /// Which models are tried.
    public enum Choice: Sendable {
        case best
        /// The last value alone.
        case naive
        /// The value a season ago, of the longest season that is likely; the last value where there is none.
        case seasonalNaive
        case holtWinters
    }

    public struct Settings: Sendable {
        /// Share of the values inside the interval, 0.5…0.999. Default 0.95.
        public var coverage: Double
        /// Length of the season; nil = looked for.
        public var season: Span64?
        public var choice: Choice

        public init(coverage: Double = 0.95, season: Span64? = nil, choice: Choice = .best) {
            self.coverage = coverage.isFinite ? coverage.clamped(0.5, 0.999) : 0.95
            self.season = season
            self.choice = choice
        }
    }

    public let step: Span64
    public let coverage: Double
    /// The length of the season; nil = none.
    public let season: Span64?
    /// The mean error of the back-test as a share of that of the last value; below 1 = better.
    public let errorToNaive: Double
    /// Moments of the back-test from which was forecast.
    public let origins: Int
    /// Slots looked ahead.
    public let horizonSlots: Int
    let model: ForecastModel
    let band: ConformalBand
    let end: Timestamp
    let endValue: Double

    /// For people: `Holt-Winters with damped trend`.
    public var modelName: String { model.name }

    /// Fewest values of a history.
    public static let fewestValues = 24
    /// A longer model must be so much better than a simpler one.
    private static let preference = 0.98

    /// - Parameter horizon: how far to look ahead, at most 4,032 slots and a third of the history.
    /// - Throws: `TocsinError(.format)` when the history is too short.
    public init(_ series: RegularSeries, horizon: Span64, settings: Settings = Settings()) throws {
        let values = series.values
        let slots = series.slots(in: horizon)
        guard values.count(where: \.isFinite) >= Self.fewestValues, values.count >= 3 * slots, slots <= 4032 else {
            throw TocsinError(
                .format,
                "The history of \(values.count) values is too short to look \(ThresholdCrossing.text(of: horizon)) ahead.",
                remedy: "Give at least \(Self.fewestValues) values and three times the horizon, or ask for less.")
        }
        let periods = settings.season.map { [series.slots(in: $0)].filter { $0 > 1 && $0 <= values.count / 3 } }
        let candidates = Self.candidates(periods ?? SeasonPeriods.likely(in: series), settings.choice)
        let horizons = BackTest.horizons(to: slots)
        // The last third, but no less than two horizons of it.
        let first = max(values.count - max(values.count / 3, 2 * slots), values.count / 3)
        let history = Array(values[..<first])
        var naive = ForecastModel.naive(SeasonalNaive(period: 1))
        for value in history { naive.observe(value) }
        let yardstick = BackTest(&naive, values: values, from: first, horizons: horizons)
        var best = (model: naive, test: yardstick, candidate: Candidate.naive(period: 1), ratio: 1.0)
        var isFirst = true
        for candidate in candidates {
            guard var model = candidate.fitted(history) else { continue }
            let test = BackTest(&model, values: values, from: first, horizons: horizons)
            let ratio = test.ratio(to: yardstick)
            guard ratio.isFinite, isFirst || ratio < best.ratio * Self.preference else { continue }
            best = (model, test, candidate, ratio)
            isFirst = false
        }
        step = series.step
        coverage = settings.coverage
        horizonSlots = slots
        // Parameters from all of the history, where there is now more of it.
        model = best.candidate.fitted(values) ?? best.model
        season = model.period > 1 ? RegularSeries.span(series.step, times: model.period) : nil
        errorToNaive = best.ratio
        origins = best.test.origins
        band = ConformalBand(best.test, coverage: settings.coverage)
        end = series.end
        endValue = values.last ?? .nan
    }

    /// The forecast from the end of the history.
    public func forecast() -> Forecast {
        Self.forecast(
            model, band, from: end, value: endValue, step: step, slots: horizonSlots, coverage: coverage)
    }

    static func forecast(
        _ model: ForecastModel, _ band: ConformalBand, from start: Timestamp, value: Double, step: Span64, slots: Int,
        coverage: Double
    ) -> Forecast {
        let points = (1...max(slots, 1)).map { ahead in
            let point = model.point(ahead)
            let reach = band.at(ahead)
            return Forecast.Point(
                time: start.advanced(by: RegularSeries.span(step, times: ahead)), value: point,
                lower: point + reach.lower, upper: point + reach.upper)
        }
        return Forecast(start: start, startValue: value, points: points, coverage: coverage)
    }
}

extension Forecaster {
    enum Candidate {
        case naive(period: Int)
        case holtWinters(period: Int, trend: HoltWinters.Trend, isCorrelated: Bool)

        func fitted(_ values: [Double]) -> ForecastModel? {
            switch self {
            case .naive(let period):
                guard period <= values.count else { return nil }
                var model = SeasonalNaive(period: period)
                for value in values { model.observe(value) }
                return .naive(model)
            case .holtWinters(let period, let trend, let isCorrelated):
                return HoltWinters.fitted(to: values, period: period, trend: trend, isCorrelated: isCorrelated)
                    .map(ForecastModel.holtWinters)
            }
        }
    }

    /// Simple ones first: a later one must be clearly better.
    private static func candidates(_ periods: [Int], _ choice: Choice) -> [Candidate] {
        var candidates: [Candidate] = []
        if choice == .seasonalNaive { return [.naive(period: periods.last ?? 1)] }
        if choice != .holtWinters { candidates.append(.naive(period: 1)) }
        if choice == .naive { return candidates }
        if choice == .best { candidates += periods.map { .naive(period: $0) } }
        for period in [1] + periods {
            for trend in HoltWinters.Trend.allCases {
                for isCorrelated in [true, false] {
                    candidates.append(.holtWinters(period: period, trend: trend, isCorrelated: isCorrelated))
                }
            }
        }
        return candidates
    }
}
