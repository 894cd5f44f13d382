import Testing
import TocsinCore
import TocsinStream

@Suite struct DeduplicatorTests {
    private final class Probe {
        var deduplicator = Deduplicator()
        func seen(_ time: Int64, key: UInt64 = 0, series: UInt32 = 0) -> Bool {
            deduplicator.isDuplicate(series: SeriesID(series), time: Timestamp(nanoseconds: time), eventKey: key)
        }
    }

    @Test func theSameTimeOfASeriesIsADuplicate() {
        let probe = Probe()
        #expect(!probe.seen(10))
        #expect(probe.seen(10))
        #expect(!probe.seen(10, series: 1))
        #expect(!probe.seen(11))
        #expect(probe.seen(10))
        #expect(!probe.seen(5))
        #expect(probe.seen(5))
    }

    @Test func theSameKeyIsADuplicateAtAnyTime() {
        let probe = Probe()
        #expect(!probe.seen(10, key: 77))
        #expect(probe.seen(20, key: 77))
        #expect(!probe.seen(20, key: 78))
        #expect(probe.seen(20, key: 79), "the same time, whatever the key")
        #expect(!probe.seen(30, key: 77, series: 1), "keys count within a series")
        #expect(!probe.seen(40))
        #expect(!probe.seen(50), "no key is no key, not an equal one")
        #expect(probe.seen(60, key: 78))
    }

    @Test func keysAreRememberedUpToTheCapacity() {
        let probe = Probe()
        for event in 1...200 { #expect(!probe.seen(Int64(event), key: UInt64(event))) }
        let oldest = 200 - Deduplicator.capacity + 1
        for event in oldest...200 { #expect(probe.seen(Int64(event) + 1000, key: UInt64(event))) }
        #expect(!probe.seen(5000, key: UInt64(oldest - 1)), "forgotten")
    }

    @Test func disorderWidensTheMemory() {
        let probe = Probe()
        for event in 0..<200 { #expect(!probe.seen(Int64(event ^ 1))) }
        for event in (200 - Deduplicator.capacity)..<200 { #expect(probe.seen(Int64(event))) }
    }

    @Test func keysAndTimesSurviveTheGrowthOfARing() {
        for plain in 0..<9 {
            let probe = Probe()
            for event in 0..<plain { #expect(!probe.seen(Int64(event))) }
            for event in plain..<40 { #expect(!probe.seen(Int64(event), key: UInt64(event) + 1)) }
            for event in max(0, plain - 4)..<40 { #expect(probe.seen(Int64(event)), "\(plain), \(event)") }
            for event in plain..<40 { #expect(probe.seen(1000, key: UInt64(event) + 1), "\(plain), \(event)") }
        }
    }

    @Test func inOrderKeylessSeriesStaySmall() {
        let probe = Probe()
        for time in 0..<100 { for series in 0..<UInt32(10_000) { _ = probe.seen(Int64(time), series: series) } }
        #expect(probe.deduplicator.memoryBytes <= 64 * 10_000)
        for series in 0..<UInt32(10_000) { #expect(probe.seen(98, series: series)) }
    }

    @Test func memoryIsBounded() {
        let probe = Probe()
        var random = SeededGenerator(seed: 1)
        for _ in 0..<300_000 {
            _ = probe.seen(
                Int64(bitPattern: random.next()), key: random.next(), series: UInt32.random(in: 0..<100, using: &random)
            )
        }
        #expect(probe.deduplicator.memoryBytes <= 100 * 1400 + 65_536)
    }
}
