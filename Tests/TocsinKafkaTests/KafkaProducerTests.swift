import Testing
import TocsinCore
import TocsinKafka

@Suite(.serialized, .enabled(if: MockCluster.version != nil, "librdkafka is not installed"))
struct KafkaProducerTests {
    @Test func sendsInOrderWithinAKey() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 4)
        let sender = try producer(cluster)
        var receipts: [KafkaDelivery] = []
        for part in 0..<50 { receipts.append(try await sender.send(numbers(part * 1000..<(part + 1) * 1000))) }
        for receipt in receipts { try await receipt.wait() }
        #expect(sender.pending == 0)
        let ledger = Ledger()
        let member = Member("a", cluster, ledger)
        try await soon("all read") { ledger.count == 50_000 }
        await member.stop()
        var last: [Int: Double] = [:]
        for entry in ledger.entries.sorted(by: { ($0.partition, $0.offset) < ($1.partition, $1.offset) }) {
            let key = Int(entry.value) % 97
            #expect(entry.value > last[key] ?? -1)
            last[key] = entry.value
        }
        await sender.close()
        await #expect(throws: TocsinError.self) { try await sender.produce(numbers(0..<1)) }
    }

    @Test func columnsAreSentAsTheyStand() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let sender = try producer(cluster)
        let bytes = Array("k112k23".utf8)
        let delivery = try await sender.send(
            topic: "t", bytes: bytes, keys: [ByteRange(offset: 0, length: 2), ByteRange(offset: 4, length: 2)],
            values: [ByteRange(offset: 2, length: 2), ByteRange(offset: 6, length: 1)])
        try await delivery.wait()
        let ledger = Ledger()
        let member = Member("a", cluster, ledger)
        try await soon("all read") { ledger.count == 2 }
        await member.stop()
        #expect(ledger.entries.map(\.value) == [12, 3])
        await sender.close()
    }

    @Test func whatCannotBeSentSaysWhetherToTryAgain() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let small = try producer(cluster, ["message.max.bytes": "1000"])
        do {
            try await small.produce([KafkaRecord(topic: "t", value: [UInt8](repeating: 1, count: 5000))])
            Issue.record("it was taken")
        } catch let error as TocsinError {
            #expect(!error.isRetriable && error.message.contains("larger than allowed"))
        }
        await small.close()
        let hasty = try producer(cluster, ["message.timeout.ms": "2000"])
        try await hasty.produce(numbers(0..<1))
        try cluster.setUp(false)
        do {
            try await hasty.produce(numbers(1..<2))
            Issue.record("it was delivered")
        } catch let error as TocsinError {
            #expect(error.isRetriable)
        }
        try cluster.setUp(true)
        await hasty.close()
    }
}
