public import TocsinCore

/// A forecast that goes on with every reading: model, place in time and interval are all there is to keep.
///
/// ```swift
/// var stream = ForecastStream(try Forecaster(history, horizon: .hours(6)))
/// stream.observe(time: reading.time, value: reading.value)
/// stream.forecast().crossing(of: 80, .above).sentence()
/// ```
/// O(1) a reading. Kept: 8 bytes a slot of the season and about 32 bytes a slot of the horizon. The interval follows what
/// the forecasts turn out to miss, by online quantile descent as in Gibbs and Candès, "Adaptive conformal inference
/// under distribution shift", 2021. Model and season stay as chosen; choose again from a new history now and then.
public struct ForecastStream: Sendable {
    public let step: Span64
    public let coverage: Double
    public let horizonSlots: Int
    var model: ForecastModel
    var band: ConformalBand
    /// By horizon: the usual size of its errors.
    var sizes: [Double]
    /// What was forecast for slots to come: of each horizon the last so many, in one row.
    var pending: [Double]
    /// Slots closed so far.
    var slot: Int64
    /// Time of the newest closed slot and its value.
    var end: Timestamp
    var endValue: Double
    /// Readings of the slot that is still open.
    var sum = 0.0
    var count = 0.0

    /// Part of an error's usual size by which the interval may move at once.
    private static let pace = 0.05
    /// Share of the newest error in its usual size.
    private static let sizeShare = 0.02

    public init(_ forecaster: Forecaster) {
        step = forecaster.step
        coverage = forecaster.coverage
        horizonSlots = forecaster.horizonSlots
        model = forecaster.model
        band = forecaster.band
        sizes = zip(band.lower, band.upper).map { ($1 - $0) / 4 }
        pending = Array(repeating: .nan, count: band.horizons.reduce(0, +))
        slot = 0
        end = forecaster.end
        endValue = forecaster.endValue
    }

    init(
        step: Span64, coverage: Double, horizonSlots: Int, model: ForecastModel, band: ConformalBand, sizes: [Double],
        pending: [Double], slot: Int64, end: Timestamp, endValue: Double, sum: Double, count: Double
    ) {
        self.step = step
        self.coverage = coverage
        self.horizonSlots = horizonSlots
        self.model = model
        self.band = band
        self.sizes = sizes
        self.pending = pending
        self.slot = slot
        self.end = end
        self.endValue = endValue
        self.sum = sum
        self.count = count
    }

    /// Takes up a reading; what is no number, or older than the slot that is open, is passed over.
    ///
    /// A slot counts when the first reading after it comes. A jump ahead of many slots costs no more than the horizon.
    public mutating func observe(time: Timestamp, value: Double) {
        guard value.isFinite, abs(value) < 1e100 else { return }
        let (whole, rest) = time.since(end).nanoseconds.quotientAndRemainder(dividingBy: step.nanoseconds)
        // Slots reach half a step to both sides of their time.
        let ahead = whole + (rest > step.nanoseconds / 2 ? 1 : 0)
        guard ahead >= 1 else { return }
        if ahead > 1 {
            close()
            pass(Int(ahead) - 2)
        }
        sum += value
        count += 1
    }

    /// The forecast from the newest closed slot.
    public func forecast() -> Forecast {
        Forecaster.forecast(
            model, band, from: end, value: endValue, step: step, slots: horizonSlots, coverage: coverage)
    }

    /// Bytes that the state takes, without what arrays need to keep themselves.
    public var stateBytes: Int {
        MemoryLayout<Self>.size + 8 * (model.period + pending.count + 4 * sizes.count)
    }

    /// Ends the open slot with the mean of its readings.
    private mutating func close() {
        let value = count > 0 ? sum / count : .nan
        let risk = (1 - coverage) / 2
        model.observe(value)
        var first = 0
        for (place, horizon) in band.horizons.enumerated() {
            let index = first + Int(slot % Int64(horizon))
            let error = value - pending[index]
            if error.isFinite {
                let pace = Self.pace * sizes[place]
                band.upper[place] = max(band.upper[place] + pace * ((error > band.upper[place] ? 1 : 0) - risk), 0)
                band.lower[place] = min(band.lower[place] - pace * ((error < band.lower[place] ? 1 : 0) - risk), 0)
                sizes[place] += Self.sizeShare * (abs(error) - sizes[place])
            }
            pending[index] = model.point(horizon)
            first += horizon
        }
        move(by: 1)
        endValue = value
        sum = 0
        count = 0
    }

    /// Passes over slots without a reading.
    private mutating func pass(_ slots: Int) {
        guard slots > 0 else { return }
        model.skip(slots)
        var first = 0
        for horizon in band.horizons {
            for ahead in 0..<min(slots, horizon) {
                pending[first + Int((slot + Int64(ahead)) % Int64(horizon))] = .nan
            }
            first += horizon
        }
        move(by: slots)
        endValue = .nan
    }

    private mutating func move(by slots: Int) {
        // The places of pending forecasts depend on it, but no forecast lives for so long.
        let (sum, overflow) = slot.addingReportingOverflow(Int64(slots))
        slot = overflow ? 0 : sum
        end = end.advanced(by: RegularSeries.span(step, times: slots))
    }
}
