public import TocsinCore

/// Watches one smoke or fire sensor: fixed safety limits, changes of several metrics at once against the sensor's own
/// recent past, and, where there is one, a trained Random Forest of change.
///
/// ```swift
/// var detector = FireDetector(metrics: ["Temperature[C]", "TVOC[ppb]", "PM2.5"], model: nil)
/// let result = detector?.observe([21.4, 120, 1.8], at: time)     // result.step == .raised: tell people
/// detector?.explain()?.sentence      // "PM2.5 rose from 0.8 to 32 µg/m³ within a minute; TVOC[ppb] is 9 times …"
/// ```
/// Three causes, each enough by itself. *Limits*: `SafetyLimits.fire`, from the first reading on; no model silences
/// them. *Change*: of particles, gas and heat two left their place of the last minute by six of their own usual swings.
/// One of them alone (a draught, cooking alcohol, steam, a heater) is no fire. *Forest*: its probability reaches the
/// model's threshold. Change and forest must hold in two readings in a row, unless the one before is over 10 s old.
///
/// The alarm holds until nothing gave cause for five minutes. Same readings, same answers; nothing looks ahead. About a
/// microsecond an event of 12 metrics, no allocation; the forest (some 10 µs) is asked only where a metric moves by two
/// swings. About 4 KB.
public struct FireDetector: Sendable {
    public let metrics: FireMetrics
    public let settings: FireSettings
    /// nil = limits and change only. May be replaced at any time.
    public var model: FireModel?

    var channels: [FireChannel]
    var limits: SafetyLimits
    /// The last event in the units of judgement; NaN for what it did not hold.
    var values: [Double]
    /// What the last event exceeded.
    var excess: SafetyLimits.Excess?
    var latch = Latch()
    private var features: [Double] = []
    /// What was said of the last event.
    private(set) var assessment = FireAssessment(
        score: 0, cause: nil, isAlarming: false, step: nil, since: Timestamp(nanoseconds: 0), evidence: 0,
        probability: 0)

    /// What goes from one event to the next apart from the metrics.
    struct Latch: Sendable {
        /// Time of the event before.
        var previous: Timestamp?
        var wasChanged = false
        var wasForest = false
        /// The first and last reading with a sign (any metric that counts left its usual place).
        var firstSign: Timestamp?
        var lastSign = Timestamp(nanoseconds: 0)
        /// Since when an alarm stands, its last cause, and when it was last spoken of.
        var since: Timestamp?
        var lastCause = Timestamp(nanoseconds: 0)
        var lastSaid = Timestamp(nanoseconds: 0)
    }

    /// nil where the metrics are those of no smoke or fire sensor: see `FireMetrics.recognise`.
    public init?(metrics names: [String], model: FireModel?, settings: FireSettings = FireSettings()) {
        guard let metrics = FireMetrics.recognise(names) else { return nil }
        self.init(metrics: metrics, model: model, settings: settings)
    }

    public init(metrics: FireMetrics, model: FireModel?, settings: FireSettings = FireSettings()) {
        self.metrics = metrics
        self.model = model
        self.settings = settings
        channels = Array(repeating: FireChannel(), count: metrics.channels.count)
        values = Array(repeating: .nan, count: metrics.channels.count)
        limits = SafetyLimits(
            metrics: metrics.channels.map(\.name), limitNames: metrics.channels.map(\.limitName), rules: settings.rules)
    }

