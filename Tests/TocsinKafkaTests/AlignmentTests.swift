import Synchronization
import Testing
import TocsinCore
import TocsinKafka

struct PartitionAlignmentTests {
    private let rules = PartitionAlignment(limit: .seconds(5))

    private func at(_ seconds: Int64) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }
    private func lane(_ head: Int64?, _ progress: Int64?, _ isAwaited: Bool) -> PartitionAlignment.Lane {
        PartitionAlignment.Lane(head: head.map(at), progress: progress.map(at), isAwaited: isAwaited)
    }

    @Test func whoseTurnItIs() {
        let cases: [([PartitionAlignment.Lane], PartitionAlignment.Turn)] = [
            ([], .nobody),
            ([lane(nil, 3, true), lane(nil, nil, false)], .nobody),
            // Alone it goes as far as it gets.
            ([lane(100, 1, true)], .lane(0)),
            // The oldest first, whoever has come further before.
            ([lane(30, 1, true), lane(20, 19, true), lane(25, nil, true)], .lane(1)),
            ([lane(20, nil, true), lane(20, nil, true)], .lane(0)),
            // All far apart: the slowest is never blocked by those ahead of it.
            ([lane(1000, 990, true), lane(10, 5, true)], .lane(1)),
            // One that is awaited holds what is more than the limit ahead of it.
            ([lane(15, 14, true), lane(nil, 10, true)], .lane(0)),
            ([lane(16, 14, true), lane(nil, 10, true)], .blocked(by: [1])),
            // Not known how far it is: waited for.
            ([lane(16, 14, true), lane(nil, nil, true)], .blocked(by: [1])),
            // At its end, or silent: not waited for.
            ([lane(16, 14, true), lane(nil, 1, false), lane(nil, nil, false)], .lane(0)),
            ([lane(16, 14, true), lane(nil, 1, true), lane(nil, 15, true), lane(nil, 2, true)], .blocked(by: [1, 3])),
            // One that is ahead holds nobody.
            ([lane(16, 14, true), lane(nil, 500, true)], .lane(0)),
        ]
        for (lanes, turn) in cases { #expect(rules.turn(lanes) == turn, "\(lanes)") }
        let ends = [
            PartitionAlignment.Lane(head: Timestamp(nanoseconds: .max), isAwaited: true),
            PartitionAlignment.Lane(progress: Timestamp(nanoseconds: .min), isAwaited: true),
        ]
        #expect(rules.turn(ends) == .blocked(by: [1]))
    }

    @Test func partsSpanNoMoreThanTheLimit() {
        func parts(_ seconds: [Int64?]) -> [Range<Int>] { rules.parts(seconds.map { $0.map(at) }) }
        #expect(parts([]) == [])
        #expect(parts([nil, nil]) == [0..<2])
        #expect(parts([1, 2, 6]) == [0..<3])
        #expect(parts([1, 2, 7]) == [0..<2, 2..<3])
        #expect(parts([nil, 1, nil, 60, nil, 61, 120, nil]) == [0..<3, 3..<6, 6..<8])
        #expect(parts([60, 1]) == [0..<1, 1..<2])
        #expect(parts((0..<100).map { Int64($0) }).allSatisfy { $0.count <= 6 })
        #expect(parts((0..<100).map { Int64($0) }).flatMap(\.self) == Array(0..<100))
    }

    @Test func aWrongClockDoesNotCount() {
        func times(_ seconds: [Int64?], received: Int64 = 10_000) -> [Int64?] {
            var messages = MessageBatch()
            messages.times = seconds.map { at($0 ?? 0) }
            for second in seconds {
                let text = Array((second == nil ? "" : "1").utf8)
                text.withUnsafeBytes { messages.append($0) }
            }
            var decoder = NumberDecoder()
            let batch = decoder.decode(
                messages, origin: Origin(source: SourceID(1), sourceName: "", position: 70, received: at(received)),
                table: SeriesTable())
            return PartitionAlignment.times(batch, messages: seconds.count).map {
                $0.map { $0.nanoseconds / 1_000_000_000 }
            }
        }
        #expect(times([]) == [])
        #expect(times([1, 2, 3, 4, 5]) == [1, 2, 3, 4, 5])
        #expect(times([1, 2, nil, 3]) == [1, 2, nil, 3])
        #expect(times([1, 2, 3, 9000, 4, 5, 6]) == [1, 2, 3, 4, 5, 5, 6])
        #expect(times([100, 101, 102, 3, 103, 104, 105]) == [100, 101, 101, 102, 103, 104, 105])
        #expect(times([20, 21, 22], received: 21) == [20, 21, 21])
    }
}

/// Every message is one event; its value is its event time in milliseconds since `start`.
private struct TimedDecoder: MessageDecoding {
    static let start: Int64 = 1_700_000_000_000
    var numbers = NumberDecoder()
    /// Messages of this topic cannot be decoded while it is so.
    var stuck: (topic: String, flag: Flag)?

    mutating func prepare(for messages: MessageBatch) async throws {
        guard let stuck, stuck.flag.value, messages.envelopes.first?.topic == stuck.topic else { return }
        throw TocsinError(.kafka, "no schema yet", isRetriable: true)
    }

    mutating func decode(_ messages: MessageBatch, origin: Origin, table: SeriesTable) -> Batch {
        var messages = messages
        messages.times = messages.payloads.map {
            let text = String(decoding: messages.bytes[$0.range], as: UTF8.self)
            return Timestamp(nanoseconds: (Self.start + (Int64(text) ?? 0)) * 1_000_000)
        }
        return numbers.decode(messages, origin: origin, table: table)
    }
}

