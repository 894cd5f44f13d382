import Testing
import TocsinCore
import TocsinEngine
import TocsinTestKit

/// What validation makes of refused readings: one letter for each message and reason, all of them counted.
@Suite struct ValidatorTests {
    private static let start = Timestamp(seconds: 1_760_000_000)
    private let table = SeriesTable(seed: 1)
    private let store = MemoryStore()

    private func run(
        _ batch: Batch, excerpt: LetterExcerpt? = nil
    ) async throws -> (letters: [DeadLetter], summary: DeliverySummary) {
        var settings = EngineSettings(shards: 1, isLive: false)
        settings.validation.excerpt = excerpt
        let engine = Engine(
            settings: settings, table: table, store: store,
            clock: HandClock(Self.start.advanced(by: .days(1))))
        let work = Task { try await engine.run() }
        let summary = try await engine.enqueue(batch).wait()
        engine.finish()
        try await work.value
        let letters = store.outcomes.flatMap(\.deadLetters)
        #expect(letters.map(\.readings).reduce(0, +) == summary.deadLettered)
        #expect(engine.metrics.snapshot.deadLettersByReason.values.reduce(0, +) == UInt64(summary.deadLettered))
        return (letters, summary)
    }

    /// A batch of one message of `bytes` bytes behind two others.
    private func batch(bytes: Int, header: String = "") -> (batch: Batch, payload: ByteRange) {
        let origin = Origin(
            source: SourceID(0), sourceName: "test", position: 1000, received: Self.start.advanced(by: .days(1)))
        var batch = Batch(origin: origin)
        batch.bytes = [UInt8](repeating: UInt8(ascii: "x"), count: bytes + 20)
        batch.header = Array(header.utf8)
        return (batch, ByteRange(offset: 20, length: bytes))
    }

