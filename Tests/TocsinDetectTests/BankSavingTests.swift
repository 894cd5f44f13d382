import Testing
import TocsinCore
import TocsinDetect

@Suite struct BankSavingTests {
    static let series = 12

    /// One reading of each series; nil where it is silent.
    static func value(_ series: Int, _ step: Int, _ random: inout Random) -> Double? {
        let noise = random.normal()
        switch series {
        case 0: return 20 + noise + (random.uniform() < 0.01 ? 40 : 0)
        case 1: return (500..<700).contains(step) ? nil : 20 + noise
        case 2: return (900..<1000).contains(step) ? 21 : 20 + noise
        case 3: return 20 + noise * ((1000..<1600).contains(step) ? 5 : 1)
        case 4: return 20 + noise + (step > 800 ? 30 : 0)
        case 5: return (20 + noise).rounded()
        case 6: return random.uniform() < 0.05 ? 1 : 0
        case 7: return random.uniform() < 0.01 ? .nan : 1e300 * noise
        case 8: return random.uniform() < 0.3 ? nil : 1e-9 * noise
        case 9: return (1200..<1260).contains(step) ? 130 : 20 + noise
        case 10: return step > 400 ? nil : 5
        default: return step < 1500 ? nil : random.heavy()
        }
    }

    static func time(_ step: Int, _ series: Int) -> Timestamp {
        Timestamp(nanoseconds: seconds(step).nanoseconds + Int64(series) * 1_000_000)
    }