@Suite(.serialized, .enabled(if: MockCluster.version != nil, "librdkafka is not installed"))
struct AlignmentTests {
    /// Three partitions of the same 1000 s, produced one after the other; the fourth ends after 100 s, the fifth is empty.
    /// Each the only one of its topic.
    private static let topics = ["a", "b", "c", "d", "e"]

    private func produce(_ cluster: MockCluster, long: Int, short: Int) async throws {
        let sender = try producer(cluster)
        for (topic, count) in zip(Self.topics, [long, long, long, short, 0]) {
            try cluster.create(topic, partitions: 1)
            try await sender.produce((0..<count).map { KafkaRecord(topic: topic, value: Array("\($0 * 100)".utf8)) })
        }
    }

    private func source(
        _ cluster: MockCluster, _ problems: Member.Texts, stuck: (topic: String, flag: Flag)? = nil,
        change: (inout KafkaSourceSettings) -> Void
    ) -> KafkaSource {
        var settings = KafkaSourceSettings(brokers: cluster.brokers, group: "g", topics: Self.topics)
        settings.connection.library = MockCluster.path
        settings.connection.properties = MockCluster.membership
        change(&settings)
        return KafkaSource(
            name: "plant", settings: settings, table: SeriesTable(), clock: SystemClock(),
            observer: KafkaObserver(problem: { problems.add($0) }),
            identify: { SourceID(UInt16(Self.topics.firstIndex(of: $0.topic) ?? 9)) },
            makeDecoder: { TimedDecoder(stuck: stuck) })
    }

    private func read(
        _ cluster: MockCluster, _ ledger: Ledger, alignment: Span64, count: Int
    ) async throws {
        let problems = Member.Texts()
        let source = source(cluster, problems) {
            $0.alignment = alignment
            $0.alignmentPatience = .days(1)
        }
        let engine = FakeEngine("a", ledger)
        let task = Task.detached { try await source.run(delivery: engine) }
        try await soon("all read") { ledger.count == count }
        try await soon("all committed") {
            source.status.partitions.count == 5
                && source.status.partitions.allSatisfy { $0.lag == 0 && ($0.committed ?? 0) == ($0.position ?? 0) }
        }
        task.cancel()
        _ = await task.result
        #expect(problems.all == [])
    }

    /// How far a message was behind the newest of another partition that had come before it, at most.
    private func largestDelay(_ entries: [Ledger.Entry]) -> Double {
        var newest: [String: Double] = [:]
        var largest = 0.0
        for entry in entries {
            for (partition, time) in newest where partition != entry.partition {
                largest = max(largest, time - entry.value)
            }
            newest[entry.partition] = max(newest[entry.partition] ?? 0, entry.value)
        }
        return largest / 1000
    }

    @Test func partitionsCatchUpTogether() async throws {
        let cluster = try MockCluster()
        try await produce(cluster, long: 10_000, short: 1000)
        let ledger = Ledger()
        // Those that have ended hold nobody: else it would take as long as the patience with them, a day.
        try await read(cluster, ledger, alignment: .seconds(5), count: 31_000)
        ledger.expectExact(31_000)
        #expect(largestDelay(ledger.entries) <= 10)
    }

    /// What the one above would see without.
    @Test func withoutAlignmentTheyDoNot() async throws {
        let cluster = try MockCluster()
        try await produce(cluster, long: 10_000, short: 1000)
        let ledger = Ledger()
        try await read(cluster, ledger, alignment: .seconds(0), count: 31_000)
        ledger.expectExact(31_000)
        #expect(largestDelay(ledger.entries) > 10)
    }

    /// A partition that gives nothing holds the others for as long as the patience lasts, and is said.
    @Test func aSilentPartitionStopsNobodyForEver() async throws {
        let cluster = try MockCluster()
        try await produce(cluster, long: 1000, short: 500)
        let (ledger, problems, stuck) = (Ledger(), Member.Texts(), Flag())
        let source = source(cluster, problems, stuck: ("d", stuck)) { $0.alignmentPatience = .milliseconds(400) }
        let task = Task.detached { [engine = FakeEngine("a", ledger)] in try await source.run(delivery: engine) }
        try await soon("the others are read") { ledger.count == 3000 }
        #expect(problems.contains("d/0 gives no messages"))
        try await soon("it is shown") { source.status.partitions.contains { $0.topic == "d" && $0.isLeftOut } }
        #expect(source.status.sentence == "messages of d/0 wait for what decodes them: no schema yet")
        stuck.value = false
        try await soon("it is back") {
            ledger.count == 3500 && !source.status.partitions.contains { $0.isLeftOut }
        }
        task.cancel()
        _ = await task.result
        ledger.expectExact(3500)
    }

    /// What waits for others is dropped when the source ends, and read again by the next.
    @Test func itEndsWhileSomeWait() async throws {
        let cluster = try MockCluster()
        try await produce(cluster, long: 1000, short: 500)
        let (ledger, problems, stuck) = (Ledger(), Member.Texts(), Flag())
        let first = source(cluster, problems, stuck: ("d", stuck)) { $0.alignmentPatience = .days(1) }
        let task = Task.detached { [engine = FakeEngine("a", ledger)] in try await first.run(delivery: engine) }
        try await soon("it waits") { problems.contains("wait for what decodes them") }
        try await soon("all are there") { first.status.partitions.filter { $0.pendingBytes > 0 }.count == 4 }
        #expect(ledger.count == 0)
        let start = ContinuousClock.now
        task.cancel()
        _ = await task.result
        #expect(ContinuousClock.now - start < .seconds(60))
        try await read(cluster, ledger, alignment: .seconds(5), count: 3500)
        ledger.expectExact(3500)
    }
}
