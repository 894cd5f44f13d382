import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinKafka
import TocsinSpool

@Suite(.serialized, .enabled(if: MockCluster.version != nil, "librdkafka is not installed"))
struct OutputTests {
    @Test func everyResultOnceAndInOrder() async throws {
        let place = try OutputPlace()
        let running = try place.open()
        try await running.output.flush()
        for number in 0..<300 { running.output.observe(place.letters(number * 10..<number * 10 + 10)) }
        try await soon("all sent") { running.output.status.waiting == 0 }
        #expect(running.output.status.sent == 3000 && running.output.status.isHealthy)
        await running.stop()
        let values = try await place.read(3000)
        #expect(values == (0..<3000).map(Double.init))
        // Nothing is sent again by the next process.
        let next = try place.open()
        #expect(next.output.status.waiting == 0)
        next.output.observe(place.letters(3000..<3001))
        try await soon("the new one is sent") { next.output.status.waiting == 0 }
        #expect(next.output.status.sent == 1)
        await next.stop()
        #expect(try await place.read(3001).count == 3001)
    }

    /// Also where the client library gives messages up after a while.
    @Test(arguments: ["0", "500"]) func brokersAwayForAWhile(timeout: String) async throws {
        let place = try OutputPlace()
        let running = try place.open { $0.connection.properties["message.timeout.ms"] = timeout }
        running.output.observe(place.letters(0..<100))
        try await soon("all sent") { running.output.status.waiting == 0 }
        try place.cluster.setUp(false)
        for number in 1..<50 { running.output.observe(place.letters(number * 100..<number * 100 + 100)) }
        try await soon("it says that results wait") { running.output.status.failure != nil }
        let status = running.output.status
        #expect(status.waiting == 4900 && status.since != nil && !status.isHealthy)
        #expect(status.sentence.contains("4900 results wait since"))
        #expect(running.output.obstacle == nil)
        if timeout != "0" {
            try await soon("messages were given up") { running.problems.contains("no answer came in time") }
        }
        try place.cluster.setUp(true)
        try await soon("all sent") { running.output.status.waiting == 0 }
        #expect(running.output.status.failure == nil && running.output.status.sent == 5000)
        await running.stop()
        let values = try await place.read(5000)
        #expect(place.last(values) == (0..<5000).map(Double.init))
    }

    /// The copy of a folder is what a killed process leaves.
    @Test func whatWasFlushedIsSentByTheNextProcess() async throws {
        let place = try OutputPlace()
        let first = try place.open()
        first.output.observe(place.letters(0..<500))
        try await soon("all sent") { first.output.status.waiting == 0 }
        try place.cluster.setUp(false)
        for number in 5..<20 { first.output.observe(place.letters(number * 100..<number * 100 + 100)) }
        try await first.output.flush()
        let copy = try place.copy()
        await first.stop()
        try place.cluster.setUp(true)
        let second = try place.open(copy)
        #expect(second.output.status.waitingBytes > 0)
        // The rest is observed again, and more.
        second.output.observe(place.letters(1900..<2100))
        try await soon("all sent") { second.output.status.waiting == 0 }
        await second.stop()
        let values = try await place.read(2200)
        #expect(Set(values) == Set((0..<2100).map(Double.init)))
        #expect(place.last(values) == (0..<2100).map(Double.init))
    }

    @Test func anEndWithBrokersAwayIsSoonAndLosesNothing() async throws {
        let place = try OutputPlace()
        try place.cluster.setUp(false)
        let first = try place.open()
        first.output.observe(place.letters(0..<1000))
        let start = ContinuousClock.now
        await first.stop()
        #expect(ContinuousClock.now - start < .seconds(60))
        let second = try place.open()
        #expect(second.output.status.waiting == 1000)
        try place.cluster.setUp(true)
        try await soon("all sent") { second.output.status.waiting == 0 }
        await second.stop()
        #expect(try await place.read(1000) == (0..<1000).map(Double.init))
    }

    @Test func theLimitIsAnObstacleAndDropsNothing() async throws {
        let place = try OutputPlace()
        let running = try place.open { $0.waitingBytes = 10_000 }
        try place.cluster.setUp(false)
        for number in 0..<40 { running.output.observe(place.letters(number * 100..<number * 100 + 100)) }
        #expect(running.output.obstacle?.contains("wait for Kafka") == true)
        #expect(running.output.status.isFull && !running.output.status.isHealthy)
        try place.cluster.setUp(true)
        try await soon("there is room") { running.output.obstacle == nil }
        try await soon("all sent") { running.output.status.waiting == 0 }
        await running.stop()
        #expect(place.last(try await place.read(4000)) == (0..<4000).map(Double.init))
    }

