import Testing
import TocsinConnectors
import TocsinCore

@Suite("pace of a recording")
struct ReplayPacerTests {
    private func time(_ seconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: (1_760_000_000 + seconds) * 1_000_000_000)
    }

    private func due(_ seconds: [Int64?], speed: Double, rate: Double = 0, pause: Span64? = nil) -> [Int64] {
        var pacer = ReplayPacer(speed: speed, rate: rate, longestPause: pause)
        return seconds.map { pacer.due($0.map(time)) / 1_000_000 }
    }

    @Test("the pace of the recording, scaled, and never backwards")
    func scaled() {
        #expect(due([0, 1, 1, 4], speed: 1) == [0, 1000, 1000, 4000])
        #expect(due([0, 60, 120], speed: 60) == [0, 1000, 2000])
        #expect(due([0, 1], speed: 0.5) == [0, 2000])
        #expect(due([0, 3, 1, 4], speed: 1) == [0, 3000, 3000, 4000])
        #expect(due([0, 3600, nil], speed: 0, rate: 1) == [0, 0, 0])
    }

    @Test("messages without a time come at the rate")
    func timeless() {
        #expect(due([nil, nil, nil], speed: 1, rate: 2) == [500, 1000, 1500])
        #expect(due([nil, nil], speed: 1, rate: 0) == [0, 0])
    }

    @Test("long gaps are cut")
    func gaps() {
        #expect(due([0, 1, 100_000, 100_001], speed: 1, pause: .seconds(5)) == [0, 1000, 6000, 7000])
    }

    @Test("a file of the same hours as the one before follows at once, a later one after its gap")
    func files() {
        var pacer = ReplayPacer(speed: 1, rate: 0, longestPause: nil)
        var found = [pacer.due(time(0)), pacer.due(time(2))]
        pacer.beginFile()
        found += [pacer.due(time(0)), pacer.due(time(2))]
        pacer.beginFile()
        found += [pacer.due(time(5))]
        #expect(found.map { $0 / 1_000_000_000 } == [0, 2, 2, 4, 7])
    }

    @Test("extreme times do not trap")
    func extremes() {
        var pacer = ReplayPacer(speed: 1e-9, rate: 1e-300, longestPause: nil)
        for time in [Timestamp(nanoseconds: .max), Timestamp(nanoseconds: 0), Timestamp(nanoseconds: .max)] {
            #expect(pacer.due(time) >= 0)
        }
        #expect(pacer.due(nil) >= 0)
    }
}
