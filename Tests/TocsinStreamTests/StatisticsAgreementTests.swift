import Testing
import TocsinCore
import TocsinStream

@Suite struct StatisticsAgreementTests {
    /// One pane of a minute, panes of ten seconds, and panes of a second that share the same window.
    static let partitions: [[WindowDefinition]] = [
        [WindowDefinition(60, every: 60)],
        [WindowDefinition(60, every: 60), WindowDefinition(10, every: 10)],
        [WindowDefinition(60, every: 60), WindowDefinition(1, every: 1)],
    ]

    @Test(arguments: StatisticsFixture.all.indices, partitions.indices)
    func agreesWithNumPyAndSciPy(fixture index: Int, partition: Int) throws {
        let fixture = StatisticsFixture.all[index]
        var harness = try WindowHarness(Self.partitions[partition])
        for (time, value) in zip(fixture.times, fixture.values) {
            harness.add(0, StatisticsFixture.start + time, value)
        }
        harness.flush()
        let window = try #require(harness.closed.windows.first { $0.definition == 0 })
        #expect(window.start == StatisticsFixture.start)
        for (statistic, expected) in zip(WindowStatistic.allCases, fixture.expected) {
            let value = window.value(statistic)
            #expect(
                agree(value, expected),
                "\(fixture.name), \(statistic): \(value) instead of \(expected)")
        }
    }

    /// Within 1e-9, relative, with an absolute floor for what is zero up to rounding.
    private func agree(_ value: Double, _ expected: Double) -> Bool {
        if expected.isNaN { return value.isNaN }
        return abs(value - expected) <= 1e-9 * max(abs(expected), 1e-3)
    }

    @Test func fixturesCoverAllStatisticsButCompleteness() {
        #expect(WindowStatistic.allCases.last == .completeness)
        for fixture in StatisticsFixture.all { #expect(fixture.expected.count == WindowStatistic.columns - 1) }
    }

    @Test func completenessIsTheShareOfExpectedReadings() throws {
        var harness = try WindowHarness([WindowDefinition(60, every: 60)])
        for tick in 0..<240 where !(130..<160).contains(tick) { harness.add(0, Int64(tick) * second) }
        harness.flush()
        let completeness = harness.closed.windows.map { $0.value(.completeness) }
        try #require(completeness.count == 4)
        #expect(completeness[0] == 1 && completeness[1] == 1)
        // 10 + 20 of 60; the gap of 31 s raises the typical interval of 1 s by 3 % for a moment.
        #expect(abs(completeness[2] - 0.5) < 0.01)
        #expect(completeness[3] == 1)
    }

    @Test func completenessOfASingleReadingIsUnknown() throws {
        var harness = try WindowHarness([WindowDefinition(60, every: 60)])
        harness.add(0, 0)
        harness.flush()
        #expect(try #require(harness.closed.windows.first).value(.completeness).isNaN)
    }

    @Test func completenessFollowsAChangeOfRate() throws {
        var harness = try WindowHarness([WindowDefinition(600, every: 600)])
        for tick in 0..<600 { harness.add(0, Int64(tick) * second) }
        for tick in 60..<360 { harness.add(0, Int64(tick) * 10 * second) }
        harness.flush()
        #expect(try #require(harness.closed.windows.last).value(.completeness) > 0.99)
    }

    @Test func infiniteAndUndefinedValuesDoNoHarm() throws {
        var harness = try WindowHarness([WindowDefinition(60, every: 10)])
        let odd: [Double] = [.nan, -.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
        for tick in 0..<300 { harness.add(0, Int64(tick) * second, odd[tick % odd.count]) }
        for tick in 400..<600 { harness.add(0, Int64(tick) * second, 7) }
        harness.flush()
        let last = try #require(harness.closed.windows.last)
        #expect(last.value(.mean) == 7 && last.value(.median) == 7)
    }
}