    @Test func whatIsRefusedForGoodIsCountedAndLeftOut() async throws {
        let place = try OutputPlace()
        let running = try place.open { $0.connection.properties["message.max.bytes"] = "5000" }
        running.output.observe(place.letters(0..<60, sizes: [7: 20_000, 31: 30_000]))
        running.output.observe(place.letters(60..<100))
        try await soon("all settled") { running.output.status.waiting == 0 }
        #expect(running.output.status.refused == 2 && running.output.status.sent == 98)
        #expect(running.problems.all.filter { $0.contains("for good") }.count == 2)
        #expect(running.output.status.sentence.contains("refused 2 results"))
        await running.stop()
        let values = try await place.read(98)
        #expect(Set(values) == Set((0..<100).filter { $0 != 7 && $0 != 31 }.map(Double.init)))
    }

    enum Position: CaseIterable { case new, old, lost }

    /// What waits for the one is carried along, so that what is sent to the other need not be kept; also by the next
    /// process, and where the position was lost, or is an old one after a power cut.
    @Test(arguments: Position.allCases) func aTopicThatTakesNothingKeepsNoDisk(position: Position) async throws {
        let place = try OutputPlace()
        try place.cluster.create("other", partitions: 1)
        try place.cluster.refuse("t", 29)
        let change: (inout KafkaOutputSettings) -> Void = { settings in
            settings.topics.anomalies = "other"
            settings.waitingBytes = 1 << 20
        }
        let first = try place.open(change: change)
        let path = place.folder + "/position"
        var old: Data?
        for round in 0..<4 {
            first.output.observe(place.letters(round * 10..<round * 10 + 10))
            for number in 0..<20 {
                first.output.observe(place.anomalies(2, of: 100_000, named: "\(round)-\(number)"))
                try await soon("anomalies are sent") { first.output.status.waiting == round * 10 + 10 }
                if old == nil { old = FileManager.default.contents(atPath: path) }
            }
            try await soon("their segments are let go of") { first.output.spool.figures.bytes <= 2 << 20 }
        }
        #expect(first.output.obstacle == nil)
        #expect(first.output.status.sentence.contains("topic t: "), "\(first.output.status.sentence)")
        #expect(first.problems.contains("topic t: "))
        await first.stop()
        switch position {
        case .new: break
        case .old: try #require(old).write(to: URL(fileURLWithPath: path))
        case .lost: try FileManager.default.removeItem(atPath: path)
        }
        try place.cluster.refuse("t", 0)
        let second = try place.open(change: change)
        #expect(second.output.status.waiting >= 40)
        second.output.observe(place.letters(40..<50))
        try await soon("all sent") { second.output.status.waiting == 0 }
        await second.stop()
        #expect(place.last(try await place.read(50)) == (0..<50).map(Double.init))
    }

    /// A lane goes on where it was while what waited for it was carried along.
    @Test func whatWasCarriedAlongIsSentOnce() async throws {
        let place = try OutputPlace()
        try place.cluster.create("other", partitions: 1)
        try place.cluster.refuse("t", 29)
        let running = try place.open { settings in
            settings.topics.anomalies = "other"
            settings.waitingBytes = 1 << 20
        }
        running.output.observe(place.letters(0..<10))
        for number in 0..<30 {
            running.output.observe(place.anomalies(1, of: 100_000, named: "\(number)"))
            running.output.observe(place.letters(10 + number..<11 + number))
        }
        try await soon("segments are let go of") {
            running.output.status.waiting == 40 && running.output.spool.figures.bytes < 3 << 20
        }
        try place.cluster.refuse("t", 0)
        running.output.observe(place.letters(40..<50))
        try await soon("all sent") { running.output.status.waiting == 0 }
        #expect(running.output.status.sent == 80)
        await running.stop()
        #expect(place.last(try await place.read(50)) == (0..<50).map(Double.init))
        let next = try place.open { $0.topics.anomalies = "other" }
        #expect(next.output.status.waiting == 0)
        await next.stop()
    }

    /// Where too much waits to be carried along, the disk is the bound.
    @Test func theLimitIsOneOfTheDisk() async throws {
        let place = try OutputPlace()
        try place.cluster.create("other", partitions: 1)
        try place.cluster.refuse("t", 29)
        let running = try place.open { settings in
            settings.topics.anomalies = "other"
            settings.waitingBytes = 3 << 20
        }
        running.output.observe(place.letters(0..<2, sizes: [0: 900_000, 1: 900_000]))
        for number in 0..<60 where running.output.obstacle == nil {
            running.output.observe(place.anomalies(1, of: 100_000, named: "\(number)"))
            try await running.output.flush()
            try await soon("anomalies are sent") { running.output.status.waiting == 2 }
        }
        let obstacle = try #require(running.output.obstacle)
        #expect(obstacle.contains("topic t: ") && obstacle.contains("are kept in"), "\(obstacle)")
        #expect(running.output.status.isFull && running.output.status.waitingBytes < 2 << 20)
        #expect(running.output.spool.figures.bytes < 6 << 20)
        try place.cluster.refuse("t", 0)
        try await soon("there is room") { running.output.obstacle == nil }
        await running.stop()
    }

