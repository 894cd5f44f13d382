/// A series as 34 words of 64 bits, field by field in an order that does not change with the struct's:
///
/// | words | content |
/// |---|---|
/// | 0-7 | times: last reading, last high water, deadline, run, drift, noise and range start, last emission |
/// | 8-18 | previous, level, anchor, level error, anchor error, step, baseline, wander, spread, minimum, candidate |
/// | 19-20 | valid range: low, high |
/// | 21-27 | 14 numbers of 32 bits: drift and noise sum, block steps, noise level, spread and ratio, surprise at three, tail shape and scale, spike limit, repeat rate, longest run, interval, longest interval |
/// | 28 | count, run |
/// | 29-32 | 16 numbers of 16 bits: blocks, outlier run length, tail total, 12 tail counters, conditions + 256 · version |
/// | 33 | 8 bytes: source, intervals, moves, block fill, noise blocks, outliers, agreeing outliers, blocks since drift |
typealias SavedSeries = InlineArray<34, UInt64>

extension SeriesState {
    private static let savedVersion: UInt16 = 1

    func saved(range: ValidRange) -> SavedSeries {
        var words = SavedSeries(repeating: 0)
        let times: InlineArray<8, Int64> = [
            lastTime, lastHighWater, deadline, runStart, driftStart, noiseStart, rangeStart, lastEmission,
        ]
        for place in times.indices { words[place] = UInt64(bitPattern: times[place]) }
        let values: InlineArray<13, Double> = [
            previous, level, anchor, levelError, anchorError, step, baseline, wander, spread, minimum, candidate,
            range.low, range.high,
        ]
        for place in values.indices { words[8 + place] = values[place].bitPattern }
        let floats: InlineArray<14, Float> = [
            driftSum, noiseSum, blockSteps, noiseLevel, noiseSpread, noiseRatio, surpriseAtThree, tailShape, tailScale,
            spikeLimit, repeatRate, longestRun, interval, longestInterval,
        ]
        for place in 0..<7 {
            words[21 + place] = Self.joined(floats[2 * place].bitPattern, floats[2 * place + 1].bitPattern)
        }
        words[28] = Self.joined(count, run)
        var shorts = InlineArray<16, UInt16>(repeating: 0)
        (shorts[0], shorts[1], shorts[2]) = (blocks, outlierRunLength, tail.total)
        for bin in 0..<TailHistogram.bins { shorts[3 + bin] = tail.counts[bin] }
        shorts[15] = UInt16(conditions.rawValue) | Self.savedVersion << 8
        for place in shorts.indices { words[29 + place / 4] |= UInt64(shorts[place]) << UInt64(place % 4 * 16) }
        let bytes: InlineArray<8, UInt8> = [
            source, intervals, moves, blockFill, noiseBlocks, outliers, agreeingOutliers, blocksSinceDrift,
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

    private mutating func readTimes(_ words: SavedSeries) {
        func time(_ place: Int) -> Int64 { Int64(bitPattern: words[place]) }
        (lastTime, lastHighWater, deadline, runStart) = (time(0), time(1), time(2), time(3))
        (driftStart, noiseStart, rangeStart, lastEmission) = (time(4), time(5), time(6), time(7))
    }

    private mutating func readNumbers(_ words: SavedSeries) {
        func value(_ place: Int) -> Double { Double(bitPattern: words[8 + place]) }
        (previous, level, anchor) = (value(0), value(1), value(2))
        (levelError, anchorError, step) = (value(3), value(4), value(5))
        (baseline, wander, spread, minimum, candidate) = (value(6), value(7), value(8), value(9), value(10))
        func float(_ place: Int) -> Float {
            Float(bitPattern: UInt32(truncatingIfNeeded: words[21 + place / 2] >> UInt64(place % 2 * 32)))
        }
        (driftSum, noiseSum, blockSteps) = (float(0), float(1), float(2))
        (noiseLevel, noiseSpread, noiseRatio) = (float(3), float(4), float(5))
        (surpriseAtThree, tailShape, tailScale, spikeLimit) = (float(6), float(7), float(8), float(9))
        (repeatRate, longestRun, interval, longestInterval) = (float(10), float(11), float(12), float(13))
    }

    private mutating func readCounters(_ words: SavedSeries) -> Bool {
        count = UInt32(truncatingIfNeeded: words[28])
        run = UInt32(truncatingIfNeeded: words[28] >> 32)
        func short(_ place: Int) -> UInt16 {
            UInt16(truncatingIfNeeded: words[29 + place / 4] >> UInt64(place % 4 * 16))
        }
        func byte(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: words[33] >> UInt64(place * 8)) }
        (blocks, outlierRunLength) = (short(0), short(1))
        var counts = InlineArray<12, UInt16>(repeating: 0)
        for bin in 0..<TailHistogram.bins { counts[bin] = short(3 + bin) }
        guard short(15) >> 8 == Self.savedVersion, let tail = TailHistogram(total: short(2), counts: counts)
        else { return false }
        self.tail = tail
        conditions = Conditions(rawValue: UInt8(truncatingIfNeeded: short(15)))
        (source, intervals, moves, blockFill) = (byte(0), byte(1), byte(2), byte(3))
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
            && lies(surpriseAtThree, 0, 100) && lies(tailShape, 1e-3, 100) && lies(tailScale, 1e-6, 1e6)
            && lies(spikeLimit, 0, 1e30) && lies(repeatRate, 0, 1) && lies(longestRun, 0, 1e11)
            && lies(interval, 0, 1e11) && lies(longestInterval, 0, 1e11)
            && blockFill < Self.blockLength && noiseBlocks <= 64 && outliers < 20 && agreeingOutliers <= outliers
    }

    private static func joined(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }
}
