import Testing
import TocsinCore
import TocsinStream

@Suite struct WindowOperatorTests {
    @Test func aReadingLiesInSizeBySlideWindows() throws {
        var harness = try WindowHarness([.oneMinute, .fiveMinutes])
        harness.add(0, 1000 * second, 5)
        harness.flush()
        let windows = harness.closed.windows
        let starts = { (definition: UInt8) in windows.filter { $0.definition == definition }.map { $0.start / second } }
        #expect(starts(0) == [950, 960, 970, 980, 990, 1000])
        #expect(starts(1) == [720, 780, 840, 900, 960])
        #expect(windows.allSatisfy { $0.value(.count) == 1 && $0.value(.median) == 5 })
        #expect(harness.closed.scores.count == 11 && harness.closed.scores.allSatisfy { $0.isNaN })
        #expect(harness.closed.sensors.allSatisfy { $0 == SensorID(0) })
    }

    @Test func windowsHoldTheirStartAndNotTheirEnd() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)])
        harness.add(0, 10 * second, 1)
        harness.add(0, 20 * second - 1, 2)
        harness.add(0, 20 * second, 3)
        harness.flush()
        #expect(harness.closed.windows.map { $0.value(.count) } == [2, 1])
        #expect(harness.closed.windows.map(\.start) == [10 * second, 20 * second])
    }

    @Test func aWindowClosesWhenTheWatermarkReachesItsEnd() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 5 * second)
        harness.add(0, 3 * second)
        harness.add(0, 15 * second - 1)
        #expect(harness.closed.count == 0)
        harness.add(0, 15 * second)
        #expect(harness.closed.windows.map(\.start) == [0])
    }

    @Test func whatIsOlderThanAClosedWindowIsLate() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 5 * second)
        harness.add(0, 3 * second)
        harness.add(0, 15 * second)
        #expect(harness.add(0, 10 * second - 1) == .late)
        #expect(harness.add(0, 10 * second) == .accepted)
        #expect(harness.add(1, 9 * second) == .accepted, "another sensor has its own watermark")
        harness.flush()
        #expect(harness.closed.windows.filter { $0.series == 0 }.map { $0.value(.count) } == [1, 2])
        #expect(harness.add(0, 19 * second) == .late, "flush closed it")
    }

    @Test func negativeTimesAlignToTheEpoch() throws {
        var harness = try WindowHarness([WindowDefinition(20, every: 10)])
        harness.add(0, -1)
        harness.add(0, -10 * second - 1)
        harness.flush()
        #expect(harness.closed.windows.map { $0.start / second } == [-30, -20, -10])
        #expect(harness.closed.windows.map { $0.value(.count) } == [1, 2, 1])
    }

    @Test func aJumpOfCenturiesSkipsEmptyPanes() throws {
        var harness = try WindowHarness([WindowDefinition(size: .milliseconds(6), slide: .milliseconds(1))])
        let century: Int64 = 100 * 365 * 86_400 * second
        for time in [-2 * century, -century, 0, century, 2 * century] { #expect(harness.add(0, time) == .accepted) }
        harness.flush()
        #expect(harness.closed.count == 5 * 6)
    }

    @Test func theEndsOfTimeDoNotTrap() throws {
        for definitions in [[WindowDefinition.oneMinute, .fiveMinutes], [WindowDefinition(86_400, every: 86_400)]] {
            var harness = try WindowHarness(definitions)
            for time in [Int64.min, .min + 1, -1, 0, .max - 1, .max] { harness.add(0, time, Double(time)) }
            for time in [Int64.max, 0, .min] { harness.add(1, time, 1) }
            harness.advance(to: .max)
            harness.flush()
            #expect(harness.closed.windows.filter { $0.series == 0 && $0.definition == 0 }.count >= 3)
        }
    }

    @Test(arguments: 0..<20)
    func everyAcceptedReadingIsCountedOnce(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var harness = try WindowHarness(
            [WindowDefinition(10, every: 10), WindowDefinition(30, every: 15)], lateness: second)
        var accepted = 0
        for _ in 0..<2000 {
            // Spans of all magnitudes, forwards and backwards.
            let span = Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random)
            if harness.add(UInt32.random(in: 0..<3, using: &random), span) == .accepted { accepted += 1 }
            if Int.random(in: 0..<20, using: &random) == 0 { harness.advance() }
        }
        harness.flush()
        let counts = harness.closed.windows.filter { $0.definition == 0 }.map { Int($0.value(.count)) }
        #expect(counts.reduce(0, +) == accepted)
        #expect(accepted + harness.refused == 2000)
        #expect(accepted > 10)
    }

    @Test func idleSensorsCloseWithTheirSource() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 5 * second)
        harness.add(7, 3 * second)
        for tick in 3..<15 {
            harness.add(0, Int64(tick) * second)
            harness.advance()
        }
        #expect(harness.closed.windows.filter { $0.series == 7 }.isEmpty)
        harness.add(0, 15 * second)
        harness.advance(to: 20 * second)
        #expect(harness.closed.windows.filter { $0.series == 7 }.map(\.start) == [0])
        harness.advance(to: 90 * second)
        harness.flush()
        #expect(harness.closed.windows.filter { $0.series == 7 }.count == 1, "once only")
    }

    @Test func graceLeavesWindowsToTheSensorsOwnReadings() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 0)
        harness.add(7, 3 * second)
        var due: [SeriesID] = []
        for (highWater, expected) in [(12, []), (18, [SeriesID(7)])] as [(Int64, [SeriesID])] {
            harness.clocks.raise(harness.source, to: Timestamp(nanoseconds: highWater * second))
            harness.windows.due(source: harness.source, clocks: harness.clocks, grace: .seconds(5), into: &due)
            #expect(due == expected)
        }
        #expect(harness.closed.count == 0, "asking closes nothing")
    }

    @Test func theBacklogOfASilentSensorFindsItsWindows() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 5 * second)
        harness.add(0, 3 * second)
        harness.advance(to: 3600 * second)
        #expect(harness.closed.count == 1)
        #expect(harness.add(0, 9 * second) == .late, "its window went out")
        for tick in 10..<60 { #expect(harness.add(0, Int64(tick) * second) == .accepted) }
        harness.flush()
        #expect(harness.closed.windows.map { $0.value(.count) } == [1, 10, 10, 10, 10, 10])
    }

    @Test func onlySensorsOfTheAdvancedSourceClose() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 0)
        harness.add(0, 3 * second)
        let other = SourceID(3)
        harness.clocks.raise(other, to: Timestamp(nanoseconds: 1_000_000 * second))
        harness.windows.advance(source: other, clocks: harness.clocks, into: &harness.closed)
        #expect(harness.closed.count == 0)
    }

    /// Who knows the source's series gets what a look at all of them gives.
    @Test func theDueSeriesOfASourceAreFoundAmongItsOwn() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 0)
        for series in [4, 9, 2, 7, 0] as [UInt32] { harness.add(series, Int64(series) * second) }
        let other = SourceID(1001)
        harness.clocks.raise(other, to: Timestamp(nanoseconds: 5000 * second))
        _ = harness.clocks.observe(
            sensor: SensorID(3), time: Timestamp(nanoseconds: 4990 * second), source: other)
        _ = harness.windows.add(
            series: SeriesID(3), sensor: SensorID(3), time: Timestamp(nanoseconds: 4990 * second), value: 1)
        harness.clocks.raise(harness.source, to: Timestamp(nanoseconds: 30 * second))
        var (all, own): ([SeriesID], [SeriesID]) = ([], [])
        var copy = harness.windows
        copy.due(source: harness.source, clocks: harness.clocks, into: &all)
        let members = [SeriesID(9), SeriesID(4), SeriesID(0), SeriesID(50), SeriesID(7), SeriesID(2)]
        harness.windows.due(source: harness.source, among: members, clocks: harness.clocks, into: &own)
        #expect(own == all && own.count == 5)
        #expect(harness.windows.lastSweep(of: harness.source) == Timestamp(nanoseconds: 30 * second))
        own = []
        harness.windows.due(source: harness.source, among: members, clocks: harness.clocks, into: &own)
        #expect(own.isEmpty, "its time has not gone on")
        harness.windows.noteSweep(of: harness.source, at: Timestamp(nanoseconds: .min))
        harness.clocks.remove(source: harness.source)
        #expect(harness.clocks.highWater(of: harness.source) == Timestamp(nanoseconds: .min))
        #expect(harness.clocks.highWater(of: other) == Timestamp(nanoseconds: 5000 * second))
    }

    @Test func memoryDoesNotGrowInTheSteadyState() throws {
        var harness = try WindowHarness([.oneMinute, .fiveMinutes])
        var afterWarmUp = 0
        for tick in 0..<4000 {
            for series in 0..<UInt32(20) { harness.add(series, Int64(tick) * second, Double(tick % 17)) }
            harness.advance()
            harness.closed = WindowBatch()
            if tick == 600 { afterWarmUp = harness.windows.memoryBytes }
        }
        #expect(harness.windows.memoryBytes == afterWarmUp)
        #expect(afterWarmUp < 20 * 1024)
        harness.advance(to: 8000 * second)
        harness.flush()
        for tick in 8000..<9000 {
            for series in 0..<UInt32(20) { harness.add(series, Int64(tick) * second, Double(tick % 17)) }
        }
        #expect(harness.windows.memoryBytes == afterWarmUp, "freed blocks are used again")
    }

    @Test func aThousandReadingsASecondAreManyInOneWindow() throws {
        var harness = try WindowHarness([WindowDefinition(300, every: 60)])
        let count = 400_000
        for reading in 0..<count { harness.add(0, Int64(reading) * 1_000_000, Double(reading % 1000) / 8) }
        harness.flush()
        #expect(harness.refused == 0)
        let fullest = harness.closed.windows.filter { $0.value(.count) == 300_000 }
        #expect(fullest.count == 2)
        #expect(fullest.allSatisfy { $0.value(.median) == 62.4375 && $0.value(.maximum) == 124.875 })
    }

    @Test func anOverfullLogRefusesReadings() throws {
        var windows = try WindowOperator(definitions: [WindowDefinition(10, every: 10)])
        var accepted = 0
        var time: Int64 = 0
        let limit = WindowOperator.maximumBlocks * 64
        while true {
            let fate = windows.add(
                series: SeriesID(0), sensor: SensorID(0), time: Timestamp(nanoseconds: time), value: Double(time))
            guard fate == .accepted else {
                #expect(fate == .full)
                break
            }
            accepted += 1
            time += 1
        }
        #expect(accepted == limit)
        let again = windows.add(
            series: SeriesID(0), sensor: SensorID(0), time: Timestamp(nanoseconds: 5), value: 1)
        #expect(again == .duplicate)
        var closed = WindowBatch()
        windows.flush(into: &closed)
        #expect(closed.windows.map { $0.value(.count) } == [Double(limit)])
        #expect(closed.windows.map { $0.value(.median) } == [Double(limit - 1) / 2])
    }

    @Test func aTimeInTheLogIsADuplicateEvenIfLate() throws {
        var harness = try WindowHarness([WindowDefinition(20, every: 10)], lateness: 0)
        for tick in [3, 4, 12, 14] { harness.add(0, Int64(tick) * second) }
        #expect(harness.add(0, 12 * second) == .duplicate)
        #expect(harness.add(0, 4 * second) == .duplicate, "its window went out, but the next one still needs it")
        #expect(harness.add(0, 5 * second) == .late)
        #expect(harness.add(0, 13 * second) == .accepted)
        #expect(harness.add(0, 13 * second) == .duplicate)
        #expect(harness.windows.holds(series: SeriesID(0), time: Timestamp(nanoseconds: 13 * second)))
        #expect(!harness.windows.holds(series: SeriesID(0), time: Timestamp(nanoseconds: 13 * second + 1)))
        #expect(!harness.windows.holds(series: SeriesID(1), time: Timestamp(nanoseconds: 13 * second)))
        harness.flush()
        #expect(harness.closed.windows.map { $0.value(.count) } == [2, 5, 3])
    }

    @Test func aCopyIsIndependent() throws {
        var first = try WindowHarness([WindowDefinition(20, every: 10)])
        for tick in 0..<30 { first.add(0, Int64(tick) * second, Double(tick)) }
        var second = first
        for tick in 30..<60 { first.add(0, Int64(tick) * TocsinStreamTests.second, Double(tick)) }
        for tick in 30..<60 { second.add(0, Int64(tick) * TocsinStreamTests.second, -7) }
        first.flush()
        second.flush()
        #expect(first.closed.windows.last?.value(.mean) == 54.5)
        #expect(second.closed.windows.last?.value(.mean) == -7)
    }

    @Test func impossibleDefinitionsAreRefused() {
        let impossible: [[WindowDefinition]] = [
            [], Array(repeating: .oneMinute, count: 256),
            [WindowDefinition(10, every: 3)], [WindowDefinition(10, every: 0)], [WindowDefinition(5, every: 10)],
            [WindowDefinition(-10, every: -10)], [WindowDefinition(size: .nanoseconds(10), slide: .nanoseconds(5))],
            [
                WindowDefinition(86_400, every: 86_400),
                WindowDefinition(size: .milliseconds(1), slide: .milliseconds(1)),
            ],
        ]
        for definitions in impossible {
            #expect(throws: TocsinError.self) { try WindowOperator(definitions: definitions) }
        }
    }
}