    @Test func aMessageWithManyBadFieldsIsKeptOnce() async throws {
        var (batch, payload) = batch(bytes: 400_000, header: "a,b\n")
        for field in 0..<30_000 {
            batch.rejects.append(
                Reject(reason: .notANumber, detail: "Line 2 has the field `f\(field)`.", payload: payload))
        }
        let (letters, summary) = try await run(batch)
        #expect(summary.deadLettered == 30_000)
        let letter = try #require(letters.first)
        #expect(letters.count == 1)
        #expect(letter.readings == 30_000)
        #expect(letter.payload.count == 400_004)
        #expect(letter.position == 1020)
        #expect(
            letter.detail
                == "Line 2 has the field `f0`; Line 2 has the field `f1`; Line 2 has the field `f2`; and 29,997 more")
    }

    @Test func eachMessageAndEachReasonHasItsLetter() async throws {
        var (batch, payload) = batch(bytes: 10)
        let other = ByteRange(offset: 0, length: 10)
        for (reason, payload) in [
            (DeadLetterReason.notANumber, payload), (.cardinality, payload), (.notANumber, payload),
            (.cardinality, payload), (.notANumber, other),
        ] { batch.rejects.append(Reject(reason: reason, detail: "It is wrong.", payload: payload)) }
        let (letters, _) = try await run(batch)
        #expect(letters.map(\.reason) == [.notANumber, .cardinality, .notANumber])
        #expect(letters.map(\.readings) == [2, 2, 1])
        #expect(letters.map(\.position) == [1020, 1020, 1000])
        // The same words once, and no count of others.
        #expect(letters.allSatisfy { $0.detail == "It is wrong." })
    }

    @Test func readingsOutOfRangeShareALetterOfTheirEvent() async throws {
        var builder = BatchBuilder(table: table, received: Self.start.advanced(by: .days(1)))
        builder.add("a", at: Self.start, ["temperature": 500, "humidity": -1, "pressure": 900])
        builder.add("b", at: Self.start, ["temperature": 501, "humidity": 50])
        builder.add("c", at: Self.start.advanced(by: .days(30)), ["temperature": 500, "humidity": -1])
        let (letters, summary) = try await run(builder.take())
        #expect(summary.stored == 2)
        #expect(summary.deadLettered == 5)
        #expect(letters.map(\.reason) == [.outOfRange, .outOfRange, .future])
        #expect(letters.map(\.readings) == [2, 1, 2])
        #expect(
            letters.first?.detail
                == "temperature of a is 500, outside its valid range -50 to 120; "
                + "humidity of a is -1, outside its valid range 0 to 100")
        #expect(letters.last?.detail.hasSuffix("in the future; is the device's clock right?") == true)
    }

    /// Short rows under a header of a megabyte: the batch must not become a hundred times its size.
    @Test func aLongHeaderIsNotKeptWithoutEnd() async throws {
        var (batch, _) = batch(bytes: 400, header: String(repeating: "h", count: 1 << 20))
        for row in 0..<200 {
            batch.rejects.append(
                Reject(reason: .malformed, detail: "row \(row)", payload: ByteRange(offset: row * 2, length: 1)))
        }
        let (letters, _) = try await run(batch)
        #expect(letters.count == 200)
        #expect(letters.map(\.payload.count).reduce(0, +) <= (64 << 20) + 200)
        #expect(letters.first?.payload.count == (1 << 20) + 1)
        #expect(letters.last?.payload == [UInt8(ascii: "x")])
        #expect(letters.last?.detail.contains("header") == true)
    }

    /// Lines of a body whose clock is wrong: a letter each would be many times its size.
    @Test func veryManyRefusedLinesShareLetters() async throws {
        var builder = BatchBuilder(table: table, received: Self.start)
        for line in 0..<5000 { builder.add("a", at: Self.start.advanced(by: .days(3)), ["v": Double(line), "w": 1]) }
        let (letters, summary) = try await run(builder.take(received: Self.start))
        #expect(summary.deadLettered == 10_000)
        #expect((1000..<1020).contains(letters.count))
        let shared = try #require(letters.last)
        #expect(shared.payload.count <= 64 << 10 && shared.readings > 2)
        #expect(shared.detail.hasSuffix("; one letter for \(shared.readings) that were refused"), "\(shared.detail)")
        // Nothing is left out.
        #expect(letters.map { $0.payload.count { $0 == UInt8(ascii: "{") } }.reduce(0, +) == 5000)
    }

    @Test func aRejectOfManyMessagesIsCountedAsMany() async throws {
        var (batch, payload) = batch(bytes: 300)
        batch.rejects = [Reject(reason: .malformed, detail: "Line 2 is none.", payload: payload, count: 30_000)]
        let (letters, summary) = try await run(batch)
        #expect(summary.deadLettered == 30_000)
        #expect(letters.map(\.readings) == [30_000])
        #expect(letters.first?.detail == "Line 2 is none; one letter for 30,000 that were refused")
    }

    /// Two messages of many refused parts each, the second dated by its broker.
    private func messages(_ parts: Int) -> Batch {
        let (batch, payload) = batch(bytes: 1000)
        var messages = MessageBatch()
        messages.payloads = [ByteRange(offset: 0, length: 20), payload]
        messages.envelopes = [MessageEnvelope(topic: "t")]
        messages.times = [Timestamp(nanoseconds: 0), Self.start]
        var full = batch
        full.messages = messages
        full.messageStarts = [0, 20]
        for part in 0..<parts {
            for (offset, reason) in [(0, DeadLetterReason.badTime), (20, .badTime), (20, .notANumber)] {
                let place = ByteRange(offset: offset + part % 10, length: 1 + part / 10)
                full.rejects.append(Reject(reason: reason, detail: "Row \(part).", payload: place))
            }
        }
        return full
    }

    @Test func partsThatAreKeptAsTheirWholeMessageShareALetter() async throws {
        let batch = messages(30)
        let (letters, summary) = try await run(batch) { _, parts, _ in parts.map { _ in .whole } }
        #expect(summary.deadLettered == 90)
        #expect(letters.map(\.reason) == [.badTime, .badTime, .notANumber])
        #expect(letters.map(\.readings) == [30, 30, 30])
        #expect(letters.map(\.payload.count) == [20, 1000, 1000])
        #expect(letters.map(\.position) == [1000, 1001, 1001])
        #expect(letters.allSatisfy { $0.detail == "Row 0; Row 1; Row 2; and 27 more" })
        #expect(letters.first?.source == "test:t")
    }

    @Test func aLetterHasTheTimeOfItsMessage() async throws {
        let batch = messages(1)
        let (letters, _) = try await run(batch)
        #expect(letters.map(\.received) == [batch.origin.received, Self.start, Self.start])
    }

    /// Retention goes by the arrival, also for what waited at the broker.
    @Test func aLetterOfABacklogSaysTheTimeOfItsMessageBesideItsOwn() async throws {
        var batch = messages(1)
        batch.origin.sourceName = "plant:t/3"
        let (letters, _) = try await run(batch)
        #expect(letters.map(\.received) == Array(repeating: batch.origin.received, count: 3))
        let own = "plant:t/3@\(Self.start.nanoseconds / 1_000_000)"
        #expect(letters.map(\.source) == ["plant:t/3", own, own])
    }

    @Test func aLetterOfAMessageThatCameAtOnceHasItsTime() async throws {
        var batch = messages(1)
        batch.origin.sourceName = "plant:t/3"
        batch.origin.received = Self.start.advanced(by: .seconds(50))
        let (prompt, _) = try await run(batch)
        #expect(prompt.map(\.received) == [batch.origin.received, Self.start, Self.start])
        #expect(prompt.allSatisfy { $0.source == "plant:t/3" })
    }

    @Test(arguments: [("a/b/pump-9.csv", "test:pump-9.csv"), ("test", "test"), ("-", "test")])
    func aLetterNamesItsFile(path: String, source: String) async throws {
        var (batch, payload) = batch(bytes: 10)
        batch.origin.resume = ReadPosition(path: path, device: 0, number: 1, next: 30)
        batch.rejects.append(Reject(reason: .malformed, detail: "It is wrong.", payload: payload))
        let (letters, _) = try await run(batch)
        #expect(letters.map(\.source) == [source])
    }
}
