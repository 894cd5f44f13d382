import TocsinCore
import TocsinDetect

/// Labelled synthetic streams and a way to run a bank over them.
struct Random {
    private var generator: SplitMix64
    init(_ seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func uniform(_ low: Double = 0, _ high: Double = 1) -> Double { low + (high - low) * generator.nextUnit() }

    /// Standard normal by the polar method (Marsaglia 1964), with ln through the series' own bank-free route: a sum of
    /// twelve uniforms has too light a tail for tests of false alarms.
    mutating func normal() -> Double {
        while true {
            let u = uniform(-1, 1)
            let v = uniform(-1, 1)
            let s = u * u + v * v
            if s > 0, s < 1 { return u * (-2 * ln(s) / s).squareRoot() }
        }
    }

    /// Student's t with 3 degrees of freedom: heavy tails, infinite kurtosis.
    mutating func heavy() -> Double {
        let (a, b, c) = (normal(), normal(), normal())
        return normal() / ((a * a + b * b + c * c) / 3).squareRoot()
    }
}

/// ln by the identity of Borchardt for arguments in 0 … 1: exact enough for random numbers, and no C library.
func ln(_ x: Double) -> Double {
    var mantissa = x.significand
    var exponent = Double(x.exponent)
    if mantissa > 1.414 { mantissa /= 2; exponent += 1 }
    let y = (mantissa - 1) / (mantissa + 1)
    let square = y * y
    var term = y
    var sum = 0.0
    for k in stride(from: 1.0, through: 25, by: 2) {
        sum += term / k
        term *= square
    }
    return 2 * sum + exponent * 0.693_147_180_559_945_3
}

func seconds(_ count: Int, every interval: Double = 1) -> Timestamp {
    Timestamp(nanoseconds: 1_600_000_000_000_000_000 + Int64(Double(count) * interval * 1e9))
}

let first = SeriesID(0)

/// Runs one series with a fixed interval in seconds.
func assess(_ values: [Double], every interval: Double = 1, settings: BankSettings = BankSettings()) -> [Assessment] {
    var bank = Bank(settings: settings)
    return values.indices.map { index in
        let time = seconds(index, every: interval)
        return bank.assess(series: first, time: time, highWater: time, value: values[index])
    }
}

extension [Assessment] {
    /// New verdicts of a kind, with their positions.
    func positions(_ kind: AnomalyKind) -> [Int] { indices.filter { self[$0].kind == kind } }
    var verdicts: Int { count { $0.kind != nil } }
}

func gaussian(_ count: Int, level: Double = 20, deviation: Double = 1, seed: UInt64 = 1) -> [Double] {
    var random = Random(seed)
    return (0..<count).map { _ in level + deviation * random.normal() }
}

extension Bank {
    /// What is to be said of all overdue series of a source.
    mutating func overdue(
        highWater: Timestamp, source: SourceID = SourceID(0), into findings: inout [SilenceFinding]
    ) {
        var candidates: [SeriesID] = []
        overdueSeries(highWater: highWater, source: source, into: &candidates)
        for series in candidates { findings.append(silence(of: series, highWater: highWater)) }
    }
}

/// sin(2π x), from its power series: no C library in tests.
func wave(_ turns: Double) -> Double {
    let x = (turns - turns.rounded()) * 6.283_185_307_179_586
    var term = x
    var sum = 0.0
    for k in stride(from: 1.0, through: 25, by: 2) {
        sum += term
        term *= -x * x / ((k + 1) * (k + 2))
    }
    return sum
}

/// A wave of ten minutes at one reading a second, with noise of 1.
func cycle(turns: Int, amplitude: Double, seed: UInt64 = 3) -> [Double] {
    var random = Random(seed)
    return (0..<turns * 600).map { 40 + amplitude * wave(Double($0) / 600) + random.normal() }
}