    /// A segment is let go of when the brokers have it, and damage costs only what it hits.
    @Test func damageIsNamedAndTheRestIsSent() async throws {
        let place = try OutputPlace()
        try place.cluster.setUp(false)
        let first = try place.open()
        for number in 0..<30 { first.output.observe(place.letters(number * 100..<number * 100 + 100)) }
        try await first.output.flush()
        await first.stop()
        let spool = place.folder + "/spool"
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: spool).filter { $0.hasSuffix(".spool") }.min())
        let handle = try #require(FileHandle(forUpdatingAtPath: spool + "/" + name))
        try handle.seek(toOffset: 20_000)
        try handle.write(contentsOf: Data([1, 2, 3, 4, 5, 6, 7, 8]))
        try handle.close()
        try place.cluster.setUp(true)
        let second = try place.open()
        try await soon("all settled") { second.output.status.waiting == 0 }
        #expect(second.problems.contains("damaged"))
        await second.stop()
        let values = try await place.read(2900)
        #expect(values.count == 2900 && values.sorted() == values)
    }
}

/// A cluster, a folder and outcomes to send.
final class OutputPlace {
    let cluster: MockCluster
    let folder: String
    private let table = SeriesTable()

    final class Running {
        let output: KafkaOutput
        let problems: Member.Texts
        private let task: Task<Void, Never>

        init(_ output: KafkaOutput, _ problems: Member.Texts) {
            self.output = output
            self.problems = problems
            task = Task { await output.run() }
        }

        func stop() async {
            output.finish()
            await task.value
            await output.close()
        }
    }

    init() throws {
        cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        folder = NSTemporaryDirectory() + "tocsin-output-\(UInt64.random(in: 0 ... .max))"
    }

    deinit {
        for path in [folder, folder + "-copy"] { try? FileManager.default.removeItem(atPath: path) }
    }

    func copy() throws -> String {
        try FileManager.default.copyItem(atPath: folder, toPath: folder + "-copy")
        return folder + "-copy"
    }

    func open(_ path: String? = nil, change: (inout KafkaOutputSettings) -> Void = { _ in }) throws -> Running {
        var connection = KafkaSettings(brokers: cluster.brokers)
        connection.library = MockCluster.path
        connection.properties = ["reconnect.backoff.max.ms": "200"]
        var settings = KafkaOutputSettings(
            connection, topics: KafkaTopics(anomalies: nil, alerts: nil, deadLetters: "t"))
        settings.isDurable = false
        settings.quietLimit = .milliseconds(300)
        change(&settings)
        let problems = Member.Texts()
        let output = try KafkaOutput.open(
            folder: path ?? folder, settings, table: table, clock: SystemClock(),
            observer: KafkaObserver(problem: { problems.add($0) }))
        return Running(output, problems)
    }

    /// Dead letters that are their own number, or as long as `sizes` says.
    func letters(_ range: Range<Int>, sizes: [Int: Int] = [:]) -> BatchOutcome {
        let origin = Origin(source: SourceID(0), sourceName: "http", position: 0, received: Timestamp(nanoseconds: 0))
        let letters = range.map { number in
            DeadLetter(
                reason: .malformed, detail: "bad", source: "http", position: Int64(number),
                received: Timestamp(seconds: 1_760_000_000),
                payload: sizes[number].map { [UInt8](repeating: 120, count: $0) } ?? Array("\(number)".utf8))
        }
        return BatchOutcome(batch: Batch(origin: origin), fates: [], accepted: [], deadLetters: letters)
    }

    /// Anomalies with sentences of some length.
    func anomalies(_ count: Int, of length: Int, named name: String) -> BatchOutcome {
        let origin = Origin(source: SourceID(0), sourceName: "http", position: 0, received: Timestamp(nanoseconds: 0))
        let time = Timestamp(seconds: 1_760_000_000)
        let sentence = String(repeating: "x", count: length)
        let anomalies = (0..<count).map { number in
            Anomaly(
                id: "\(name)-\(number)", alarmID: nil, sensor: "s1", metric: "m", kind: .spike, detector: .bank,
                model: "bank", start: time, time: time, value: 1, expectedLow: 0, expectedHigh: 0, score: 1, pValue: 0,
                contributions: [], sentence: sentence)
        }
        return BatchOutcome(batch: Batch(origin: origin), fates: [], accepted: [], anomalies: anomalies)
    }

    /// All that is in the topic, by offset; at least `count`. More where messages were sent twice: behind what failed,
    /// all that was under way is.
    func read(_ count: Int) async throws -> [Double] {
        let ledger = Ledger()
        let member = Member("reader", cluster, ledger) { $0.group = "g\(Int.random(in: 0 ... .max))" }
        try await soon("all read") {
            let partitions = member.source.status.partitions
            return ledger.count >= count && partitions.count == 1 && partitions.allSatisfy { $0.lag == 0 }
        }
        await member.stop()
        return ledger.entries.sorted { $0.offset < $1.offset }.map(\.value)
    }

    /// In the order in which each was there last: what a reader that keeps the last of each has.
    func last(_ values: [Double]) -> [Double] {
        var seen: Set<Double> = []
        return values.reversed().filter { seen.insert($0).inserted }.reversed()
    }
}
