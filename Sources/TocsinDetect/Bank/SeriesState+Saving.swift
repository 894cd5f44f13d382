/// A series as 34 words of 64 bits, field by field in an order that does not change with the struct's:
///
/// | words | content |
/// |---|---|
/// | 0-4 | times: last reading, last high water, run, drift and condition start |
/// | 5-17 | previous, level, anchor, level error, anchor error, step, baseline, wander, spread, minimum, candidate; valid range: low, high |
/// | 18-27 | 20 numbers of 32 bits: drift and noise sum, block steps, noise level, spread and ratio, tail rate, far and bend, spike limit, repeat rate, longest run, interval, longest interval, patience, the last two residuals, median of sums, lag, seconds of the last emission |
/// | 28 | count, run |
/// | 29-32 | 16 numbers of 16 bits: blocks, outlier run length, tail total, 10 tail counters, source, 1 if a history follows, conditions + 256 · version |
/// | 33 | 8 bytes: nothing, intervals, moves, block fill, noise blocks, outliers, agreeing outliers, blocks since drift |
typealias SavedSeries = InlineArray<34, UInt64>

extension SeriesState {
    private static let savedVersion: UInt16 = 2

    func saved(range: ValidRange) -> SavedSeries {
        var words = SavedSeries(repeating: 0)
        let times: InlineArray<5, Int64> = [lastTime, lastHighWater, runStart, driftStart, conditionStart]
        for place in times.indices { words[place] = UInt64(bitPattern: times[place]) }
        let values: InlineArray<13, Double> = [
            previous, level, anchor, levelError, anchorError, step, baseline, wander, spread, minimum, candidate,
            range.low, range.high,
        ]
        for place in values.indices { words[5 + place] = values[place].bitPattern }
        let floats: InlineArray<20, Float> = [
            driftSum, noiseSum, blockSteps, noiseLevel, noiseSpread, noiseRatio, tailRate, tailFar, tailBend,
            spikeLimit, repeatRate, longestRun, interval, longestInterval, patience, recent, lessRecent, sumMedian,
            lag, Float(bitPattern: lastEmission),
        ]
        for place in 0..<10 {
            words[18 + place] = Self.joined(floats[2 * place].bitPattern, floats[2 * place + 1].bitPattern)
        }
        words[28] = Self.joined(count, run)
        var shorts = InlineArray<16, UInt16>(repeating: 0)
        (shorts[0], shorts[1], shorts[2]) = (blocks, outlierRunLength, tail.total)
        for bin in 0..<TailHistogram.bins { shorts[3 + bin] = tail.counts[bin] }
        shorts[13] = source
        shorts[14] = history > 0 ? 1 : 0
        shorts[15] = UInt16(conditions.rawValue) | Self.savedVersion << 8
        for place in shorts.indices { words[29 + place / 4] |= UInt64(shorts[place]) << UInt64(place % 4 * 16) }
        let bytes: InlineArray<8, UInt8> = [
            0, intervals, moves, blockFill, noiseBlocks, outliers, agreeingOutliers, blocksSinceDrift,
        ]
        for place in bytes.indices { words[33] |= UInt64(bytes[place]) << UInt64(place * 8) }
        return words
    }

    /// nil for words that no series leaves behind: whatever is accepted can go on without trap, not-a-number or
    /// overflow. The valid range is the bank's to restore.
    init?(_ words: SavedSeries) {
        self.init()
        readTimes(words)
        readNumbers(words)
        guard readCounters(words), isPlausible else { return nil }
    }

    /// Whether a level history follows these words.
    static func hasHistory(_ words: SavedSeries) -> Bool { words[32] >> 32 & 0xffff == 1 }

    private mutating func readTimes(_ words: SavedSeries) {
        func time(_ place: Int) -> Int64 { Int64(bitPattern: words[place]) }
        (lastTime, lastHighWater, runStart) = (time(0), time(1), time(2))
        (driftStart, conditionStart) = (time(3), time(4))
    }

