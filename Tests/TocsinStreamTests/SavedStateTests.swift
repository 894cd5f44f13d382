import Testing
import TocsinCore
import TocsinStream

/// What was saved and restored goes on bit for bit like what was not; and no bytes do harm.
@Suite struct SavedStateTests {
    private static let sensors: UInt32 = 5
    private let definitions = [WindowDefinition.oneMinute, .fiveMinutes, WindowDefinition(45, every: 15)]

    /// Arrivals out of order, repeated, late, with outages.
    private func arrivals(_ random: inout SeededGenerator) -> [TestReading] {
        var readings: [(TestReading, Int64)] = []
        for series in 0..<Self.sensors {
            var time = Int64.random(in: 0...100, using: &random) * second
            let interval = [second, 12 * second, 250_000_000, 777_777_777].randomElement(using: &random) ?? second
            for _ in 0..<400 {
                time += interval
                if Int.random(in: 0..<150, using: &random) == 0 { time += 400 * second }
                let value = Double(Int.random(in: 1800...2600, using: &random)) / 100
                let reading = TestReading(
                    series: series, time: time, value: Int.random(in: 0..<300, using: &random) == 0 ? .nan : value)
                readings.append((reading, time + Int64.random(in: 0...40 * second, using: &random)))
                if Int.random(in: 0..<20, using: &random) == 0 {
                    readings.append((reading, time + Int64.random(in: 0...200 * second, using: &random)))
                }
            }
        }
        return readings.sorted { ($0.1, $0.0.series) < ($1.1, $1.0.series) }.map(\.0)
    }

    /// A fresh harness with all that the other one knows, series by series.
    private func copy(_ harness: WindowHarness) throws -> WindowHarness {
        var writer = StateWriter()
        harness.clocks.saveSources(to: &writer)
        harness.windows.saveProgress(to: &writer)
        for number in 0..<Self.sensors {
            harness.clocks.save(sensor: SensorID(number), to: &writer)
            harness.windows.save(series: SeriesID(number), to: &writer)
        }
        var restored = try WindowHarness(definitions)
        var reader = StateReader(writer.bytes)
        let isRestored1 = restored.clocks.restoreSources(from: &reader)
        #expect(isRestored1)
        let isRestored2 = restored.windows.restoreProgress(from: &reader)
        #expect(isRestored2)
        for number in 0..<Self.sensors {
            let isRestored3 = restored.clocks.restore(sensor: SensorID(number), from: &reader)
            #expect(isRestored3)
            let isRestored4 = restored.windows.restore(series: SeriesID(number), from: &reader)
            #expect(isRestored4)
        }
        #expect(reader.isAtEnd)
        restored.closed = harness.closed
        restored.refused = harness.refused
        return restored
    }

    @Test(arguments: 0..<20)
    func aRestoredOperatorGoesOnTheSame(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let arrivals = arrivals(&random)
        let every = Int.random(in: 3...300, using: &random)
        var plain = try WindowHarness(definitions)
        var restarted = try WindowHarness(definitions)
        for (index, reading) in arrivals.enumerated() {
            let fate = plain.add(reading.series, reading.time, reading.value)
            #expect(restarted.add(reading.series, reading.time, reading.value) == fate)
            if index % 7 == 0 {
                plain.advance()
                if index % every == 0 { restarted = try copy(restarted) }
                restarted.advance()
            } else if index % every == 0 {
                restarted = try copy(restarted)
            }
        }
        plain.flush()
        restarted.flush()
        #expect(plain.refused > 0 && plain.closed.count > 100)
        #expect(restarted.closed.windows == plain.closed.windows)
        #expect(restarted.closed.sensors == plain.closed.sensors)
    }

    @Test func aRestoredSeriesReplacesWhatWasThere() throws {
        var random = SeededGenerator(seed: 5)
        var harness = try WindowHarness(definitions)
        for reading in arrivals(&random).prefix(900) { harness.add(reading.series, reading.time, reading.value) }
        var writer = StateWriter()
        harness.windows.save(series: SeriesID(1), to: &writer)
        let bytes = harness.windows.memoryBytes
        for _ in 0..<50 {
            var reader = StateReader(writer.bytes)
            let isRestored5 = harness.windows.restore(series: SeriesID(1), from: &reader)
            #expect(isRestored5)
        }
        #expect(harness.windows.memoryBytes <= bytes + 4096, "the blocks replaced are used again")
    }

    @Test func anUnknownSeriesIsSavedAsEmpty() throws {
        let empty = try WindowOperator(definitions: definitions)
        var writer = StateWriter()
        empty.save(series: SeriesID(9), to: &writer)
        var restored = try WindowHarness(definitions)
        var reader = StateReader(writer.bytes)
        let isRestored6 = restored.windows.restore(series: SeriesID(9), from: &reader)
        #expect(isRestored6 && reader.isAtEnd)
        restored.flush()
        #expect(restored.closed.count == 0)
    }

    @Test(arguments: 0..<10)
    func nonsenseDoesNoHarm(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var harness = try WindowHarness(definitions)
        for reading in arrivals(&random).prefix(1200) { harness.add(reading.series, reading.time, reading.value) }
        var writer = StateWriter()
        harness.windows.save(series: SeriesID(2), to: &writer)
        let good = writer.bytes
        var accepted = 0
        for attempt in 0..<400 {
            var bytes = good
            if attempt % 4 == 0 {
                bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                    UInt8(truncatingIfNeeded: random.next())
                }
            } else {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
                }
                if attempt % 4 == 1 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            }
            var reader = StateReader(bytes)
            var probe = harness
            let isRestored = probe.windows.restore(series: SeriesID(2), from: &reader)
            if isRestored { accepted += 1 } else { expectUnchanged(probe, harness) }
            probe.closed = WindowBatch()
            for tick in 0..<100 {
                probe.add(
                    2, Int64(bitPattern: random.next()) >> Int64.random(in: 0..<40, using: &random), Double(tick) / 10)
            }
            probe.advance(to: 5000 * second)
            probe.flush()
        }
        #expect(accepted > 0, "flipped bits of a value cannot be told from values")
    }

    private func expectUnchanged(_ left: WindowHarness, _ right: WindowHarness) {
        var (before, after) = (StateWriter(), StateWriter())
        left.windows.save(series: SeriesID(2), to: &before)
        right.windows.save(series: SeriesID(2), to: &after)
        #expect(before.bytes == after.bytes)
    }

    @Test func clocksRefuseShortBytes() {
        var clocks = SensorClocks(allowedLateness: .seconds(1))
        var short = StateReader([1, 2, 3])
        let isRestored7 = clocks.restore(sensor: SensorID(0), from: &short)
        #expect(!isRestored7)
        var sources = StateReader([200, 1])
        let isRestored8 = clocks.restoreSources(from: &sources)
        #expect(!isRestored8)
        #expect(clocks.source(of: SensorID(0)) == nil)
    }
}
