internal import TocsinCore

/// A `NoveltyDetector` at the pace that suits it, which it learns from the series' own time stamps.
///
/// Read every 20 s or slower, a series is judged reading by reading. Faster, it is judged minute by minute, on means:
/// the detector costs 1/60 at 1 Hz, and noise, which brings ever new patterns of single readings, does not reach it.
struct PacedNovelty: Sendable {
    enum Pace: UInt8, Sendable { case unknown, slow, fast }

    /// What one observation gave.
    struct Answer: Sendable {
        var novelty: Novelty
        /// The reading or the minute's mean, and when it began.
        var value: Double
        var start: Int64
    }

    private static let slowest: Int64 = 20_000_000_000
    private static let minute: Int64 = 60_000_000_000
    /// Gaps that decide the pace.
    private static let votes: UInt8 = 15
    /// For means of minutes: noise of 60 series and a week reached it never, autocorrelated noise 0.7 times a day and 100
    /// series. Something really new reaches it when there is a past of some four to seven days.
    private static let fastThreshold = 5.0
    /// Minutes before the first judgement of a fast series.
    private static let fastWarmUp = 60

    private(set) var pace = Pace.unknown
    private(set) var detector = NoveltyDetector()
    /// The last answer's raw nats.
    private(set) var raw = 0.0
    private var gaps: UInt8 = 0
    private var shortGaps: UInt8 = 0
    private var lastTime = Int64.min
    private var bin = Int64.min
    private var sum = 0.0
    private var count: UInt32 = 0
    /// Answers since the last mark, saturating.
    private(set) var sinceMark: UInt16 = .max

    /// Nats at which a finding begins.
    var threshold: Double {
        pace == .fast ? Self.fastThreshold : NoveltyDetector.defaultThreshold
    }

    /// Judges and learns a reading; nil where none was due. Readings out of order and values that are not finite are
    /// passed over.
    @inline(__always) mutating func observe(_ value: Double, time: Int64) -> Answer? {
        guard abs(value) <= ValueGrid.largest, time >= lastTime else { return nil }
        if pace == .unknown, lastTime != .min { vote(time) }
        lastTime = time
        guard pace == .fast else { return judge(value, time: time) }
        // Floor, also before 1970.
        let index = time / Self.minute - (time % Self.minute < 0 ? 1 : 0)
        defer {
            sum += value
            count &+= 1
        }
        guard index != bin else { return nil }
        defer { bin = index }
        guard count > 0 else { return nil }
        let mean = sum / Double(count)
        (sum, count) = (0, 0)
        return judge(mean, time: bin &* Self.minute)
    }

    private mutating func judge(_ value: Double, time: Int64) -> Answer {
        let novelty = detector.observe(value)
        raw = novelty.raw
        if sinceMark < .max { sinceMark += 1 }
        return Answer(novelty: novelty, value: value, start: time)
    }

    /// A mark was told.
    mutating func mark() { sinceMark = 0 }

    private mutating func vote(_ time: Int64) {
        let (gap, overflow) = time.subtractingReportingOverflow(lastTime)
        gaps += 1
        if !overflow, gap < Self.slowest { shortGaps += 1 }
        guard gaps >= Self.votes else { return }
        pace = 2 * shortGaps > gaps ? .fast : .slow
        if pace == .fast { detector = NoveltyDetector(warmUp: Self.fastWarmUp) }
    }
}

extension PacedNovelty {
    func save(to writer: inout StateWriter) {
        writer.write(pace.rawValue)
        detector.save(to: &writer)
        for byte in [gaps, shortGaps] { writer.write(byte) }
        for time in [lastTime, bin] { writer.write(time) }
        for number in [raw, sum] { writer.write(number) }
        writer.write(count)
        writer.write(sinceMark)
    }

    init?(restoring reader: inout StateReader) {
        guard let pace = reader.read(UInt8.self).flatMap(Pace.init(rawValue:)),
            let detector = NoveltyDetector(restoring: &reader), let gaps = reader.read(UInt8.self),
            let shortGaps = reader.read(UInt8.self), gaps <= Self.votes, shortGaps <= gaps,
            let lastTime = reader.read(Int64.self), let bin = reader.read(Int64.self), let raw = reader.readDouble(),
            let sum = reader.readDouble(), let count = reader.read(UInt32.self),
            let sinceMark = reader.read(UInt16.self), raw.isFinite, sum.isFinite
        else { return nil }
        (self.pace, self.detector, self.gaps, self.shortGaps) = (pace, detector, gaps, shortGaps)
        (self.lastTime, self.bin, self.raw, self.sum) = (lastTime, bin, raw, sum)
        (self.count, self.sinceMark) = (count, sinceMark)
    }
}
