import Testing
import TocsinCore
import TocsinStream

@Suite struct DeduplicatorTests {
    private final class Probe {
        var deduplicator = Deduplicator()
        func seen(_ key: UInt64, series: UInt32 = 0) -> Bool {
            deduplicator.isDuplicate(series: SeriesID(series), eventKey: key)
        }
    }

    @Test func theSameKeyIsADuplicate() {
        let probe = Probe()
        #expect(!probe.seen(77))
        #expect(probe.seen(77))
        #expect(!probe.seen(78))
        #expect(!probe.seen(77, series: 1), "keys count within a series")
        #expect(probe.seen(78))
    }

    @Test func noKeyIsNoKeyAndNotAnEqualOne() {
        let probe = Probe()
        #expect(!probe.seen(0) && !probe.seen(0))
        #expect(probe.deduplicator.memoryBytes == 0)
    }

    @Test func askingRemembersNothing() {
        let probe = Probe()
        #expect(!probe.deduplicator.remembers(series: SeriesID(3), eventKey: 5))
        #expect(!probe.seen(5, series: 3))
        #expect(probe.deduplicator.remembers(series: SeriesID(3), eventKey: 5))
        #expect(!probe.deduplicator.remembers(series: SeriesID(3), eventKey: 0))
    }

    @Test(arguments: [1, 3, 4, 5, 16, 17, 63, 64])
    func keysSurviveTheGrowthOfTheRing(count: Int) {
        let probe = Probe()
        for event in 1...count { #expect(!probe.seen(UInt64(event))) }
        for event in 1...count { #expect(probe.seen(UInt64(event))) }
    }

    @Test func keysAreRememberedUpToTheCapacity() {
        let probe = Probe()
        for event in 1...200 { #expect(!probe.seen(UInt64(event))) }
        let oldest = 200 - Deduplicator.capacity + 1
        for event in oldest...200 { #expect(probe.seen(UInt64(event))) }
        #expect(!probe.seen(UInt64(oldest - 1)), "forgotten")
    }

    @Test func memoryIsBounded() {
        let probe = Probe()
        var random = SeededGenerator(seed: 1)
        for _ in 0..<300_000 { _ = probe.seen(random.next() | 1, series: UInt32.random(in: 0..<100, using: &random)) }
        #expect(probe.deduplicator.memoryBytes <= 100 * 704)
    }

    @Test func copiesAreIndependent() {
        let probe = Probe()
        #expect(!probe.seen(1))
        let copy = Probe()
        copy.deduplicator = probe.deduplicator
        #expect(!copy.seen(2))
        #expect(!probe.seen(2))
        #expect(copy.seen(1))
    }

    @Test(arguments: 0..<8)
    func aRestoredMemoryGoesOnTheSame(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let probe = Probe()
        for _ in 0..<Int.random(in: 0..<150, using: &random) {
            _ = probe.seen(UInt64.random(in: 1...80, using: &random))
        }
        let copy = Probe()
        _ = copy.seen(99)
        var writer = StateWriter()
        probe.deduplicator.save(series: SeriesID(0), to: &writer)
        var reader = StateReader(writer.bytes)
        let isRestored = copy.deduplicator.restore(series: SeriesID(0), from: &reader)
        #expect(isRestored && reader.isAtEnd)
        for _ in 0..<300 {
            let key = UInt64.random(in: 1...80, using: &random)
            #expect(probe.seen(key) == copy.seen(key))
        }
    }

    @Test func nonsenseIsNotRestored() {
        let probe = Probe()
        #expect(!probe.seen(7))
        for bytes: [UInt8] in [[], [1], [65] + Array(repeating: 1, count: 600), [1, 0, 0, 0, 0, 0, 0, 0, 0]] {
            var reader = StateReader(bytes)
            let isRestored = probe.deduplicator.restore(series: SeriesID(0), from: &reader)
            #expect(!isRestored)
        }
        #expect(probe.seen(7))
    }
}