    /// Judges one event.
    ///
    /// - Parameter row: the values in the order of the names given to `init`; NaN or a short row where the event has
    ///   none. Sensors that send their metrics one by one are shown each as an event of its own.
    public mutating func observe(_ row: [Double], at time: Timestamp) -> FireAssessment {
        for place in channels.indices {
            let channel = metrics.channels[place]
            let value = channel.position < row.count ? row[channel.position] * channel.scale + channel.offset : .nan
            values[place] = value
            guard !value.isNaN else { continue }
            channels[place].update(channel.role.signal(value), at: time, floor: channel.role.floor)
        }
        excess = limits.worst(values, at: time)
        let groups = groups(at: time)
        let needsSecond = latch.previous.map { time.since($0).nanoseconds <= 10_000_000_000 } ?? false
        let isChanged = groups.second >= settings.departure
        let probability = groups.first >= 2 ? forestProbability(at: time) : 0
        let isForest = probability > 0 && probability >= (model?.threshold ?? .infinity)
        let cause: FireAssessment.Cause? =
            excess != nil
            ? .limit
            : isChanged && (latch.wasChanged || !needsSecond)
                ? .change : isForest && (latch.wasForest || !needsSecond) ? .forest : nil
        if groups.first >= settings.departure || cause != nil { noteSign(at: time) }
        assessment.cause = cause
        assessment.evidence = groups.second
        assessment.probability = probability
        assessment.score = score(cause, groups.second, probability)
        (latch.wasChanged, latch.wasForest) = (isChanged, isForest)
        latch.previous = max(time, latch.previous ?? time)
        step(cause, at: time)
        return assessment
    }

    /// The strongest and the second strongest of particles, gas and heat.
    private func groups(at time: Timestamp) -> (first: Double, second: Double) {
        var particles = 0.0
        var gas = 0.0
        var heat = 0.0
        for place in channels.indices where channels[place].isJudged(at: time, learning: settings.learningSeconds) {
            let role = metrics.channels[place].role
            let departure = channels[place].departure
            switch role.group {
            case .particles: particles = max(particles, departure)
            case .gas: gas = max(gas, role.countsBothWays ? abs(departure) : departure)
            case .heat: heat = max(heat, departure)
            case .none: break
            }
        }
        let first = max(particles, gas, heat)
        return (first, max(min(particles, gas), min(max(particles, gas), heat)))
    }

    func secondStrongest(at time: Timestamp) -> Double { groups(at: time).second }

    private mutating func forestProbability(at time: Timestamp) -> Double {
        guard let model else { return 0 }
        features.removeAll(keepingCapacity: true)
        guard appendFeatures(at: time, to: &features) else { return 0 }
        return model.forest.predict(features)
    }

    private func score(_ cause: FireAssessment.Cause?, _ evidence: Double, _ probability: Double) -> Double {
        if cause == .limit { return 1 }
        let change = evidence / (evidence + settings.departure)
        let threshold = model?.threshold ?? 1
        let forest =
            probability >= threshold
            ? 0.5 + 0.5 * (probability - threshold) / max(1 - threshold, 1e-9) : 0.5 * probability / threshold
        let score = max(change, forest)
        // Not confirmed yet: no cause.
        return (cause == nil ? min(score, 0.499) : score).clamped(0, 0.999)
    }

    private mutating func noteSign(at time: Timestamp) {
        if latch.firstSign == nil || time.since(latch.lastSign).nanoseconds > 60_000_000_000 { latch.firstSign = time }
        latch.lastSign = max(time, latch.lastSign)
    }

    private mutating func step(_ cause: FireAssessment.Cause?, at time: Timestamp) {
        assessment.step = nil
        assessment.since = latch.since ?? time
        if cause != nil {
            latch.lastCause = latch.since == nil ? time : max(time, latch.lastCause)
            if latch.since == nil {
                latch.since = min(latch.firstSign ?? time, time)
                assessment.step = .raised
                latch.lastSaid = time
            } else if time.since(latch.lastSaid).nanoseconds >= 60_000_000_000 {
                assessment.step = .continued
                latch.lastSaid = time
            }
            assessment.since = latch.since ?? time
        } else if latch.since != nil,
            Double(time.since(latch.lastCause).nanoseconds) * 1e-9 >= settings.holdSeconds
        {
            latch.since = nil
            assessment.step = .cleared
        }
        assessment.isAlarming = latch.since != nil
    }
}
