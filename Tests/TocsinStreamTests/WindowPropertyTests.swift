import Testing
import TocsinCore
import TocsinStream

/// Random streams against the definition of a window, and in shuffled order.
@Suite struct WindowPropertyTests {
    static let definitions = [
        WindowDefinition(60, every: 10), WindowDefinition(300, every: 60), WindowDefinition(45, every: 15),
    ]

    /// Decimals, doubles of all digits, both, and now and then what is no number.
    private func value(_ kind: Int, _ random: inout SeededGenerator) -> Double {
        switch kind {
        case 0: Double.random(in: -5...5, using: &random)
        case 1: Double(Int.random(in: -500_000...500_000, using: &random)) / 1000
        case 2: Int.random(in: 0..<100, using: &random) == 0 ? 1e15 / 7 : Double(Int.random(in: 0...9, using: &random))
        case 3: Int.random(in: 0..<400, using: &random) == 0 ? .nan : 20
        case 4: Int.random(in: 0..<300, using: &random) == 0 ? -.infinity : Double.random(in: 0...1, using: &random)
        default: (Double.random(in: -5...5, using: &random) * 4).rounded() / 4
        }
    }

    /// In order of time, no two readings of a series at one time.
    private func stream(_ random: inout SeededGenerator, values kind: Int? = nil) -> [TestReading] {
        var readings: [TestReading] = []
        let density = Double.random(in: 0.05...20, using: &random)
        for series in 0..<UInt32(3) {
            var time = Int64.random(in: -400...400, using: &random) * second
            for _ in 0..<500 {
                let step = Double.random(in: 0.001...2, using: &random) / density
                let gap = Int.random(in: 0..<100, using: &random) == 0 ? 300.0 : 0
                time += Int64((step + gap) * 1e9) + 1
                let value = value(kind ?? 5, &random)
                readings.append(TestReading(series: series, time: time, value: value))
            }
        }
        return readings.sorted { ($0.time, $0.series) < ($1.time, $1.series) }
    }

    private func run(_ readings: [TestReading], lateness: Int64, advanceEvery: Int) throws -> WindowHarness {
        var harness = try WindowHarness(Self.definitions, lateness: lateness)
        for (index, reading) in readings.enumerated() {
            harness.add(reading.series, reading.time, reading.value)
            if index % advanceEvery == 0 { harness.advance() }
        }
        harness.flush()
        return harness
    }

    @Test(arguments: 0..<40)
    func arrivalOrderWithinTheLatenessChangesNothing(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let readings = stream(&random, values: Int(seed % 6))
        let expected = try run(readings, lateness: 30 * second, advanceEvery: 7)
        #expect(expected.refused == 0)
        for advanceEvery in [1, 50, 5000] {
            let shuffled = readings.map { ($0, $0.time + Int64.random(in: 0...30 * second, using: &random)) }
                .sorted { $0.1 < $1.1 }.map(\.0)
            let outcome = try run(shuffled, lateness: 30 * second, advanceEvery: advanceEvery)
            #expect(outcome.refused == 0)
            #expect(outcome.closed.windows.sorted() == expected.closed.windows.sorted())
        }
    }

    @Test(arguments: 0..<12)
    func everyKernelGivesTheSameBits(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 500)
        let readings = stream(&random, values: Int(seed % 6))
        let expected = try run(readings, lateness: 30 * second, advanceEvery: 7).closed.windows
        for kernel in WindowOperator.Kernel.allCases where kernel.isAvailable {
            var harness = try WindowHarness(Self.definitions)
            harness.windows = try WindowOperator(definitions: Self.definitions, kernel: kernel)
            for (index, reading) in readings.enumerated() {
                harness.add(reading.series, reading.time, reading.value)
                if index % 7 == 0 { harness.advance() }
            }
            harness.flush()
            #expect(harness.closed.windows == expected, "\(kernel)")
        }
    }

    @Test(arguments: 0..<20)
    func windowsHoldExactlyTheReadingsOfTheirSpan(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 1000)
        let readings = stream(&random)
        let windows = try run(readings, lateness: 10 * second, advanceEvery: 11).closed.windows
        for index in windows.indices.dropFirst() where windows[index].series == windows[index - 1].series {
            let ends = (index - 1...index).map {
                windows[$0].start + Self.definitions[Int(windows[$0].definition)].size.nanoseconds
            }
            #expect(ends[0] <= ends[1], "windows of a series come in order of their ends")
        }
        var expected: [ClosedWindow] = []
        for (number, definition) in Self.definitions.enumerated() {
            for series in 0..<UInt32(3) {
                expected += bruteForce(readings.filter { $0.series == series }, definition, UInt8(number), series)
            }
        }
        #expect(windows.count == expected.count)
        for (window, reference) in zip(windows.sorted(), expected.sorted()) {
            #expect(
                (window.series, window.definition, window.start) == (
                    reference.series, reference.definition, reference.start
                ))
            for statistic in [
                WindowStatistic.count, .minimum, .maximum, .median, .first, .last, .medianAbsoluteDeviation,
            ] {
                #expect(window.value(statistic) == reference.value(statistic), "\(statistic)")
            }
            #expect(abs(window.value(.mean) - reference.value(.mean)) < 1e-12)
        }
    }

    private func bruteForce(
        _ readings: [TestReading], _ definition: WindowDefinition, _ number: UInt8, _ series: UInt32
    ) -> [ClosedWindow] {
        let (size, slide) = (definition.size.nanoseconds, definition.slide.nanoseconds)
        var starts: Set<Int64> = []
        for reading in readings {
            // The last window start at or before the reading, and those before it that still reach it.
            var start = reading.time - ((reading.time % slide) + slide) % slide
            while start + size > reading.time {
                starts.insert(start)
                start -= slide
            }
        }
        return starts.map { start in
            let values = readings.filter { $0.time >= start && $0.time < start + size }.map(\.value)
            var row = [UInt64](repeating: 0, count: WindowStatistic.columns)
            func set(_ statistic: WindowStatistic, _ value: Double) { row[statistic.rawValue] = value.bitPattern }
            let center = median(values)
            set(.count, Double(values.count))
            set(.minimum, values.min() ?? .nan)
            set(.maximum, values.max() ?? .nan)
            set(.median, center)
            set(.first, values.first ?? .nan)
            set(.last, values.last ?? .nan)
            set(.medianAbsoluteDeviation, median(values.map { abs($0 - center) }))
            set(.mean, values.reduce(0, +) / Double(values.count))
            return ClosedWindow(series: series, definition: number, start: start, statistics: row)
        }
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
