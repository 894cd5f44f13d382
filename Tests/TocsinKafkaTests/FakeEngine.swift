import Synchronization
import Testing
import TocsinCore
import TocsinKafka

/// What all engines of a test have judged.
final class Ledger: Sendable {
    struct Entry: Sendable, Hashable {
        var partition: String
        var offset: Int64
        /// How many messages of its partition came before it, by the state that goes along: equal to the offset where
        /// nothing was lost, doubled or forgotten.
        var before: Int64
        var value: Double
    }
    private let state = Mutex<[(engine: String, entry: Entry)]>([])

    func add(_ entries: [Entry], _ engine: String) { state.withLock { $0 += entries.map { (engine, $0) } } }
    var entries: [Entry] { state.withLock { $0.map(\.entry) } }
    var count: Int { state.withLock { $0.count } }
    func count(of engine: String) -> Int { state.withLock { $0.filter { $0.engine == engine }.count } }
    var places: Set<String> { Set(entries.map { "\($0.partition)@\($0.offset)" }) }

    /// Every message once, each behind all that were before it.
    func expectExact(_ count: Int, _ place: SourceLocation = #_sourceLocation) {
        #expect(self.count == count, sourceLocation: place)
        #expect(places.count == count, sourceLocation: place)
        #expect(entries.filter { $0.before != $0.offset }.prefix(3).isEmpty, sourceLocation: place)
    }
}

/// An engine that only counts: durable when the gate is open.
final class FakeEngine: BatchDelivery, SensorHandover {
    private struct State {
        var counts: [SourceID: Int64] = [:]
        var resume: [SourceID: ReadPosition] = [:]
        var isOpen = true
        var pendingBytes = 0
        var largestPending = 0
        var forgotten: [SourceID] = []
        var adopted: [SourceID] = []
        var failsToForget = false
        var adoptsSlowly = false
        var batches = 0
    }
    struct Receipt: DeliveryReceipt {
        let engine: FakeEngine
        let bytes: Int
        func wait() async throws -> DeliverySummary {
            while !engine.isOpen { try await Task.sleep(for: .milliseconds(2)) }
            engine.done(bytes)
            return DeliverySummary()
        }
    }

    let name: String
    let ledger: Ledger
    private let state = Mutex(State())

    init(_ name: String, _ ledger: Ledger) {
        self.name = name
        self.ledger = ledger
    }

    var isOpen: Bool {
        get { state.withLock { $0.isOpen } }
        set { state.withLock { $0.isOpen = newValue } }
    }
    var largestPending: Int { state.withLock { $0.largestPending } }
    var batches: Int { state.withLock { $0.batches } }
    var adopted: [SourceID] { state.withLock { $0.adopted } }
    var forgotten: [SourceID] { state.withLock { $0.forgotten } }
    /// What comes is in, and its spool takes long.
    func adoptSlowly() { state.withLock { $0.adoptsSlowly = true } }
    /// The process is dead: what it is told to do about its state has no effect.
    func die() { state.withLock { $0.failsToForget = true } }
    var positions: [String: ReadPosition] {
        state.withLock { Dictionary($0.resume.values.map { ($0.path, $0) }) { $1 } }
    }
    fileprivate func done(_ bytes: Int) { state.withLock { $0.pendingBytes -= bytes } }

    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        let entries = state.withLock { state -> [Ledger.Entry] in
            state.batches += 1
            state.pendingBytes += batch.bytes.count
            state.largestPending = max(state.largestPending, state.pendingBytes)
            var count = state.counts[batch.origin.source] ?? 0
            var entries: [Ledger.Entry] = []
            for event in 0..<batch.eventCount {
                entries.append(
                    Ledger.Entry(
                        partition: batch.origin.sourceName.split(separator: ":").last.map(String.init) ?? "",
                        offset: batch.place(of: batch.payloads[event], in: batch.origin), before: count,
                        value: batch.values[event]))
                count += 1
            }
            state.counts[batch.origin.source] = count
            state.resume[batch.origin.source] = batch.origin.resume
            return entries
        }
        ledger.add(entries, name)
        return Receipt(engine: self, bytes: batch.bytes.count)
    }

    func transfer(of source: SourceID, isGivenUp: Bool) async throws -> SensorTransfer {
        state.withLock { state in
            var writer = StateWriter()
            writer.write(state.counts[source] ?? 0)
            return SensorTransfer(position: state.resume[source], bytes: writer.bytes)
        }
    }

    func adopt(_ transfer: SensorTransfer, as source: SourceID) async throws {
        var reader = StateReader(transfer.bytes)
        guard let count = reader.read(Int64.self) else { throw TocsinError(.format, "no transfer") }
        state.withLock {
            $0.counts[source] = count
            $0.resume[source] = transfer.position
            $0.adopted.append(source)
        }
        while state.withLock({ $0.adoptsSlowly }) { try await Task.sleep(for: .milliseconds(2)) }
    }

    func forget(_ source: SourceID) async throws {
        state.withLock {
            guard !$0.failsToForget else { return }
            $0.counts[source] = nil
            $0.resume[source] = nil
            $0.forgotten.append(source)
        }
    }
}

