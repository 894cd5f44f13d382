import Testing
import TocsinCore
import TocsinStream

/// The compressed log gives back every time and every bit of every value, whatever they are.
@Suite struct ReadingLogTests {
    /// Windows of a millisecond: each holds one reading, whose value is its `first`.
    private func expectLossless(_ readings: [TestReading], _ note: String) throws {
        var windows = try WindowOperator(definitions: [
            WindowDefinition(size: .milliseconds(1), slide: .milliseconds(1))
        ])
        for reading in readings {
            let fate = windows.add(
                series: SeriesID(0), sensor: SensorID(0), time: Timestamp(nanoseconds: reading.time),
                value: reading.value)
            #expect(fate == .accepted, "\(note)")
        }
        let times = Set(readings.map(\.time))
        for time in times {
            let isHeld = windows.holds(series: SeriesID(0), time: Timestamp(nanoseconds: time))
            #expect(isHeld, "\(note): \(time)")
            let other = time &+ 1
            if !times.contains(other) {
                let isHeld = windows.holds(series: SeriesID(0), time: Timestamp(nanoseconds: other))
                #expect(!isHeld, "\(note): \(other)")
            }
        }
        var closed = WindowBatch()
        windows.flush(into: &closed)
        let expected = readings.sorted { $0.time < $1.time }
        #expect(
            closed.windows.map { $0.statistics[WindowStatistic.first.rawValue] } == expected.map(\.value.bitPattern),
            "\(note)")
    }

    private static let extremes: [Double] = [
        0, -0.0, 1, -1, 0.1, -0.1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
        -.leastNonzeroMagnitude, .leastNormalMagnitude, .ulpOfOne, .infinity, -.infinity, .nan, -.nan, .signalingNaN,
        0x1p44, 0x1p45, -0x1p45, 0x1p45 - 1, 0x1p46, 0x1p47, 0x1p52, 0x1p53, 0x1p63, -0x1p63, 0x1p64, 1e-7, 1e-8, 1e22,
        1e23, 1e300,
        123_456.789, 0.000_000_1, 35_184_372_088_831.9, .pi,
    ]

    private func value(_ kind: Int, _ random: inout SeededGenerator) -> Double {
        switch kind {
        case 0...7:
            let scale = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7][kind]
            return Double(Int64.random(in: -5000...5000, using: &random)) / scale
        case 8: return Double(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random)) / 100
        case 9: return Double.random(in: -1...1, using: &random)
        case 10: return Double(bitPattern: random.next())
        case 11: return Self.extremes.randomElement(using: &random) ?? 0
        case 12: return 25
        default: return value(Int.random(in: 0..<13, using: &random), &random)
        }
    }

    private func step(_ kind: Int, _ random: inout SeededGenerator) -> Int64 {
        switch kind {
        case 0: second
        case 1: 250_000_000
        case 2: 1_000_001
        case 3: 12_345_000
        case 4: second + Int64.random(in: -100_000_000...100_000_000, using: &random)
        case 5: Int64.random(in: 1_000_000...10_000_000_000, using: &random)
        case 6: Int.random(in: 0..<20, using: &random) == 0 ? 3600 * second : second
        case 7: (1 + Int64(random.next() % 3)) * 1_000_000
        default: 1_000_000 + Int64(random.next() >> UInt64.random(in: 8..<40, using: &random))
        }
    }

    @Test(arguments: 0..<14, 0..<9)
    func everyKindOfReadingComesBack(valueKind: Int, stepKind: Int) throws {
        var random = SeededGenerator(seed: UInt64(valueKind * 100 + stepKind))
        for disorder in [0, 3, 200] {
            var time = Int64.random(in: -second...1_700_000_000 * second, using: &random)
            var readings: [TestReading] = []
            for _ in 0..<200 {
                readings.append(TestReading(series: 0, time: time, value: value(valueKind, &random)))
                time += step(stepKind, &random)
            }
            if disorder > 0 {
                let keys = readings.indices.map { $0 + Int.random(in: 0...disorder, using: &random) }
                readings = readings.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { readings[$0] }
            }
            try expectLossless(readings, "values \(valueKind), times \(stepKind), disorder \(disorder)")
        }
    }

    @Test func extremeValuesComeBack() throws {
        for extreme in Self.extremes {
            for place in [0, 1, 40] {
                var readings = (0..<80).map {
                    TestReading(series: 0, time: Int64($0) * second, value: 20 + Double($0) / 100)
                }
                readings[place].value = extreme
                try expectLossless(readings, "\(extreme) at \(place)")
            }
        }
        try expectLossless(
            Self.extremes.enumerated().map { TestReading(series: 0, time: Int64($0) * second, value: $1) }, "all")
    }

    @Test(arguments: 0..<20)
    func timesFromOneEndToTheOtherComeBack(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var times: Set<Int64> = [.min, .max, 0, -1 - second, second]
        // Ends of time are shared by windows that would reach beyond them: keep one reading in each millisecond.
        while times.count < 150 {
            let time = Int64(bitPattern: random.next()) >> Int64.random(in: 0..<30, using: &random)
            if !times.contains(where: { $0.subtractingReportingOverflow(time).partialValue.magnitude < 2_000_000 }) {
                times.insert(time)
            }
        }
        let ordered = times.sorted().map { TestReading(series: 0, time: $0, value: Double($0)) }
        try expectLossless(ordered, "in order")
        try expectLossless(ordered.shuffled(using: &random), "shuffled")
    }

    /// 2 decimals at whole seconds, 3 decimals at milliseconds with a phase of each sensor's own.
    @Test(arguments: [100.0, 1000.0], [Int64(0), 25, 50])
    func aSeriesAtOneHertzTakesAKibibyte(scale: Double, start: Int64) throws {
        let count = 2000
        var random = SeededGenerator(seed: UInt64(scale))
        let values = (0..<40_000).map { _ in
            // Sum of 12 uniform numbers: normal enough, sigma 1.
            let normal = (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
            return ((25 + 2 * normal) * scale).rounded() / scale
        }
        var harness = try WindowHarness([.oneMinute, .fiveMinutes])
        for tick in start..<start + 1200 {
            for series in 0..<count {
                let phase = scale == 100 ? 0 : Int64(series) * 1000 / Int64(count) * 1_000_000
                let value = values[(series * 31 + Int(tick) * 7919) % values.count]
                harness.add(UInt32(series), (1_700_000_040 + tick) * second + phase, value)
            }
            harness.closed = WindowBatch()
        }
        #expect(harness.refused == 0)
        #expect(harness.windows.memoryBytes / count <= 1024, "\(harness.windows.memoryBytes / count) bytes a series")
    }
}