    private mutating func readNumbers(_ words: SavedSeries) {
        func value(_ place: Int) -> Double { Double(bitPattern: words[5 + place]) }
        (previous, level, anchor) = (value(0), value(1), value(2))
        (levelError, anchorError, step) = (value(3), value(4), value(5))
        (baseline, wander, spread, minimum, candidate) = (value(6), value(7), value(8), value(9), value(10))
        func float(_ place: Int) -> Float {
            Float(bitPattern: UInt32(truncatingIfNeeded: words[18 + place / 2] >> UInt64(place % 2 * 32)))
        }
        (driftSum, noiseSum, blockSteps) = (float(0), float(1), float(2))
        (noiseLevel, noiseSpread, noiseRatio) = (float(3), float(4), float(5))
        (tailRate, tailFar, tailBend, spikeLimit) = (float(6), float(7), float(8), float(9))
        (repeatRate, longestRun, interval, longestInterval) = (float(10), float(11), float(12), float(13))
        (patience, recent, lessRecent, sumMedian) = (float(14), float(15), float(16), float(17))
        (lag, lastEmission) = (float(18), float(19).bitPattern)
    }

    private mutating func readCounters(_ words: SavedSeries) -> Bool {
        count = UInt32(truncatingIfNeeded: words[28])
        run = UInt32(truncatingIfNeeded: words[28] >> 32)
        func short(_ place: Int) -> UInt16 {
            UInt16(truncatingIfNeeded: words[29 + place / 4] >> UInt64(place % 4 * 16))
        }
        func byte(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: words[33] >> UInt64(place * 8)) }
        (blocks, outlierRunLength) = (short(0), short(1))
        var counts = InlineArray<10, UInt16>(repeating: 0)
        for bin in 0..<TailHistogram.bins { counts[bin] = short(3 + bin) }
        guard short(15) >> 8 == Self.savedVersion, let tail = TailHistogram(total: short(2), counts: counts)
        else { return false }
        self.tail = tail
        conditions = Conditions(rawValue: UInt8(truncatingIfNeeded: short(15)))
        source = short(13)
        (intervals, moves, blockFill) = (byte(1), byte(2), byte(3))
        (noiseBlocks, outliers, agreeingOutliers, blocksSinceDrift) = (byte(4), byte(5), byte(6), byte(7))
        return Conditions.all.isSuperset(of: conditions)
    }

    /// The bounds are those of readings clamped to ±1e300, with room to spare.
    private var isPlausible: Bool {
        func lies(_ value: Double, _ low: Double, _ high: Double) -> Bool { value >= low && value <= high }
        func lies(_ value: Float, _ low: Float, _ high: Float) -> Bool { value >= low && value <= high }
        let levels: InlineArray<5, Double> = [previous, level, anchor, baseline, candidate]
        for place in levels.indices where !lies(levels[place], -1e301, 1e301) { return false }
        let scales: InlineArray<5, Double> = [levelError, anchorError, step, wander, spread]
        for place in scales.indices where !lies(scales[place], 0, 1e302) { return false }
        return (lies(minimum, -1e301, 1e301) || minimum == .infinity)
            && lies(driftSum, -1e12, 1e12) && lies(noiseSum, -1e12, 1e12) && lies(blockSteps, 0, 1e3)
            && lies(noiseLevel, -50, 50) && lies(noiseSpread, 0, 50) && lies(noiseRatio, 1, 1e6)
            && tailQuantiles.isPlausible
            && lies(lag, -4, 4) && lies(recent, -1e6, 1e6) && lies(lessRecent, -1e6, 1e6) && lies(sumMedian, 0.5, 1e7)
            && patience >= 0
            && (spikeLimit == 0 || lies(spikeLimit, 1, 1e30)) && lies(repeatRate, 0, 1) && lies(longestRun, 0, 1e11)
            && lies(interval, 0, 1e11) && lies(longestInterval, 0, 1e11)
            && blockFill < Self.blockLength && noiseBlocks <= 64 && outliers < 20 && agreeingOutliers <= outliers
    }

    private static func joined(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }
}
