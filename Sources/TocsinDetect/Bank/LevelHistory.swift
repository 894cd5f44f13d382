/// The longer memory of a series whose level moves by itself: what the level was one period ago and at this hour of
/// other days. About 800 bytes, beside the 256 of the series, and only for those that have a use for it.
struct LevelHistory: Sendable {
    /// Levels are kept as (level − origin) / unit.
    var origin: Double
    var unit: Double
    /// Blocks since it began, and when.
    var age: UInt32 = 0
    var began: Int64
    /// When the last block closed, and the seconds from one to the next as a rule.
    var lastBlock: Int64
    var pace: Float = 0
    var cycle = LevelCycle()
    var season = DaySeason()

    init(origin: Double, unit: Double, began: Int64) {
        self.origin = origin
        self.unit = unit
        self.began = began
        lastBlock = began
    }

    func scaled(_ level: Double) -> Float { Float(((level - origin) / unit).clamped(-1e6, 1e6)) }
    func level(_ scaled: Float) -> Double { origin + Double(scaled) * unit }

    /// Counts a block, and those that a pause has left out: without them the phase of a cycle would be lost.
    mutating func closeBlock(time: Int64) {
        if age < .max { age += 1 }
        let (elapsed, overflow) = time.subtractingReportingOverflow(lastBlock)
        lastBlock = time
        let seconds = overflow ? .infinity : Float(elapsed) * 1e-9
        guard pace > 0 else {
            pace = max(min(seconds, 1e9), 0)
            return
        }
        let missing = (seconds / pace).rounded() - 1
        if missing >= 1 { cycle.skip(Int(min(missing, 1000))) }
        pace += (min(seconds, 1.5 * pace) - pace) * max(1 / 32, 1 / Float(min(age, 32)))
    }

    /// Neither a period nor a season after long enough a time.
    func isUseless(time: Int64, usesSeason: Bool) -> Bool {
        guard age >= 256, cycle.lag == 0, !season.isActive else { return false }
        let (span, overflow) = time.subtractingReportingOverflow(began)
        return !usesSeason || overflow || span > 120 * DaySeason.nanosecondsPerHour
    }
}

/// The level histories of a bank: at most 65,535, some 50 MB; place 0 is nobody's. Those of no use are given back.
struct LevelHistories: Sendable {
    private(set) var all: [LevelHistory] = []
    private var free: [UInt16] = []

    /// 0 when all are taken.
    mutating func add(_ history: LevelHistory) -> UInt16 {
        if let place = free.popLast() {
            all[Int(place)] = history
            return place
        }
        if all.isEmpty { all.append(LevelHistory(origin: 0, unit: 1, began: 0)) }
        guard all.count <= Int(UInt16.max) else { return 0 }
        all.append(history)
        return UInt16(all.count - 1)
    }

    mutating func remove(_ place: UInt16) { if place > 0 { free.append(place) } }

    var count: Int { max(all.count - 1, 0) - free.count }

    subscript(place: UInt16) -> LevelHistory {
        get { all[Int(place)] }
        _modify { yield &all[Int(place)] }
    }
}