/// Every message with a payload is one event; its value is the number in it, or its length.
struct NumberDecoder: MessageDecoding {
    mutating func decode(_ messages: MessageBatch, origin: Origin, table: SeriesTable) -> Batch {
        var batch = Batch(origin: origin)
        batch.bytes = messages.bytes
        batch.messageStarts = messages.payloads.map(\.offset)
        let (sensor, series) = table.withIndex { index -> (SensorID?, SeriesID?) in
            guard let sensor = index.sensor("s".utf8.span), let metric = index.metric("m".utf8.span) else {
                return (nil, nil)
            }
            return (sensor, index.series(sensor, metric))
        }
        guard let sensor, let series else { return batch }
        for (number, payload) in messages.payloads.enumerated() where payload.length > 0 {
            let text = String(decoding: messages.bytes[payload.range].prefix(20), as: UTF8.self)
            batch.series.append(series)
            batch.values.append(Double(text) ?? Double(payload.length))
            batch.appendEvent(
                sensor: sensor, time: messages.times[number], key: 0, payload: payload, label: .none)
        }
        return batch
    }
}

/// Records of partitions in memory, shared by the processes of a test.
final class MemoryRecords: Sendable {
    private let state = Mutex<[String: CheckpointRecord]>([:])
    private let counts = Mutex<[String: Int]>([:])
    private let fails = Mutex(false)
    private let copies = Mutex((areHeld: false, held: 0, last: [String: Bool]()))

    /// Copies are saved, but late, whatever becomes of the task that wants them saved.
    var holdsCopies: Bool {
        get { copies.withLock { $0.areHeld } }
        set { copies.withLock { $0.areHeld = newValue } }
    }
    var heldCopies: Int { copies.withLock { $0.held } }
    /// By record: whether what was saved last was given up.
    var givenUp: [String: Bool] { copies.withLock { $0.last } }

    private func hold() async {
        copies.withLock { $0.held += 1 }
        await Task.detached { while self.holdsCopies { try? await Task.sleep(for: .milliseconds(2)) } }.value
    }

    var isDown: Bool {
        get { fails.withLock { $0 } }
        set { fails.withLock { $0 = newValue } }
    }
    var names: [String] { state.withLock { $0.keys.sorted() } }
    /// How often each was saved.
    var saves: [String: Int] { counts.withLock { $0 } }
    func newest(_ name: String) -> CheckpointRecord? { state.withLock { $0[name] } }

    var records: PartitionRecords {
        PartitionRecords(
            save: { record in
                if self.isDown { throw TocsinError(.store, "down", isRetriable: true) }
                let isState = record.format.hasPrefix("kafka-partition")
                let isGivenUp = isState && record.data.first == 1
                if isState, !isGivenUp, self.holdsCopies { await self.hold() }
                if isState { self.copies.withLock { $0.last[record.name] = isGivenUp } }
                self.state.withLock {
                    if ($0[record.name]?.sequence ?? 0) <= record.sequence { $0[record.name] = record }
                }
                self.counts.withLock { $0[record.name, default: 0] += 1 }
            },
            newest: { name in
                if self.isDown { throw TocsinError(.store, "down", isRetriable: true) }
                return self.newest(name)
            })
    }
}

/// True until somebody says otherwise.
final class Flag: Sendable {
    private let state = Mutex(true)
    var value: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// A source with its engine, running.
final class Member: Sendable {
    let engine: FakeEngine
    let source: KafkaSource
    let problems = Texts()
    let notes = Texts()
    private let task: Task<Void, any Error>

    final class Texts: Sendable {
        private let texts = Mutex<[String]>([])
        func add(_ text: String) { texts.withLock { $0.append(text) } }
        var all: [String] { texts.withLock { $0 } }
        func contains(_ word: String) -> Bool { all.contains { $0.contains(word) } }
    }

    init(
        _ name: String, _ cluster: MockCluster, _ ledger: Ledger, topics: [String] = ["t"],
        records: MemoryRecords? = nil, positions: [String: ReadPosition] = [:], engine: FakeEngine? = nil,
        change: (inout KafkaSourceSettings) -> Void = { _ in }
    ) {
        let engine = engine ?? FakeEngine(name, ledger)
        self.engine = engine
        var settings = KafkaSourceSettings(brokers: cluster.brokers, group: "g", topics: topics)
        settings.connection.library = MockCluster.path
        settings.connection.properties = MockCluster.membership
        settings.commitInterval = .milliseconds(50)
        settings.lookInterval = .milliseconds(200)
        change(&settings)
        let (problems, notes) = (problems, notes)
        source = KafkaSource(
            name: "plant", settings: settings, table: SeriesTable(), clock: SystemClock(), positions: positions,
            handover: records == nil ? nil : engine, records: records?.records,
            observer: KafkaObserver(problem: { problems.add($0) }, note: { notes.add($0) }),
            identify: { SourceID(UInt16(clamping: $0.partition)) }, makeDecoder: { NumberDecoder() })
        let source = source
        task = Task.detached { try await source.run(delivery: engine) }
    }

    var partitions: Int { source.status.partitions.count }

    /// Ends it orderly.
    func stop() async { task.cancel(); _ = await task.result }
    func result() async -> Result<Void, any Error> { await task.result }
}

func producer(_ cluster: MockCluster, _ properties: [String: String] = [:]) throws -> KafkaProducer {
    var settings = KafkaSettings(brokers: cluster.brokers)
    settings.library = MockCluster.path
    settings.properties = properties
    return try KafkaProducer(settings)
}

func numbers(_ range: Range<Int>, topic: String = "t") -> [KafkaRecord] {
    range.map { KafkaRecord(topic: topic, key: Array("k\($0 % 97)".utf8), value: Array("\($0)".utf8)) }
}
