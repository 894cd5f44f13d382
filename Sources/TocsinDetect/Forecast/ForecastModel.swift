/// One of the models a forecast can come from, as a closed set: no dynamic call a value.
public enum ForecastModel: Sendable {
    case naive(SeasonalNaive)
    case holtWinters(HoltWinters)

    /// Slots of a season; 1 = none.
    public var period: Int {
        switch self {
        case .naive(let model): model.period
        case .holtWinters(let model): model.period
        }
    }

    /// For people: `Holt-Winters with damped trend`.
    public var name: String {
        switch self {
        case .naive(let model): return model.period > 1 ? "the season before" : "the last value"
        case .holtWinters(let model):
            let damping = model.parameters.damping
            let trend = damping == 0 ? "" : damping < 1 ? " with damped trend" : " with trend"
            return (model.period > 1 ? "Holt-Winters" : "exponential smoothing") + trend
        }
    }

    /// Takes up the next value; NaN = missing. O(1).
    public mutating func observe(_ value: Double) {
        switch self {
        case .naive(var model):
            // Else the model would have two owners, and its season would be copied.
            self = Self.nothing
            model.observe(value)
            self = .naive(model)
        case .holtWinters(var model):
            self = Self.nothing
            model.observe(value)
            self = .holtWinters(model)
        }
    }

    /// Passes over missing values. O(1).
    public mutating func skip(_ count: Int) {
        switch self {
        case .naive(var model):
            model.skip(count)
            self = .naive(model)
        case .holtWinters(var model):
            model.skip(count)
            self = .holtWinters(model)
        }
    }

    /// The value expected `steps` (at least 1) slots after the last one.
    public func point(_ steps: Int) -> Double {
        switch self {
        case .naive(let model): model.point(steps)
        case .holtWinters(let model): model.point(steps)
        }
    }

    private static let nothing = ForecastModel.holtWinters(
        HoltWinters(parameters: .init(level: 0), state: .init(), seasons: [0]))
}
