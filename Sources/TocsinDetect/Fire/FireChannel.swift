internal import TocsinCore

/// What is remembered of one metric: where it was over the last seconds, minute, ten minutes and hour, and how much it
/// swings within a minute when nothing happens.
///
/// All in the signal's own measure: the logarithm of a concentration, so that a change is a ratio whatever the level of
/// the place; K; % humidity. Levels are exponential means whose steps are bounded by six usual swings, so that a fire
/// does not become normal within its first minutes.
struct FireChannel: Sendable {
    /// Exponential means of about 2 s, 10 s, a minute, ten minutes, an hour.
    private(set) var fast = 0.0
    private(set) var ten = 0.0
    private(set) var minute = 0.0
    private(set) var slow = 0.0
    private(set) var hour = 0.0
    /// Mean absolute distance of `fast` from `minute`.
    private(set) var swing = 0.0
    /// Seconds of readings so far, 0 before the first.
    private(set) var learned = -1.0
    private(set) var last = Timestamp(nanoseconds: 0)
    /// The change within a minute in usual swings.
    private(set) var departure = 0.0

    init() {}

    /// Readings so far reach for a judgement, and the last one is of this minute.
    @inline(__always) func isJudged(at time: Timestamp, learning: Double) -> Bool {
        learned >= learning && time.since(last).nanoseconds <= 60_000_000_000
    }

    /// Takes a reading into account. `floor`: the least swing that counts, by the sensor's resolution.
    mutating func update(_ signal: Double, at time: Timestamp, floor: Double) {
        guard learned >= 0 else {
            restart(signal, at: time)
            (slow, hour, learned) = (signal, signal, 0)
            return
        }
        let passed = Double(time.since(last).nanoseconds) * 1e-9
        // Late and repeated readings teach nothing.
        guard passed > 0 else { return }
        guard passed <= 300 else {
            restart(signal, at: time)
            if passed > 3600 { (slow, hour) = (signal, signal) }
            return
        }
        last = time
        learned += passed
        fast += (signal - fast) * (passed / (2 + passed))
        ten += (signal - ten) * (passed / (10 + passed))
        let change = fast - minute
        let spread = max(swing, floor)
        let bound = 6 * spread
        departure = learned > 60 ? change / spread : 0
        if learned > 60 {
            minute += change.clamped(-bound, bound) * (passed / (60 + passed))
        } else {
            minute += (signal - minute) * (passed / learned)
        }
        let share = passed / learned
        slow += (fast - slow).clamped(-bound, bound) * max(passed / (600 + passed), learned < 600 ? share : 0)
        hour += (fast - hour).clamped(-bound, bound) * max(passed / (3600 + passed), learned < 3600 ? share : 0)
        swing += (min(abs(change), 3 * spread) - swing) * max(passed / (1800 + passed), share)
    }

    private mutating func restart(_ signal: Double, at time: Timestamp) {
        (fast, ten, minute, departure, last) = (signal, signal, signal, 0, time)
    }
}

extension FireChannel {
    func save(to writer: inout StateWriter) {
        for number in [fast, ten, minute, slow, hour, swing, learned, departure] { writer.write(number) }
        writer.write(last)
    }

    /// nil for numbers that no reading can have led to.
    init?(from reader: inout StateReader) {
        var numbers: [Double] = []
        for _ in 0..<8 {
            guard let number = reader.readDouble(), abs(number) <= 1e12 else { return nil }
            numbers.append(number)
        }
        guard let last = reader.readTimestamp(), numbers[5] >= 0 else { return nil }
        (fast, ten, minute, slow, hour) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
        (swing, learned, departure) = (numbers[5], numbers[6], numbers[7])
        self.last = last
    }
}

extension FireMetrics.Role {
    /// What kind of evidence it is.
    enum Group: Sendable { case particles, gas, heat, none }

    var group: Group {
        switch self {
        case .particleMass, .particleCount, .smoke: .particles
        case .volatile, .carbonDioxide, .carbonMonoxide, .combustible, .rawGas, .gasResistance: .gas
        case .temperature: .heat
        case .humidity: .none
        }
    }

    /// A fire raises concentrations; the resistance of a metal-oxide sensor goes down with reducing and up with
    /// oxidising gases and with fresh air, so there either way counts.
    var countsBothWays: Bool { self == .rawGas || self == .gasResistance }

    /// Added to a concentration before its logarithm is taken: what the sensors resolve, so that nothing divided by
    /// nothing is no rise. Particles: 1 µg/m³ and 10 per cm³ (Sensirion SPS30: resolution, and detection limit of some
    /// per cm³); TVOC 50 ppb; CO and combustible gas 1 ppm; smoke: a tenth of the most sensitive UL 217 setting, 0.5 %/ft.
    private var resolution: Double {
        switch self {
        case .particleCount: 10
        case .smoke: 0.05
        case .volatile: 50
        case .carbonDioxide: 100
        default: 1
        }
    }

    /// The least usual swing: 3 % of a concentration, 5 ticks, 0.2 K, 0.5 % humidity, as data sheets give repeatability.
    var floor: Double {
        switch self {
        case .temperature: 0.2
        case .humidity: 0.5
        case .rawGas: 0.01
        case .volatile, .carbonMonoxide, .combustible: 0.05
        case .carbonDioxide: 0.02
        default: 0.03
        }
    }

    /// The reading in the measure in which changes are compared; always finite.
    @inline(__always) func signal(_ value: Double) -> Double {
        switch self {
        case .temperature, .humidity: value.clamped(-1e6, 1e6)
        case .rawGas: value.clamped(-1e9, 1e9) / 512
        default: naturalLog(value.clamped(0, 1e15) + resolution)
        }
    }

    /// The reading of a signal.
    func value(_ signal: Double) -> Double {
        switch self {
        case .temperature, .humidity: signal
        case .rawGas: signal * 512
        default: max(exponential(signal) - resolution, 0)
        }
    }
}
