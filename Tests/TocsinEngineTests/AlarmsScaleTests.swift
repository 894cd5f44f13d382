import Testing
import TocsinCore
import TocsinEngine
import TocsinTestKit

/// What many incidents at once cost.
@Suite struct AlarmsScaleTests {
    @Test func advancingCostsNothingWhileNothingIsDue() {
        var desk = AlarmDesk(settings: AlarmSettings(clearAfter: .days(1000), flood: nil))
        for sensor in 0..<20_000 { _ = desk.take(AlarmScene.finding(.stuck, sensor: UInt32(sensor), at: 0)) }
        let elapsed = cpuSeconds {
            for second in 0..<100_000 { _ = desk.advance(to: AlarmScene.at(Double(second))) }
        }
        // A look at every incident each time would take minutes.
        #expect(elapsed < 2)
    }

    @Test func whatIsDueOneByOneCostsNoLookAtTheRest() {
        var desk = AlarmDesk(settings: AlarmSettings(flood: nil))
        for sensor in 0..<20_000 {
            _ = desk.take(AlarmScene.finding(.stuck, sensor: UInt32(sensor), at: Double(sensor) / 100))
        }
        var cleared = 0
        let elapsed = cpuSeconds {
            for step in 20_000..<200_000 { cleared += desk.advance(to: AlarmScene.at(Double(step) / 100)).count }
        }
        #expect(cleared == 20_000 && desk.openAlarms.isEmpty)
        #expect(elapsed < 5)
    }

    @Test func aFloodOfManyCostsNoMoreForEach() {
        var desk = AlarmDesk()
        let elapsed = cpuSeconds {
            for sensor in 0..<20_000 {
                _ = desk.take(AlarmScene.finding(.stuck, sensor: UInt32(sensor), at: Double(sensor) / 1000))
            }
        }
        #expect(desk.counts.grouped == 19_991)
        #expect(elapsed < 5)
    }
}
