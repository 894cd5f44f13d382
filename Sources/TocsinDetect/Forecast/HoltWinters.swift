/// Exponential smoothing with level, damped trend and additive season, and a correction for errors that come in runs.
///
/// Holt 1957, Winters 1960; damping of Gardner and McKenzie 1985; the first-order correlation of the errors of Taylor,
/// "Short-term electricity demand forecasting using double seasonal exponential smoothing", 2003. Robust in the manner
/// of Gelper, Fried and Croux 2010: an error counts at most as four times the usual, and the usual grows where such errors
/// persist, so that a spike leaves no trace and a new level is accepted after some values. Missing values (NaN) are
/// passed over.
///
/// ```swift
/// var model = HoltWinters.fitted(to: history, period: 24, trend: .damped)
/// model?.observe(21.4)
/// model?.point(6)      // the value expected six slots ahead
/// ```
/// O(1) a value; 8 bytes a slot of the season.
public struct HoltWinters: Sendable {
    public enum Trend: UInt8, CaseIterable, Sendable {
        /// The level stays where it is.
        case none
        /// The trend fades away.
        case damped
        /// The trend goes on.
        case linear
    }

    public struct Parameters: Sendable, Equatable {
        /// Share of an error that the level takes up, 0…1.
        public var level: Double
        /// Share of that which the trend takes up, 0…1.
        public var trend: Double
        /// Share of what the level left that the season takes up, 0…1.
        public var season: Double
        /// What is left of the trend after a step, 0…1: 0 = no trend, 1 = it goes on.
        public var damping: Double
        /// Share of an error expected again at the next value, 0 ..< 1.
        public var correlation: Double

        public init(
            level: Double, trend: Double = 0, season: Double = 0, damping: Double = 0, correlation: Double = 0
        ) {
            self.level = level.clamped(0, 1)
            self.trend = trend.clamped(0, 1)
            self.season = season.clamped(0, 1)
            self.damping = damping.clamped(0, 1)
            self.correlation = correlation.clamped(0, 0.999)
        }
    }

    /// The numbers that move with every value.
    struct State: Sendable {
        var level = 0.0
        var trend = 0.0
        /// Of the last value, before correlation.
        var error = 0.0
        /// The usual size of an innovation: a mean absolute one in units of a standard deviation.
        var scale = 0.0
        /// Place of the next value in the season.
        var position = 0
    }

    public let parameters: Parameters
    var state: State
    /// One per slot of a season; a single 0 without season.
    var seasons: [Double]

    /// Slots of a season; 1 = none.
    public var period: Int { seasons.count }

    /// Errors beyond so many times the usual count as that.
    static let clip = 4.0
    /// Share of the newest innovation in their usual size.
    private static let scaleShare = 0.05

    init(parameters: Parameters, state: State, seasons: [Double]) {
        self.parameters = parameters
        self.state = state
        self.seasons = seasons
    }

    /// Takes up the next value.
    ///
    /// - Returns: by how much it missed the forecast of one step; NaN for a missing value.
    @discardableResult
    public mutating func observe(_ value: Double) -> Double {
        let expected = state.level + parameters.damping * state.trend + seasons[state.position]
        let carried = parameters.correlation * state.error
        guard value.isFinite else {
            advance(by: 0, season: 0, error: carried)
            return .nan
        }
        let innovation = value - expected - carried
        let limit = Self.clip * state.scale
        let taken = limit > 0 ? innovation.clamped(-limit, limit) : innovation
        state.scale += Self.scaleShare * (1.2533 * abs(taken) - state.scale)
        let error = carried + taken
        let gain = parameters.level * error
        // A place of the season is seen once in a season: a spike there would be expected again for many of them.
        let isSpike = limit > 0 && abs(innovation) > limit
        let seasonal = isSpike ? (innovation > 0 ? state.scale : -state.scale) : error - gain
        advance(by: gain, season: parameters.season * seasonal, error: error)
        return innovation
    }

    @inline(__always)
    private mutating func advance(by gain: Double, season: Double, error: Double) {
        state.level += parameters.damping * state.trend + gain
        state.trend = parameters.damping * state.trend + parameters.trend * gain
        if seasons.count > 1 {
            seasons[state.position] += season
            state.position = state.position + 1 == seasons.count ? 0 : state.position + 1
        }
        state.error = error
    }

    /// Passes over missing values, any number in O(1). The trend is followed for a season or 100 slots, not beyond.
    public mutating func skip(_ count: Int) {
        guard count > 0 else { return }
        state.level += state.trend * trendSum(min(count, max(seasons.count, 100)))
        state.trend *= parameters.damping > 0 ? power(parameters.damping, Double(count)) : 0
        state.error *= parameters.correlation > 0 ? power(parameters.correlation, Double(count)) : 0
        state.position = (state.position + count % seasons.count) % seasons.count
    }

    /// The value expected `steps` (at least 1) slots after the last one.
    public func point(_ steps: Int) -> Double {
        let steps = max(steps, 1)
        var value = state.level + seasons[(state.position + (steps - 1) % seasons.count) % seasons.count]
        if parameters.damping > 0 { value += state.trend * trendSum(steps) }
        if parameters.correlation > 0 { value += state.error * power(parameters.correlation, Double(steps)) }
        return value
    }

    /// φ + φ² + … + φⁿ.
    private func trendSum(_ steps: Int) -> Double {
        let damping = parameters.damping
        guard damping > 0 else { return 0 }
        return damping < 1 ? damping * (1 - power(damping, Double(steps))) / (1 - damping) : Double(steps)
    }
}