    /// All that is said in one step of the stream.
    static func advance(_ bank: inout Bank, step: Int, random: inout Random) -> [String] {
        var said: [String] = []
        for number in 0..<series {
            guard let value = value(number, step, &random) else { continue }
            let time = time(number == 8 && step % 50 == 0 ? step - 3 : step, number)
            let result = bank.assess(
                series: SeriesID(UInt32(number)), time: time, highWater: Self.time(step, number), value: value)
            said += BankConformanceTests.text([result])
        }
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: time(step, series), into: &overdue)
        for number in overdue { said.append("\(bank.silence(of: number, highWater: time(step, series)))") }
        return said
    }

    static func saved(_ bank: Bank) -> [UInt8] {
        var writer = StateWriter()
        for number in 0..<series { bank.save(series: SeriesID(UInt32(number)), to: &writer) }
        return writer.bytes
    }

    static func saved(_ bank: Bank, _ series: Int) -> [UInt8] {
        var writer = StateWriter()
        bank.save(series: SeriesID(UInt32(series)), to: &writer)
        return writer.bytes
    }

    static func bank() -> Bank {
        var bank = Bank()
        bank.setValidRange(series: SeriesID(9), low: -50, high: 120)
        bank.setValidRange(series: SeriesID(3), low: .nan, high: 60)
        return bank
    }

    @Test func aRestoredBankGoesOnBitForBit() throws {
        var whole = Self.bank()
        var broken = Self.bank()
        var random = Random(5)
        var cuts = SplitMix64(seed: 6)
        var restored = 0
        for step in 0..<2000 {
            if cuts.next(below: 25) == 0 {
                let bytes = Self.saved(broken)
                broken = Bank()
                // Another bank may know other ranges, under other numbers.
                broken.setValidRange(series: SeriesID(0), low: 1, high: 2)
                var reader = StateReader(bytes)
                for number in 0..<Self.series {
                    #expect(broken.restore(series: SeriesID(UInt32(number)), from: &reader))
                }
                #expect(reader.isAtEnd && Self.saved(broken) == bytes)
                restored += 1
            }
            var same = random
            let said = Self.advance(&whole, step: step, random: &random)
            try #require(Self.advance(&broken, step: step, random: &same) == said, "step \(step)")
        }
        #expect(restored > 40)
        for number in 0..<Self.series {
            let (left, right) = (
                whole.baseline(of: SeriesID(UInt32(number))), broken.baseline(of: SeriesID(UInt32(number)))
            )
            #expect(left?.level == right?.level && left?.scale == right?.scale)
        }
    }

    @Test func aSeriesSilentBeforeTheRestartIsFoundAfterIt() {
        var bank = Bank()
        for second in 0..<100 {
            _ = bank.assess(series: first, time: seconds(second), highWater: seconds(second), value: Double(second % 7))
        }
        var writer = StateWriter()
        bank.save(series: first, to: &writer)
        var other = Bank()
        var reader = StateReader(writer.bytes)
        #expect(other.restore(series: SeriesID(700), from: &reader))
        var overdue: [SeriesID] = []
        other.overdueSeries(highWater: seconds(110), into: &overdue)
        #expect(overdue.isEmpty)
        other.overdueSeries(highWater: seconds(1000), into: &overdue)
        #expect(overdue == [SeriesID(700)])
    }

    /// What comes of bytes: refused, or usable with whatever readings follow.
    private func useRestored(_ bytes: [UInt8]) -> Bool {
        var bank = Bank()
        var reader = StateReader(bytes)
        guard bank.restore(series: first, from: &reader) else { return false }
        var random = Random(3)
        var overdue: [SeriesID] = []
        for second in 0..<120 {
            let now = seconds(3000 + second * (second % 40 == 39 ? 100 : 1))
            let value = second % 17 == 0 ? 1e300 : (second / 20 % 2 == 0 ? 20 + random.normal() : 7)
            let result = bank.assess(series: first, time: now, highWater: now, value: value)
            #expect((0...1).contains(result.score) && !result.surprise.isNaN, "\(result)")
            bank.overdueSeries(highWater: now, into: &overdue)
        }
        #expect(bank.silence(of: first, highWater: Timestamp(nanoseconds: .max)).limit >= 30)
        return true
    }

    @Test func everyBitFlipIsRefusedOrHarmless() {
        var bank = Self.bank()
        var random = Random(5)
        for step in 0..<1300 { _ = Self.advance(&bank, step: step, random: &random) }
        var refused = 0
        for series in [0, 4, 5, 7] {
            let record = Self.saved(bank, series)
            let size = record.count
            #expect(useRestored(record))
            for bit in 0..<size * 8 {
                var bytes = record
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                if !useRestored(bytes) { refused += 1 }
            }
            for count in [0, 1, 8, size - 1] { #expect(!useRestored(Array(record.prefix(count)))) }
        }
        #expect(refused > 400)
    }

    @Test func randomBytesAreRefusedOrHarmless() {
        var bank = Self.bank()
        var random = Random(5)
        for step in 0..<600 { _ = Self.advance(&bank, step: step, random: &random) }
        let good = Self.saved(bank, 0)
        let size = good.count
        var bits = SplitMix64(seed: 9)
        for _ in 0..<5000 {
            _ = useRestored((0..<size).map { _ in UInt8(truncatingIfNeeded: bits.next()) })
            // Some bytes only, and numbers at the edges, so that more than noise is tried.
            var bytes = Array(good.prefix(size))
            for _ in 0...bits.next(below: 6) {
                let place = bits.next(below: size)
                switch bits.next(below: 4) {
                case 0: bytes[place] = .max
                case 1: bytes[place] = 0x7f
                case 2: for offset in place..<min(place + 8, size) { bytes[offset] = 0 }
                default: bytes[place] = UInt8(truncatingIfNeeded: bits.next())
                }
            }
            _ = useRestored(bytes)
        }
    }

    /// Series that cycle have a longer memory; it is saved with them, and damage to it is refused or harmless.
    @Test func aLevelHistoryIsSavedToo() throws {
        let values = cycle(turns: 12, amplitude: 3)
        var whole = Bank()
        var broken = Bank()
        for (index, value) in values.enumerated() {
            if index % 700 == 699 {
                let bytes = Self.saved(broken, 0)
                broken = Bank()
                var reader = StateReader(bytes)
                try #require(broken.restore(series: SeriesID(4), from: &reader))
                reader = StateReader(bytes)
                try #require(broken.restore(series: first, from: &reader))
                #expect(reader.isAtEnd && Self.saved(broken, 0) == bytes)
            }
            let time = seconds(index)
            let left = whole.assess(series: first, time: time, highWater: time, value: value)
            let right = broken.assess(series: first, time: time, highWater: time, value: value)
            try #require(BankConformanceTests.text([left]) == BankConformanceTests.text([right]))
        }
        #expect(whole.historyCount == 1)
        let record = Self.saved(whole, 0)
        #expect(record.count > 272)
        for bit in stride(from: 272 * 8, to: record.count * 8, by: 3) {
            var bytes = record
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = useRestored(bytes)
        }
        for count in [272, 300, record.count - 1] { #expect(!useRestored(Array(record.prefix(count)))) }
    }

    @Test func theFormerVersionIsRefused() {
        var bank = Bank()
        _ = bank.assess(series: first, time: seconds(0), highWater: seconds(0), value: 1)
        var record = Self.saved(bank, 0)
        #expect(useRestored(record))
        record[32 * 8 + 7] = 1
        #expect(!useRestored(record))
    }

    @Test func zerosAndThenTheLargestNumberHaveAScore() {
        let results = assess([Double](repeating: 0, count: 100) + [1e300, 0, -1e300])
        #expect(results.allSatisfy { (0...1).contains($0.score) })
    }
}
