import Testing
import TocsinCore
import TocsinKafka

struct GroupWatchTests {
    private let partition = TopicPartition("t", 0)

    private func found(
        startsAtEnd: Bool = false, _ looks: [(second: Int64, committed: Int64?, ends: Range<Int64>)]
    ) -> [Int64?] {
        var watch = GroupWatch(patience: .seconds(45), startsAtEnd: startsAtEnd)
        return looks.map { look in
            let seen = [
                partition: GroupWatch.Seen(committed: look.committed, ends: look.ends),
                TopicPartition("t", 1): GroupWatch.Seen(committed: look.second, ends: 0..<look.second + 100),
            ]
            let unread = watch.see(seen, at: look.second * 1_000_000_000)
            #expect(unread == nil || unread?.partition == partition)
            return unread?.messages
        }
    }

    @Test func messagesThatNobodyCommits() {
        #expect(found([(0, 10, 0..<30), (44, 10, 0..<40), (45, 10, 0..<50), (50, 10, 0..<50)]) == [nil, nil, 40, 40])
        // Never committed: from the start, also where that moves.
        #expect(found([(0, nil, 0..<5), (45, nil, 3..<9)]) == [nil, 6])
        // It is over as soon as somebody commits.
        #expect(found([(0, 10, 0..<30), (45, 10, 0..<30), (46, 30, 0..<30), (99, 30, 0..<30)]) == [nil, 20, nil, nil])
    }

    @Test func partitionsThatAreRead() {
        // Slow, but on its way.
        #expect(found([(0, 10, 0..<90), (40, 11, 0..<90), (80, 12, 0..<90)]) == [nil, nil, nil])
        // At its end for long, then new messages.
        #expect(found([(0, 10, 0..<10), (99, 10, 0..<30), (110, 30, 0..<30)]) == [nil, nil, nil])
        // The marker of a transaction is nobody's.
        #expect(found([(0, 10, 0..<11), (99, 10, 0..<11)]) == [nil, nil])
        // Who begins at the end commits nothing before something comes.
        #expect(found(startsAtEnd: true, [(0, nil, 0..<70), (99, nil, 0..<70)]) == [nil, nil])
        #expect(found(startsAtEnd: true, [(0, nil, 0..<70), (9, nil, 0..<80), (54, nil, 0..<80)]) == [nil, nil, 10])
        // A topic that was made anew ends before the position.
        #expect(found([(0, 500, 0..<10), (99, 500, 0..<10)]) == [nil, nil])
    }
}

