internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

/// Serves one topic from the output spool: many messages under way, each key in its order.
struct OutputLane {
    private struct Flight {
        var mark: OutputMark
        var records: [KafkaRecord]
        var size: Int
        var delivery: KafkaDelivery
    }

    /// The output ends: what is not sent stays in the spool.
    private struct Over: Error {}

    private let output: KafkaOutput
    private let kind: OutputKind
    private var flights: [Flight] = []
    private var flightBytes = 0
    /// How many messages of the kind were read, by their totals.
    private var read: UInt64 = 0
    /// Read from the spool at once, and under way at most.
    private static let readBytes = 512 << 10
    private static let windowBytes = 8 << 20
    private static let windowFlights = 64

    init(_ output: KafkaOutput, _ kind: OutputKind) {
        self.output = output
        self.kind = kind
    }

    private var isOver: Bool { output.isOver.load(ordering: .acquiring) }

    /// Returns after `finish` when nothing waits, or when the output is over.
    mutating func run() async {
        var wakes = output.wakes[kind.index].makeAsyncIterator()
        var failures = 0
        while !isOver {
            if output.isIdle(kind) {
                if await wakes.next() == nil, output.isIdle(kind) { return }
                continue
            }
            do {
                try await sendAll()
                failures = 0
            } catch is Over {
                break
            } catch {
                output.note(failure: "\(error)", of: kind)
                await land()
                failures += 1
                await pause(failures)
            }
        }
        await land()
    }

    /// Waits for the answers to all that is under way, whatever they say.
    private mutating func land() async {
        for flight in flights { try? await flight.delivery.wait() }
        flights = []
        flightBytes = 0
    }

    private func pause(_ failures: Int) async {
        let rounds = min(1 << min(failures, 6), 50)
        for _ in 0..<rounds where !isOver { try? await Task.sleep(for: .milliseconds(100)) }
    }

    // MARK: Sending

    /// From behind what is done to the end.
    private mutating func sendAll() async throws {
        let done = output.marks(kind).done
        read = done.messages
        let reader = output.spool.read(from: done.sequence &+ 1)
        while true {
            if isOver { throw Over() }
            var isAtEnd = false
            while !isAtEnd, flights.count < Self.windowFlights, flightBytes < Self.windowBytes {
                let appended = output.marks(kind).appended
                let found = try await reader.nextRecords(limit: Self.readBytes)
                for problem in reader.takeProblems() { output.observer.problem(problem) }
                isAtEnd = found.isEmpty
                try await send(found)
                if isAtEnd, flights.isEmpty {
                    // What is missing was damaged, and named.
                    output.advance(kind, to: appended, sent: 0)
                    if output.isIdle(kind) { return }
                    isAtEnd = false
                }
            }
            try await settleFirst()
        }
    }

    private mutating func send(_ found: [SpoolRecord]) async throws {
        var records: [KafkaRecord] = []
        var mark: OutputMark?
        var size = 0
        // What stands before was carried forward, and comes again behind.
        let begin = output.marks(kind).done.sequence
        for record in found where record.sequence > begin {
            guard let head = OutputBlock(headOf: record.payload, sequence: record.sequence) else {
                output.observer.problem(
                    "record \(record.sequence) of the output spool is no block of results; it was skipped")
                continue
            }
            guard head.kind == kind else { continue }
            mark = head.totals[kind.index]
            guard var block = OutputBlock(record.payload, sequence: record.sequence) else {
                output.refuse(
                    kind, Int(clamping: head.count),
                    "record \(record.sequence) of the output spool is damaged; its \(head.count) results were skipped")
                continue
            }
            block.skip(through: read)
            read = head.totals[kind.index].messages
            size += record.payload.count
            for message in block.messages { records.append(message.record(kind, topic: block.topic)) }
        }
        guard let mark else { return }
        let delivery = try await hand(records)
        flights.append(Flight(mark: mark, records: records, size: size, delivery: delivery))
        flightBytes += size
    }

    private func hand(_ records: [KafkaRecord]) async throws -> KafkaDelivery {
        guard let producer = output.producer else { throw Over() }
        do {
            return try await producer.send(records)
        } catch {
            if isOver { throw Over() }
            // The client is beyond help, or was closed with another lane's failure.
            if (error as? TocsinError)?.isRetriable == false { output.renew(producer) }
            throw error
        }
    }

    /// Waits for the answer to what has been under way longest.
    private mutating func settleFirst() async throws {
        guard let first = flights.first else { return }
        do {
            try await first.delivery.wait()
            flights.removeFirst()
            flightBytes -= first.size
            output.advance(kind, to: first.mark, sent: first.records.count)
        } catch {
            if isOver { throw Over() }
            // What follows may have arrived: it is sent again behind this, so that the last of each key is the last.
            let failed = flights
            await land()
            for flight in failed {
                let refused = try await resend(flight.records[...])
                output.advance(kind, to: flight.mark, sent: flight.records.count - refused)
            }
        }
    }

    /// Sends until the brokers have all of them, for ever; what they refuse for good is found by halves.
    /// - Returns: how many were refused.
    private func resend(_ records: ArraySlice<KafkaRecord>) async throws -> Int {
        var failures = 0
        while true {
            if isOver { throw Over() }
            let failure: any Error
            do {
                try await hand(Array(records)).wait()
                return 0
            } catch {
                failure = error
            }
            if failure is Over || isOver { throw Over() }
            guard Refusal.isOne(failure) else {
                output.note(failure: "\(failure)", of: kind)
                failures += 1
                await pause(failures)
                continue
            }
            guard records.count > 1 else {
                output.refuse(
                    kind, records.count,
                    "Kafka refuses a result of \(records.first?.value?.count ?? 0) bytes for good; it is left out: \(failure)"
                )
                return records.count
            }
            let middle = records.startIndex + records.count / 2
            return try await resend(records[..<middle]) + resend(records[middle...])
        }
    }
}

/// Answers of brokers that sending again cannot change: they concern the message, not the connection.
enum Refusal {
    /// The client library's own names, with which the sentence ends.
    private static let names = ["MSG_SIZE_TOO_LARGE", "INVALID_MSG", "INVALID_RECORD", "INVALID_MSG_SIZE"]

    static func isOne(_ error: any Error) -> Bool {
        guard let error = error as? TocsinError else { return false }
        return names.contains { error.message.hasSuffix("(\($0))") }
    }
}
