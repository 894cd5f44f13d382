import Testing
import TocsinCore
import TocsinDetect

/// Series of many sources in one bank, each by its own source's clock.
@Suite struct BankSourceTests {
    /// What is said of series whose sources are hours apart is what banks of their own would say.
    @Test func sourcesHoursApartFindWhatEachFindsAlone() {
        let (count, sources) = (700, 9)
        var together = Bank()
        var alone = [Bank](repeating: Bank(), count: sources)
        var random = SplitMix64(seed: 4)
        var resume = [Int](repeating: 0, count: count)
        var found = 0
        for step in 0..<400 {
            for source in 0..<sources {
                let id = SourceID(source == 0 ? 65_535 : UInt16(source * 1001))
                let now = seconds(step + source * 7200)
                for series in stride(from: source, to: count, by: sources) {
                    if random.next(below: 3000) == 0 { resume[series] = step + 20 + random.next(below: 300) }
                    guard step >= resume[series], step >= series % 50, step % (1 + series % 4) == 0 else { continue }
                    let number = SeriesID(UInt32(series))
                    let value = Double(step % 7)
                    _ = together.assess(series: number, time: now, highWater: now, value: value, source: id)
                    _ = alone[source].assess(series: number, time: now, highWater: now, value: value)
                }
                // Series leave and come back with their states.
                if random.next(below: 40) == 0 {
                    let moved = SeriesID(UInt32(source + sources * random.next(below: 70)))
                    var writer = StateWriter()
                    together.save(series: moved, to: &writer)
                    together.remove(series: moved)
                    var reader = StateReader(writer.bytes)
                    let isRestored = together.restore(series: moved, from: &reader)
                    #expect(isRestored)
                }
                var (findings, own): ([SilenceFinding], [SilenceFinding]) = ([], [])
                together.overdue(highWater: now, source: id, into: &findings)
                alone[source].overdue(highWater: now, into: &own)
                #expect(findings.map { "\($0)" } == own.map { "\($0)" })
                found += findings.count
            }
        }
        #expect(found > 100)
        let members = (0..<sources).map { source in
            together.series(of: SourceID(source == 0 ? 65_535 : UInt16(source * 1001))).map(\.index).sorted()
        }
        #expect(
            members == (0..<sources).map { stride(from: $0, to: count, by: sources).map { UInt32($0) } })
    }

    @Test func absenceIsOfOneSource() {
        var bank = Bank()
        for second in 0..<100 {
            for number in 0..<2 as Range<UInt32> {
                _ = bank.assess(
                    series: SeriesID(number), time: seconds(second), highWater: seconds(second),
                    value: Double(second % 7), source: SourceID(UInt16(number)))
            }
        }
        bank.postpone(SourceID(1), by: .seconds(900))
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: seconds(950), source: SourceID(1), into: &overdue)
        #expect(overdue.isEmpty)
        bank.overdueSeries(highWater: seconds(950), source: SourceID(0), into: &overdue)
        #expect(overdue == [first])
        bank.overdueSeries(highWater: seconds(1050), source: SourceID(1), into: &overdue)
        #expect(overdue == [first, SeriesID(1)])
    }

    /// A sensor whose readings come through two sources in turn, the clock of one six hours ahead.
    @Test func aSeriesThatChangesItsSourceGoesByItsOwnReadings() {
        var bank = Bank()
        let ahead = 6 * 3600
        for second in 0..<200 {
            let source = second % 2
            _ = bank.assess(
                series: first, time: seconds(second), highWater: seconds(second + source * ahead),
                value: Double(second % 7), source: SourceID(UInt16(source)))
        }
        // The last one came through the source that is ahead.
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: seconds(100_000), source: SourceID(0), into: &overdue)
        bank.overdueSeries(highWater: seconds(ahead + 220), source: SourceID(1), into: &overdue)
        #expect(overdue.isEmpty)
        bank.overdueSeries(highWater: seconds(ahead + 240), source: SourceID(1), into: &overdue)
        #expect(overdue == [first])
        #expect(bank.silence(of: first, highWater: seconds(ahead + 240)).seconds == 41)
    }

    @Test func aSeriesOfAnotherNumberedSourceGoesOn() {
        var bank = Bank()
        for second in 0..<100 {
            let time = seconds(second)
            _ = bank.assess(series: first, time: time, highWater: time, value: Double(second % 7), source: SourceID(3))
        }
        bank.setSource(series: first, to: SourceID(1200))
        bank.setSource(series: SeriesID(77), to: SourceID(1200))
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: seconds(5000), source: SourceID(3), into: &overdue)
        #expect(overdue.isEmpty)
        bank.overdueSeries(highWater: seconds(5000), source: SourceID(1200), into: &overdue)
        #expect(overdue == [first])
    }
}