@Suite(.serialized, .enabled(if: MockCluster.version != nil, "librdkafka is not installed"))
struct GroupTests {
    /// Three join, one leaves, one comes again, under load: with the states handed over, in both protocols.
    @Test(arguments: ["cooperative-sticky", "range"])
    func sharingLosesAndDoublesNothing(strategy: String) async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 6)
        let sender = try producer(cluster)
        let ledger = Ledger()
        let records = MemoryRecords()
        let change: (inout KafkaSourceSettings) -> Void = {
            $0.connection.properties["partition.assignment.strategy"] = strategy
        }
        let goesOn = Flag()
        let load = Task {
            var count = 0
            while goesOn.value {
                try await sender.produce(numbers(count..<count + 200))
                count += 200
                try? await Task.sleep(for: .milliseconds(20))
            }
            return count
        }
        let first = Member("a", cluster, ledger, records: records, change: change)
        try await soon("the first has all") { first.partitions == 6 && ledger.count > 0 }
        let second = Member("b", cluster, ledger, records: records, change: change)
        try await soon("two share") { first.partitions == 3 && second.partitions == 3 }
        let third = Member("c", cluster, ledger, records: records, change: change)
        try await soon("three share") {
            first.partitions == 2 && second.partitions == 2 && third.partitions == 2
        }
        await first.stop()
        try await soon("the two go on") { second.partitions == 3 && third.partitions == 3 }
        let again = Member("a2", cluster, ledger, records: records, change: change)
        try await soon("it is back") { again.partitions == 2 }
        try await soon("all took part") { ["a", "b", "c", "a2"].allSatisfy { ledger.count(of: $0) > 0 } }
        goesOn.value = false
        let count = try await load.value
        try await soon("all read") { ledger.places.count == count }
        for member in [second, third, again] { await member.stop() }
        ledger.expectExact(count)
        #expect(!third.engine.adopted.isEmpty)
        for member in [first, second, third, again] { #expect(member.problems.all == []) }
    }

    @Test func aGroupThatLetsNobodyInIsSaid() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 2)
        try cluster.refuseJoins(true)
        let ledger = Ledger()
        let member = Member("a", cluster, ledger) { $0.groupPatience = .milliseconds(300) }
        let source = member.source
        try await soon("it waits") { source.status.isJoining && source.status.topicPartitions == 2 }
        try await soon("it has waited for long") { source.status.idleness?.cause == .isKeptOut }
        #expect(source.status.connection == .connected && !source.status.isSpare && !source.status.isHealthy)
        #expect(source.status.sentence.contains("the group g has not shared out the 2 partitions"))
        try await soon("it is said") { member.problems.contains("--describe --members --group g") }
        try cluster.refuseJoins(false)
        try await soon("it reads") { member.partitions == 2 }
        try await soon("it is well") { source.status.isHealthy && source.status.idleness == nil }
        try await soon("that is said, too") { member.notes.contains("the group has shared out its partitions") }
        await member.stop()
    }

    /// One has the partition and is stuck: the other one, which stands by, says so. When it is read, all is well.
    @Test func aPartitionThatNobodyReadsIsSaid() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let sender = try producer(cluster)
        let ledger = Ledger()
        let members = ["a", "b"].map {
            Member($0, cluster, ledger) {
                $0.groupPatience = .milliseconds(800)
                $0.lookInterval = .milliseconds(50)
            }
        }
        for member in members { member.engine.isOpen = false }
        try await soon("one has it") {
            members.map(\.partitions).sorted() == [0, 1] && members.contains { $0.source.status.isSpare }
        }
        let spare = try #require(members.first { $0.source.status.isSpare })
        #expect(spare.source.status.isHealthy)
        try await sender.produce(numbers(0..<50))
        try await soon("nobody reads") {
            spare.source.status.idleness?.cause == .nobodyReads(TopicPartition("t", 0), messages: 50)
        }
        #expect(spare.source.status.isSpare && !spare.source.status.isHealthy)
        #expect(spare.source.status.sentence.contains("50 messages wait"))
        try await soon("it is said") { spare.problems.contains("gave t/0 to no process") }
        for member in members { member.engine.isOpen = true }
        try await soon("all is well") { spare.source.status.isHealthy }
        #expect(spare.source.status.sentence.contains("it stands by"))
        // While it is read it stays so.
        let end = ContinuousClock.now + .milliseconds(1200)
        var count = 50
        while ContinuousClock.now < end {
            try await sender.produce(numbers(count..<count + 10))
            count += 10
            try await soon("read") { ledger.count == count }
            #expect(spare.source.status.idleness == nil)
        }
        for member in members { await member.stop() }
    }

    /// Sources of one process may share a group although each has a topic of its own.
    @Test(arguments: ["cooperative-sticky", "range"])
    func oneGroupWithDifferentTopics(strategy: String) async throws {
        let cluster = try MockCluster()
        let sender = try producer(cluster)
        let ledger = Ledger()
        let topics = ["x", "y", "z"]
        for topic in topics {
            try cluster.create(topic, partitions: 1)
            try await sender.produce(numbers(0..<100, topic: topic))
        }
        let members = topics.map { topic in
            Member(topic, cluster, ledger, topics: [topic]) {
                $0.connection.properties["partition.assignment.strategy"] = strategy
            }
        }
        try await soon("each reads its own") { members.allSatisfy { $0.partitions == 1 } }
        try await soon("all read") { ledger.places.count == 300 }
        for member in members {
            #expect(member.source.status.isHealthy)
            await member.stop()
        }
        for topic in topics { #expect(ledger.count(of: topic) == 100) }
    }
}
