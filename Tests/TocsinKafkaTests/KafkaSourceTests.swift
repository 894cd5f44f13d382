import Testing
import TocsinCore
import TocsinKafka

@Suite(.serialized, .enabled(if: MockCluster.version != nil, "librdkafka is not installed"))
struct KafkaSourceTests {
    @Test func everyMessageOnceAndCommitted() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 4)
        let sender = try producer(cluster)
        try await sender.produce(numbers(0..<5000))
        let ledger = Ledger()
        let first = Member("a", cluster, ledger)
        try await soon("all read") { ledger.count == 5000 }
        try await soon("all committed") {
            first.source.status.partitions.count == 4
                && first.source.status.partitions.allSatisfy { $0.lag == 0 && $0.committed == $0.position }
        }
        #expect(first.source.status.connection == .connected)
        #expect(first.source.status.lag == 0)
        #expect(first.source.status.topicPartitions == 4)
        await first.stop()
        #expect(first.source.status.connection == .ended)
        ledger.expectExact(5000)
        #expect(Set(ledger.entries.map(\.value)) == Set((0..<5000).map(Double.init)))
        // The next goes on where the group stands.
        try await sender.produce(numbers(5000..<6000))
        let second = Member("b", cluster, ledger)
        try await soon("the rest is read") { ledger.count == 6000 }
        await second.stop()
        #expect(ledger.places.count == 6000)
        #expect(ledger.count(of: "b") == 1000)
        #expect(first.problems.all + second.problems.all == [])
    }

    /// A process that dies leaves its last copy: another works through what came since once more, with the same state.
    @Test func aCrashReplaysFromTheLastCopy() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 2)
        let sender = try producer(cluster)
        let ledger = Ledger()
        let records = MemoryRecords()
        try await sender.produce(numbers(0..<1000))
        let first = Member("a", cluster, ledger, records: records) {
            $0.checkpointInterval = .milliseconds(100)
            $0.revokeTimeout = .milliseconds(500)
        }
        try await soon("all read") { ledger.count == 1000 }
        // One may have been under way.
        let saves = records.saves
        try await soon("copies of everything read") {
            (0..<2).map { "kafka/g/t/\($0)" }.allSatisfy { records.saves[$0] ?? 0 >= (saves[$0] ?? 0) + 2 }
        }
        try await soon("committed") { first.source.status.partitions.allSatisfy { $0.committed == $0.position } }
        // From here on nothing that it leaves behind reaches the others.
        first.engine.die()
        records.isDown = true
        try await sender.produce(numbers(1000..<1500))
        try await soon("it reads on") { ledger.count == 1500 }
        let own = first.engine.positions
        let stopping = Task { await first.stop() }
        try await soon("it cannot leave its state") { first.problems.contains("cannot be left") }
        await stopping.value
        records.isDown = false
        let second = Member("b", cluster, ledger, records: records)
        try await sender.produce(numbers(1500..<2000))
        try await soon("all read") { ledger.places.count == 2000 }
        await second.stop()
        // What came twice came behind the same messages both times.
        #expect(ledger.entries.allSatisfy { $0.before == $0.offset })
        #expect(Set(ledger.entries).count == 2000)
        #expect(ledger.count(of: "b") >= 500)
        // The dead one comes back with what it knew: the other has gone on since.
        try await sender.produce(numbers(2000..<2100))
        let back = Member("a", cluster, ledger, records: records, positions: own, engine: first.engine)
        try await soon("all read") { ledger.places.count == 2100 }
        await back.stop()
        #expect(ledger.entries.allSatisfy { $0.before == $0.offset })
        #expect(Set(ledger.entries).count == 2100)
    }

    /// The next one reads what the first had read again, from where that one began, rather than going on with sensors that
    /// know nothing.
    @Test(arguments: [false, true])
    func aCrashBeforeTheFirstCopyLeavesTheBeginning(isLatest: Bool) async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 2)
        let sender = try producer(cluster)
        let (ledger, records) = (Ledger(), MemoryRecords())
        if !isLatest { try await sender.produce(numbers(0..<500)) }
        let first = Member("a", cluster, ledger, records: records) {
            $0.startFrom = isLatest ? .latest : .earliest
            $0.revokeTimeout = .milliseconds(500)
        }
        try await soon("it has begun") { first.source.status.partitions.count == 2 && records.names.count == 4 }
        if isLatest { try await sender.produce(numbers(0..<500)) }
        try await soon("all read") { ledger.count == 500 }
        try await soon("committed") { first.source.status.partitions.allSatisfy { $0.committed == $0.position } }
        first.engine.die()
        records.isDown = true
        await first.stop()
        records.isDown = false
        let second = Member("b", cluster, ledger, records: records) { $0.startFrom = isLatest ? .latest : .earliest }
        try await sender.produce(numbers(500..<700))
        try await soon("all read again") { ledger.count(of: "b") == 700 }
        await second.stop()
        #expect(ledger.entries.allSatisfy { $0.before == $0.offset })
        #expect(Set(ledger.entries).count == 700)
    }

    @Test func aPartitionThatGoesWhileItIsPreparedLeavesNothing() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 2)
        let sender = try producer(cluster)
        let (ledger, records) = (Ledger(), MemoryRecords())
        try await sender.produce(numbers(0..<200))
        let first = Member("a", cluster, ledger, records: records)
        try await soon("all read") { ledger.count == 200 }
        await first.stop()
        let engine = FakeEngine("b", ledger)
        engine.adoptSlowly()
        let second = Member("b", cluster, ledger, records: records, engine: engine)
        try await soon("both have come in") { engine.adopted.count == 2 }
        await second.stop()
        // Otherwise its sensors would fall silent in an engine to which nobody brings their readings.
        #expect(Set(engine.forgotten) == Set(engine.adopted))
        #expect(engine.positions.isEmpty)
        let third = Member("c", cluster, ledger, records: records)
        try await sender.produce(numbers(200..<300))
        try await soon("all read") { ledger.count == 300 }
        await third.stop()
        ledger.expectExact(300)
    }

    @Test func aLateCopyDoesNotCoverWhatWasGivenUp() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let sender = try producer(cluster)
        let (ledger, records) = (Ledger(), MemoryRecords())
        try await sender.produce(numbers(0..<100))
        let member = Member("a", cluster, ledger, records: records) { $0.checkpointInterval = .milliseconds(50) }
        try await soon("all read") { ledger.count == 100 }
        records.holdsCopies = true
        try await soon("a copy is on its way") { records.heldCopies > 0 }
        let stopping = Task { await member.stop() }
        // Time for the state to be given up before its copy, if it were.
        try? await Task.sleep(for: .milliseconds(300))
        records.holdsCopies = false
        await stopping.value
        #expect(records.givenUp == ["kafka/g/t/0": true])
    }

    /// What its own spool says counts when nobody has gone on since.
    @Test func aRestartKeepsItsOwnState() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 2)
        let sender = try producer(cluster)
        let (ledger, records) = (Ledger(), MemoryRecords())
        try await sender.produce(numbers(0..<1000))
        let first = Member("a", cluster, ledger, records: records) {
            $0.revokeTimeout = .milliseconds(100)
        }
        try await soon("all read") { ledger.count == 1000 }
        first.engine.die()
        records.isDown = true
        await first.stop()
        records.isDown = false
        try await sender.produce(numbers(1000..<1100))
        let second = Member(
            "a", cluster, ledger, records: records, positions: first.engine.positions, engine: first.engine)
        try await soon("all read") { ledger.count >= 1100 }
        await second.stop()
        ledger.expectExact(1100)
        #expect(first.engine.adopted.isEmpty)
    }

    /// Bytes that are no state: said, and read on from the group's offset.
    @Test func aDamagedStateStopsNothing() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let sender = try producer(cluster)
        let ledger = Ledger()
        for data in [[], [1], [0, 1, 0x41, 1, 0xFF], [UInt8](repeating: 0xFF, count: 40)] as [[UInt8]] {
            let records = MemoryRecords()
            try await records.records.save(
                CheckpointRecord(
                    name: "kafka/g/t/0", sequence: .max >> 1, created: Timestamp(nanoseconds: 0),
                    format: "kafka-partition/1", data: data))
            let count = ledger.count
            try await sender.produce(numbers(0..<100))
            let member = Member("a", cluster, ledger, records: records)
            try await soon("all read") { ledger.count == count + 100 }
            #expect(member.problems.contains("cannot be taken up"))
            await member.stop()
        }
        #expect(ledger.places.count == 400)
    }

    @Test(.enabled(if: MockCluster.joinsSoon, "this mock cluster has no short sessions"))
    func aSlowStoreHoldsItsMembership() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 3)
        let sender = try producer(cluster)
        let ledger = Ledger()
        let value = [UInt8](repeating: 0x31, count: 1000)
        try await sender.produce((0..<6000).map { KafkaRecord(topic: "t", key: Array("\($0)".utf8), value: value) })
        let engine = FakeEngine("a", ledger)
        engine.isOpen = false
        let member = Member("a", cluster, ledger, engine: engine) {
            $0.pendingBytes = 1 << 20
            $0.batchBytes = 1 << 16
            $0.holdTime = .milliseconds(50)
            $0.connection.properties["session.timeout.ms"] = "1000"
            $0.connection.properties["heartbeat.interval.ms"] = "200"
            $0.connection.properties["max.poll.interval.ms"] = "1200"
        }
        try await soon("it is full") { member.source.status.partitions.contains { $0.isPaused } }
        // Longer than the group would wait for a member that does not poll.
        try await Task.sleep(for: .milliseconds(2500))
        #expect(member.source.status.partitions.count == 3)
        #expect(member.source.status.partitions.allSatisfy { $0.committed == nil })
        // Each of the three may reach the limit while the others are paused, and was given a batch on top.
        #expect(engine.largestPending <= 3 * ((1 << 20) + (1 << 16)))
        engine.isOpen = true
        try await soon("all read") { ledger.count == 6000 }
        try await soon("all committed") {
            member.source.status.partitions.allSatisfy { $0.lag == 0 && $0.committed == $0.position && !$0.isPaused }
        }
        await member.stop()
        ledger.expectExact(6000)
        #expect(member.problems.all == [])
    }

    @Test(.enabled(if: MockCluster.joinsSoon, "this mock cluster has no short sessions"))
    func brokersThatAreAwayAreWaitedFor() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 2)
        let sender = try producer(cluster)
        try await sender.produce(numbers(0..<500))
        try cluster.setUp(false)
        let (ledger, records) = (Ledger(), MemoryRecords())
        let member = Member("a", cluster, ledger, records: records) {
            $0.connection.properties["session.timeout.ms"] = "1500"
            $0.connection.properties["reconnect.backoff.max.ms"] = "200"
        }
        try await soon("it says why") { member.source.status.reason != nil }
        #expect(member.source.status.connection == .connecting)
        try cluster.setUp(true)
        try await soon("all read") { ledger.count == 500 }
        #expect(member.source.status.connection == .connected)
        // Away for longer than the session: the group is left and joined again, with the same state.
        try cluster.setUp(false)
        try await soon("it is seen") { member.source.status.connection == .disconnected }
        try await soon("the partitions are lost") { member.problems.contains("went on without") }
        try cluster.setUp(true)
        try await sender.produce(numbers(500..<1000))
        try await soon("all read") { ledger.count >= 1000 }
        #expect(member.notes.contains("answers again"))
        await member.stop()
        ledger.expectExact(1000)
    }

    @Test func tombstonesLongMessagesAndKeys() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let sender = try producer(cluster)
        let long = [UInt8](repeating: 0x78, count: 10_000_000)
        try await sender.produce([
            KafkaRecord(topic: "t", value: Array("1".utf8)), KafkaRecord(topic: "t", key: [0x6B], value: nil),
            KafkaRecord(topic: "t", value: []), KafkaRecord(topic: "t", value: Array("4".utf8)),
        ])
        try await sender.produce([KafkaRecord(topic: "t", value: long)])
        try await sender.produce([KafkaRecord(topic: "t", value: Array("6".utf8))])
        let ledger = Ledger()
        let member = Member("a", cluster, ledger) { $0.key = .sensor }
        try await soon("all read") { ledger.count == 4 }
        try await soon("all committed") { member.source.status.partitions.first?.committed == 6 }
        await member.stop()
        #expect(ledger.entries.map(\.value) == [1, 4, 10_000_000, 6])
        #expect(ledger.entries.map(\.offset) == [0, 3, 4, 5])
        #expect(member.source.status.tombstones == 1)
    }

    @Test func whatTheBrokerDeletedIsSaid() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let sender = try producer(cluster)
        // Random, or compression would leave nothing of it.
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10 {
            let value = (0..<112_500).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
            try await sender.produce([KafkaRecord(topic: "t", value: value)])
        }
        let ledger = Ledger()
        let path = KafkaSource.positionPath(source: "plant", TopicPartition("t", 0))
        let member = Member(
            "a", cluster, ledger, positions: [path: ReadPosition(path: path, device: 0, number: 0, next: 1)])
        try await soon("the rest is read") { ledger.entries.last?.offset == 9 }
        await member.stop()
        let missed = Int64(member.source.status.missed)
        #expect(missed > 0)
        #expect(ledger.entries.first?.offset == 1 + missed)
        #expect(member.problems.contains("retention is too short"))
    }

    @Test func aTopicThatWasMadeAnewIsReadFromItsStart() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let sender = try producer(cluster)
        try await sender.produce(numbers(0..<10))
        let ledger = Ledger()
        let path = KafkaSource.positionPath(source: "plant", TopicPartition("t", 0))
        let member = Member(
            "a", cluster, ledger, positions: [path: ReadPosition(path: path, device: 0, number: 0, next: 5000)])
        try await soon("all read") { ledger.count == 10 }
        try await soon("committed") { member.source.status.partitions.first?.committed == 10 }
        await member.stop()
        #expect(member.problems.contains("made anew or cut off"))
    }

    @Test func aSpareProcessSaysSo() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let ledger = Ledger()
        let first = Member("a", cluster, ledger)
        try await soon("the first has it") { first.partitions == 1 }
        let second = Member("b", cluster, ledger)
        try await soon("the second has none") {
            second.source.status.isSpare != first.source.status.isSpare
                && first.partitions + second.partitions == 1
        }
        let spare = second.source.status.isSpare ? second : first
        #expect(spare.source.status.sentence.contains("no partition for this process"))
        try await soon("it is said") { spare.notes.contains("stands by") }
        await first.stop()
        await second.stop()
    }

    @Test func latestReadsWhatComesOnly() async throws {
        let cluster = try MockCluster()
        try cluster.create("x-1", partitions: 1)
        let sender = try producer(cluster)
        try await sender.produce(numbers(0..<100, topic: "x-1"))
        let ledger = Ledger()
        let member = Member("a", cluster, ledger, topics: ["^x-.*"]) { $0.startFrom = .latest }
        try await soon("it reads") { member.source.status.partitions.first?.end == 100 }
        try await sender.produce(numbers(100..<150, topic: "x-1"))
        try await soon("the new ones came") { ledger.count == 50 }
        await member.stop()
        #expect(ledger.entries.first?.offset == 100)
    }

    @Test func badSettingsAreRefusedInTheLibrarysWords() async throws {
        let cluster = try MockCluster()
        func failure(_ properties: [String: String]) async -> String {
            let member = Member("a", cluster, Ledger()) { $0.connection.properties = properties }
            guard case .failure(let error) = await member.result() else { return "" }
            return "\(error)"
        }
        let unknown = await failure(["no.such.property": "1"])
        #expect(unknown.contains("properties.no.such.property") && unknown.contains("No such configuration property"))
        let bad = await failure(["fetch.min.bytes": "many"])
        #expect(bad.contains("properties.fetch.min.bytes") && bad.contains("Invalid value"))
        #expect(await failure(["enable.auto.commit": "true"]).contains("is set by the program"))
        let secret = await failure(["sasl.password": "hunter2", "security.protocol": "hunter2"])
        #expect(secret.contains("***") && !secret.contains("hunter2"))
    }
}
