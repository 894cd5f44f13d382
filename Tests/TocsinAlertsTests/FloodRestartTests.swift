import Foundation
import Testing
import TocsinAlerts
import TocsinCore

/// Summaries of floods that one channel's sensors are in and another's began, over the ends of processes.
@Suite struct FloodRestartTests {
    private let time = VirtualTime()
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    private let routing = AlertRouting(
        routes: ["fan-*": "fans", "pump-*": "noting"].map { pattern, channel in
            AlertRoute(filter: AlertFilter(sensors: [NamePattern(pattern)]), channels: [channel])
        })

    private func outbox(_ life: Int) throws -> OutboxFile {
        let (path, before) = ("\(folder.path)/\(life)", "\(folder.path)/\(life - 1)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What is on the disk is what a killed process leaves.
        if life > 0 { try FileManager.default.copyItem(atPath: before, toPath: path) }
        return try OutboxFile(path: path, spool: 7)
    }

    private func bench(_ channel: NotingChannel, _ outbox: OutboxFile) -> DeliveryBench {
        DeliveryBench([(channel, LanePolicy())], time: time, outbox: outbox, routing: routing)
    }

    private var member: AlarmChange {
        var change = Sample.change(.raised, "b", sensor: "pump-1", isTold: false)
        change.alarm.summary = "s1"
        return change
    }

    private func flood(_ step: AlarmChange.Step) -> AlarmChange { Sample.change(step, "s1", sensor: "fan-1") }

    @Test(arguments: [false, true]) func aSummaryIsToldByWhicheverProcessComesNext(isUpdated: Bool) async throws {
        let first = bench(NotingChannel(clock: time) { _, _ in .busy }, try outbox(0))
        first.tell([flood(.raised)])
        first.tell([member] + (isUpdated ? [flood(.updated)] : []))
        first.pass(.seconds(1))
        let left = try outbox(1)
        await first.kill()

        let channel = NotingChannel(clock: time)
        let second = bench(channel, left)
        if !isUpdated { second.tell([flood(.updated)]) }
        second.pass(.seconds(1))
        #expect(channel.words == ["raised s1"])
        let told = try outbox(2)
        #expect(told.waiting(in: "noting").isEmpty && told.openAlarms(in: "noting").map(\.id) == ["s1"])
        await second.kill()

        let third = bench(channel, told)
        third.tell([flood(.cleared)])
        third.pass(.seconds(1))
        #expect(channel.words == ["raised s1", "cleared s1"])
        #expect(told.openAlarms(in: "noting").isEmpty)
        await third.end()
        try FileManager.default.removeItem(at: folder)
    }

    @Test func aMemberWaitsNoLongerThanItsSummary() async throws {
        let channel = NotingChannel(clock: time)
        let outbox = try outbox(0)
        let bench = bench(channel, outbox)
        bench.tell([flood(.raised)])
        bench.tell([member, member])
        #expect(outbox.waiting(in: "noting").count == 1)
        #expect(OutboxFile.look(at: "\(folder.path)/0").waiting == ["noting": 0])
        bench.tell([flood(.cleared)])
        bench.pass(.seconds(1))
        #expect(channel.words.isEmpty && outbox.waiting(in: "noting").isEmpty)
        bench.tell([member])
        #expect(outbox.waiting(in: "noting").count == 1)
        await bench.end()
        time.pass(.hours(25), ManualExecutor())
        let next = self.bench(channel, try self.outbox(1))
        #expect(next.outbox.waiting(in: "noting").isEmpty)
        await next.end()
        try FileManager.default.removeItem(at: folder)
    }

    @Test func aLetterOfASummaryThatIsSentAgainIsFollowedByItsEnd() async throws {
        let outbox = try outbox(0)
        let first = bench(NotingChannel(clock: time) { _, _ in .final }, outbox)
        first.tell([flood(.raised)])
        first.tell([member, flood(.updated)])
        first.pass(.seconds(1))
        #expect(first.dispatcher.dead.count == 1)
        #expect(outbox.openAlarms(in: "noting").map(\.id) == ["s1"])
        await first.end()
        try FileManager.default.removeItem(at: folder)
    }

    @Test func aReopeningThatIsWorseIsToldWhereReopeningsAre() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(steps: ["raised", "reopened", "cleared"]))], time: time)
        bench.tell([Sample.change(.raised, "a"), Sample.change(.cleared, "a")])
        bench.tell([Sample.change(.escalated, "a", severity: .critical), Sample.change(.cleared, "a")])
        bench.pass(.seconds(1))
        #expect(channel.words == ["raised a", "cleared a", "escalated a", "cleared a"])
        await bench.end()
    }

    /// A lane whose task is cancelled waits for the end that it is told, and does not turn without end.
    @Test func aCancelledLaneRests() async {
        let channel = NotingChannel(clock: time) { _, _ in .busy }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a")])
        bench.pass(.seconds(5))
        let attempts = channel.attempts
        bench.cancel()
        #expect(channel.attempts <= attempts + 1)
        await bench.end()
    }
}
