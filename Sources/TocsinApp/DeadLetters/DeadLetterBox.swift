public import Logging
public import TocsinConfiguration
public import TocsinCore
internal import TocsinEngine
internal import TocsinKafka

/// `tocsin dead-letters`: looks at what was refused, and sends it again once the cause is mended.
public struct DeadLetterBox: Sendable {
    public struct Outcome: Sendable {
        public var sent = 0
        /// Accepted now, or known already: these letters are gone.
        public var accepted = 0
        /// Refused once more: these letters are still there.
        public var refused = 0
    }

    private let configuration: TocsinConfiguration
    private static let page = 500

    public init(configuration: TocsinConfiguration) { self.configuration = configuration }

    /// Newest first. Works beside a running tocsin.
    public func list(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter] {
        try await reading { try await $0.deadLetters(reason: reason, limit: limit, offset: offset) }
    }

    public func counts() async throws -> [DeadLetterReason: Int] {
        try await reading { try await $0.deadLetterCounts() }
    }

    /// - Throws: `TocsinError(.usage)` when there is no letter of that number.
    public func letter(_ id: Int64) async throws -> DeadLetter {
        guard let letter = try await reading({ try await $0.deadLetter(id: id) }) else {
            throw TocsinError(
                .usage, "there is no dead letter \(id)", place: StoreAccess(configuration).place,
                remedy: "tocsin dead-letters list shows the numbers")
        }
        return letter
    }

    /// Sends letters through the engine again, oldest first; those of which everything is in now are removed, the others
    /// stay as they were.
    /// - Parameters:
    ///   - ids: which ones; nil = all of `reason`, or all.
    /// - Throws: when another tocsin holds the data folder: stop it first, or the two would not know of each other.
    public func replay(ids: [Int64]?, reason: DeadLetterReason?, logger: Logger) async throws -> Outcome {
        let pipeline = try await Pipeline(
            configuration: configuration, isLive: false, tellsAlerts: false, usesSpool: false, clock: SystemClock(),
            logger: logger, sendsResults: true)
        let engine = pipeline.engine
        let work = Task { try await engine.run() }
        let sending = Task { await pipeline.output?.run() }
        let outcome: Result<Outcome, any Error>
        do {
            outcome = .success(try await replay(chosen(ids, reason, pipeline.store), through: pipeline))
        } catch {
            outcome = .failure(error)
        }
        engine.finish()
        let end = await work.result
        pipeline.output?.finish()
        await sending.value
        if let waiting = pipeline.output?.status.waiting, waiting > 0 {
            logger.warning("\(waiting) results wait for Kafka; tocsin run sends them")
        }
        let closing: (any Error)?
        do {
            try await pipeline.close()
            closing = nil
        } catch { closing = error }
        let sent = try outcome.get()
        try end.get()
        if let closing { throw closing }
        return sent
    }

    private func replay(_ ids: [Int64], through pipeline: Pipeline) async throws -> Outcome {
        let sender = LetterSender(configuration: configuration, pipeline: pipeline)
        let last = try await pipeline.store.lastDeadLetterID()
        var outcome = Outcome()
        for id in ids {
            guard let letter = try await pipeline.store.deadLetter(id: id) else { continue }
            outcome.sent += 1
            if try await sender.send(letter) {
                outcome.accepted += 1
                try await pipeline.output?.flush()
                try await pipeline.store.removeDeadLetters(ids: [id])
            } else {
                outcome.refused += 1
                // What the engine wrote about it now says the same as the letter that stays, in words of today.
                try await pipeline.store.removeDeadLetters(after: last)
            }
        }
        return outcome
    }

    /// Numbers only: the messages themselves are read one at a time.
    private func chosen(_ ids: [Int64]?, _ reason: DeadLetterReason?, _ store: any Store) async throws -> [Int64] {
        if let ids {
            for id in ids where try await store.deadLetter(id: id) == nil {
                throw TocsinError(.usage, "there is no dead letter \(id)", place: StoreAccess(configuration).place)
            }
            return ids
        }
        var chosen: [Int64] = []
        while true {
            let page = try await store.deadLetters(reason: reason, limit: Self.page, offset: chosen.count)
            chosen += page.map(\.id)
            if page.count < Self.page { return chosen.reversed() }
        }
    }

    private func reading<Result>(_ body: (any Store) async throws -> Result) async throws -> Result {
        try await StoreAccess(configuration).reading(body)
    }
}
