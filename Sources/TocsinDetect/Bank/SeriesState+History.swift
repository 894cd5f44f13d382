internal import TocsinCore

extension SeriesState {
    /// Judges the level against what it was one period ago and at this hour of other days, and learns it.
    ///
    /// - Parameter closesBlock: else only the season is asked: in slow series a block is longer than an hour.
    mutating func consultHistory(
        _ histories: inout LevelHistories, time: Int64, closesBlock: Bool, parameters: BankParameters
    ) -> BlockFinding? {
        guard history > 0 else {
            if closesBlock { beginHistory(&histories, time: time, parameters: parameters) }
            return nil
        }
        let place = history
        let unit = histories[place].unit
        let scaled = histories[place].scaled(level)
        let floor = Float((0.25 * deviation / unit).clamped(1e-6, 1e6))
        let minimum = Float((parameters.minimumDriftDeviations * deviation / unit).clamped(0, 1e6))
        var finding: (expected: Float, evidence: Float)?
        if closesBlock {
            histories[place].closeBlock(time: time)
            let age = histories[place].age
            finding = histories[place].cycle.take(scaled, age: age, floor: floor, minimum: minimum)
        }
        if parameters.usesSeason {
            let seasonal = histories[place].season.take(scaled, time: time, floor: floor, minimum: minimum)
            finding = finding ?? seasonal
        }
        if closesBlock, histories[place].age & 63 == 0,
            histories[place].isUseless(time: time, usesSeason: parameters.usesSeason)
        {
            histories.remove(place)
            history = 0
        }
        guard let finding else { return nil }
        let expected = histories[place].level(finding.expected)
        guard parameters.allows(.drift), parameters.isWorthwhile(level - expected, level: expected) else { return nil }
        let isContinuation = blocksSinceDrift < 64
        blocksSinceDrift = 0
        let margin = max(Double(12 * floor) * unit, parameters.minimumDriftDeviations * deviation)
        return BlockFinding(
            kind: .drift, surprise: Double(2 * finding.evidence), start: time, value: level, low: expected - margin,
            high: expected + margin, isContinuation: isContinuation)
    }

    /// Begins a history where the level wanders by more than its noise, or has been known for a day; asked at block 32,
    /// 64, 128 and so on, so that a series that had no use for one does not come back at once.
    private mutating func beginHistory(_ histories: inout LevelHistories, time: Int64, parameters: BankParameters) {
        let blocks = count >> 4
        guard blocks >= 32, blocks & (blocks - 1) == 0, moves >= 64, repeatRate < 0.75 else { return }
        let isWandering = 1.2533 * wander > 0.4 * deviation
        let isOld = parameters.usesSeason && Float(count) * interval > 86_400
        guard isWandering || isOld else { return }
        history = histories.add(LevelHistory(origin: level, unit: deviation, began: time))
    }
}
