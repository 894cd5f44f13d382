/// Forecasts the value of one season ago; with a period of 1, the last value. The yardstick of all other models.
///
/// O(1) a value, 8 bytes a slot of the season.
public struct SeasonalNaive: Sendable {
    /// Slots of a season, at least 1; 1 = the last value.
    public var period: Int { ring.count }
    /// The newest value at each place of the season; NaN where there was none yet.
    var ring: [Double]
    /// Place of the next value.
    var position = 0

    public init(period: Int) { ring = Array(repeating: .nan, count: max(period, 1)) }

    init(ring: [Double], position: Int) {
        self.ring = ring
        self.position = position
    }

    /// Takes up the next value; a missing one (NaN) leaves that of the season before.
    public mutating func observe(_ value: Double) {
        if value.isFinite { ring[position] = value }
        position = position + 1 == ring.count ? 0 : position + 1
    }

    /// Passes over missing values.
    public mutating func skip(_ count: Int) { position = (position + max(count, 0) % ring.count) % ring.count }

    /// The value expected `steps` (at least 1) slots after the last one.
    public func point(_ steps: Int) -> Double { ring[(position + (max(steps, 1) - 1) % ring.count) % ring.count] }
}
