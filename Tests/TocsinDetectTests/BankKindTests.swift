import Testing
import TocsinCore
import TocsinDetect

/// Each kind is found on a stream made for it, under its right name, and close to where it was put.
@Suite struct BankKindTests {
    @Test func spikesOfTenDeviationsAreEachFound() {
        var values = gaussian(4000)
        let places = [500, 900, 1501, 2750, 3999]
        for (number, place) in places.enumerated() { values[place] += number % 2 == 0 ? 10 : -10 }
        let results = assess(values)
        #expect(results.positions(.spike) == places)
        #expect(results.verdicts == places.count)
        let spike = results[500]
        #expect(spike.score > 0.5 && spike.pValue < 1e-7)
        #expect(spike.expectedLow < 20 && spike.expectedHigh > 20 && spike.expectedHigh < values[500])
        #expect(spike.start == seconds(500) && !spike.isContinuation)
    }

    @Test func aFifthOfFarSpikesNeitherHidesThemNorMovesTheBand() {
        var random = Random(3)
        var isSpike: [Bool] = []
        let values = (0..<7200).map { _ in
            isSpike.append(random.uniform() < 0.2)
            return isSpike[isSpike.count - 1] ? random.uniform(80, 120) : 25 + 0.5 * random.normal()
        }
        let results = assess(values, every: 12)
        let late = 400..<7200
        let found = late.count { isSpike[$0] && results[$0].kind == .spike }
        let wrong = late.count { !isSpike[$0] && results[$0].kind != nil }
        #expect(Double(found) > 0.99 * Double(late.count { isSpike[$0] }))
        #expect(wrong <= 2)
        #expect(results[7000].expectedLow > 15 && results[7000].expectedHigh < 35)
    }

    @Test func aLastingShiftIsOneDriftAndThenNormal() {
        var values = gaussian(4000)
        for place in 2000..<4000 { values[place] += 30 }
        let results = assess(values)
        let drifts = results.positions(.drift)
        #expect(drifts.first.map { (2000..<2020).contains($0) } == true)
        #expect(drifts.count == 1)
        let drift = results[drifts.first ?? 0]
        #expect(abs(drift.value - 50) < 3 && drift.start == seconds(2000))
        #expect(results[2100...].allSatisfy { $0.kind == nil })
    }

    @Test func aSlowRampIsADrift() {
        var values = gaussian(4000)
        for place in 2000..<4000 { values[place] += Double(place - 2000) * 0.02 }
        let results = assess(values)
        #expect(results.positions(.drift).first.map { (2050..<2500).contains($0) } == true)
        #expect(results.positions(.spike).isEmpty)
    }

    @Test func fourTimesTheNoiseIsNoise() {
        var random = Random(9)
        let values = (0..<4000).map { 20 + random.normal() * ((2000..<3000).contains($0) ? 4 : 1) }
        let results = assess(values)
        let noise = results.positions(.noise)
        #expect(noise.first.map { (2020..<2150).contains($0) } == true)
        #expect(noise.filter { !results[$0].isContinuation }.count == 1)
        #expect((2200..<2900).allSatisfy { results[$0].condition != nil })
        #expect(results[noise.first ?? 0].value > 2 && results[noise.first ?? 0].expectedHigh < 3)
        #expect(results[3200...].allSatisfy { $0.condition == nil })
    }

    @Test func aNoisySensorThatRepeatsIsStuck() {
        var values = gaussian(3000)
        for place in 2000..<2300 { values[place] = values[2000] }
        let results = assess(values)
        let stuck = results.positions(.stuck)
        #expect(stuck.first.map { (2009..<2030).contains($0) } == true)
        #expect(results[stuck.first ?? 0].start == seconds(2000))
        // Repeated once a minute of event time, not on each reading, and marked throughout.
        #expect((4...6).contains(stuck.count))
        #expect(stuck.dropFirst().allSatisfy { results[$0].isContinuation })
        #expect((2030..<2300).allSatisfy { results[$0].condition == .stuck })
        #expect(results[2301...].allSatisfy { $0.condition == nil })
    }

    @Test func switchesCountersAndRestingSensorsAreNotStuck() {
        var random = Random(4)
        var state = 0.0
        let motion = (0..<20_000).map { _ in
            if random.uniform() < 0.002 { state = 1 - state }
            return state
        }
        #expect(assess(motion).verdicts == 0)
        let integers = (0..<20_000).map { _ in (20 + 0.6 * random.normal()).rounded() }
        #expect(assess(integers).verdicts == 0)
        let particles = (0..<20_000).map { index in
            index % 4000 < 2500 ? 0 : (max(0, random.normal()) * 100).rounded() / 100
        }
        #expect(assess(particles).positions(.stuck).isEmpty)
    }

    @Test func silenceIsFoundOnceRepeatedAtIntervalsAndEnds() {
        var bank = Bank()
        var findings: [SilenceFinding] = []
        var all: [(second: Int, isContinuation: Bool)] = []
        for second in 0..<1000 {
            let now = seconds(second)
            _ = bank.assess(series: first, time: now, highWater: now, value: Double(second % 7))
            if !(300..<600).contains(second) {
                _ = bank.assess(series: SeriesID(1), time: now, highWater: now, value: Double(second % 5))
            }
            findings.removeAll()
            bank.overdue(highWater: now, into: &findings)
            for finding in findings {
                #expect(finding.series == SeriesID(1))
                #expect(finding.start == seconds(299))
                all.append((second, finding.isContinuation))
            }
        }
        #expect(all.first.map { (329...331).contains($0.second) && !$0.isContinuation } == true)
        #expect(all.count == 5)
        #expect(all.dropFirst().allSatisfy { $0.isContinuation })
    }

    @Test func silenceIsMeasuredOnTheSourcesOwnClock() {
        var bank = Bank()
        for second in 0..<100 {
            let now = seconds(second)
            _ = bank.assess(series: first, time: now, highWater: now, value: Double(second % 7), source: SourceID(1))
        }
        var findings: [SilenceFinding] = []
        bank.overdue(highWater: seconds(100_000), source: SourceID(0), into: &findings)
        #expect(findings.isEmpty)
        bank.overdue(highWater: seconds(1000), source: SourceID(1), into: &findings)
        #expect(findings.count == 1)
    }

    @Test func valuesOutsideTheValidRangeWarn() {
        var bank = Bank()
        bank.setValidRange(series: first, low: -50, high: 120)
        var kinds: [AnomalyKind?] = []
        for second in 0..<200 {
            let time = seconds(second)
            let value = (100..<190).contains(second) ? 130.0 : 20 + Double(second % 3)
            kinds.append(bank.assess(series: first, time: time, highWater: time, value: value).kind)
        }
        #expect(kinds[100] == .range)
        #expect(kinds.count { $0 == .range } == 2)
        // A late reading is checked against the range and nothing else.
        let late = bank.assess(series: first, time: seconds(50), highWater: seconds(200), value: 500)
        #expect(late.kind == .range)
    }

    @Test func rulesSuppress() {
        var values = gaussian(2000)
        values[1000] += 12
        values[1500] -= 12
        #expect(assess(values, settings: BankSettings(direction: .up)).positions(.spike) == [1000])
        #expect(assess(values, settings: BankSettings(direction: .down)).positions(.spike) == [1500])
        #expect(assess(values, settings: BankSettings(minimumDeviation: 20)).verdicts == 0)
        #expect(assess(values, settings: BankSettings(minimumRelativeDeviation: 0.8)).verdicts == 0)
        #expect(assess(values, settings: BankSettings(enabledKinds: [.drift])).verdicts == 0)
    }
}
