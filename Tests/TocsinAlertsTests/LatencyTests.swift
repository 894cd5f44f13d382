import Foundation
import Logging
import Testing
import TocsinAlerts
import TocsinCore

@Suite struct LatencyTests {
    /// From the engine's call to the receiver's answer, through an outbox on the disk. The promise is 100 ms from reading
    /// in; this part of it has to be far below that even on a busy machine.
    @Test func aWebhookHearsAtOnce() async throws {
        let receiver = try await FakeReceiver()
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-latency-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let http = AlertHTTP(targets: try TargetGuard(allowsPrivate: true))
        let channel = WebhookChannel(
            name: "hook", url: try WebAddress("http://127.0.0.1:\(receiver.port)/"), sender: ChannelHTTP(http: http))
        let dispatcher = AlertDispatcher(
            channels: [(channel, LanePolicy())], outbox: try OutboxFile(path: path, spool: 1), clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let work = Task { await dispatcher.run() }
        var millis: [Double] = []
        for number in 0..<200 {
            let start = ContinuousClock.now
            dispatcher.tell(
                [Sample.change(.raised, "a\(number)")], from: AlarmMark(sequence: UInt64(number + 1), change: 0))
            while dispatcher.counts[0].delivered <= number { try await Task.sleep(for: .microseconds(100)) }
            millis.append((ContinuousClock.now - start).inSeconds * 1000)
        }
        millis.sort()
        print("tell to answer, ms: median \(millis[100]), p99 \(millis[197])")
        #expect(millis[100] < 2000, "a busy machine is given time")
        dispatcher.finish()
        await work.value
        await http.close()
    }
}
