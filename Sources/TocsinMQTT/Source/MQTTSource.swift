internal import NIOCore
internal import NIOPosix
internal import Synchronization
public import TocsinCore

/// Messages of an MQTT broker, 3.1.1 or 5, as readings.
///
/// A message of QoS 1 or 2 is acknowledged only when it is durable. At most `window` are unacknowledged, and while the
/// engine is full nothing is read, so that the pressure reaches the broker. A lost connection is made anew for ever; the
/// broker keeps what comes meanwhile when the session is persistent. What comes twice all the same (after a kill of this
/// process or of the broker) is recognised by the engine if its events carry an id or a time of their own.
public final class MQTTSource: Source {
    public let name: String
    private let core: SourceCore
    private let decoder: any MessageDecoding
    private let table: SeriesTable
    private let identity: SourceID
    private let onDecoded: (@Sendable (inout any MessageDecoding) -> [MQTTMessage])?
    private let sleep: @Sendable (Duration) async throws -> Void
    private let failure = Mutex<(any Error)?>(nil)
    /// Batches handed over whose receipts are awaited.
    private static let inFlight = 256
    private static let farewellTime = Duration.seconds(5)

    /// Throws what is wrong with the settings or the TLS files; connects in `run` only.
    /// - Parameters:
    ///   - onDecoded: asked after each batch what is to be published (Sparkplug: requests for rebirth).
    ///   - observe: told of connections, refusals and notes; called on the network's thread, must not wait.
    public init(
        name: String, settings: MQTTSettings, subscription: SubscriptionSettings, decoder: any MessageDecoding,
        table: SeriesTable, identity: SourceID, clock: any WallClock,
        onDecoded: (@Sendable (inout any MessageDecoding) -> [MQTTMessage])? = nil,
        observe: @escaping @Sendable (MQTTEvent) -> Void = { _ in },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) throws(TocsinError) {
        try subscription.validate(clientID: settings.clientID)
        self.name = name
        self.decoder = decoder
        self.table = table
        self.identity = identity
        self.onDecoded = onDecoded
        self.sleep = sleep
        let clientID = settings.clientID ?? "tocsin-" + StableHash.hex(.random(in: 0 ... .max))
        let connector = try BrokerConnector(settings, loop: MultiThreadedEventLoopGroup.singleton.next())
        core = SourceCore(
            settings, subscription, clientID: clientID, connector: connector, clock: clock, observe: observe)
    }

    public var status: MQTTStatus { core.status.withLock { $0 } }

    /// Publishes on the source's connection; what cannot be sent now, because there is none, is not sent.
    public func publish(_ message: MQTTMessage) {
        core.loop.execute { self.core.publish(message) }
    }

    public func run(delivery: any BatchDelivery) async throws {
        let receipts = Handoff<Pending>()
        // Both are awaited below; not children, because after a cancellation they finish what has been received.
        let delivering = Task { await deliver(to: delivery, receipts) }
        let acknowledging = Task { await acknowledge(receipts) }
        do {
            try await connectForEver()
        } catch {
            core.fail()
            let limit = Task {
                try? await Task.sleep(for: Self.farewellTime)
                delivering.cancel()
                acknowledging.cancel()
            }
            await delivering.value
            await acknowledging.value
            limit.cancel()
            await core.farewell()
            throw failure.withLock { $0 } ?? error
        }
    }

    private func connectForEver() async throws {
        var attempt = 0
        while true {
            let begun = SystemClock.monotonicNanoseconds
            let closure = await core.serve()
            try Task.checkCancellation()
            guard let closure, failure.withLock({ $0 == nil }) else { throw CancellationError() }
            if wasOfUse(closure, since: begun) { attempt = 0 }
            let delay =
                (closure.wantsOlderVersion || closure.wantsLowerQoS) && attempt == 0
                ? .zero : core.settings.backoff.delay(attempt: attempt, share: .random(in: 0...1))
            attempt += 1
            core.setState(.waiting)
            let now = core.clock.now()
            core.status.withLock {
                $0.lastError = closure.text
                $0.lastErrorAt = now
                $0.isSubscriptionAlive = false
            }
            core.observe(.disconnected(reason: closure.text, retryAfter: delay))
            try await sleep(delay)
        }
    }

    /// After a connection that was of use the waits begin short again. One that brought messages for a second was, unless
    /// another client took its place: two of one id would drive each other out for ever. 3.1.1 does not say which of both
    /// it was.
    private func wasOfUse(_ closure: LinkClosure, since begun: Int64) -> Bool {
        let lived = SystemClock.monotonicNanoseconds - begun
        let status = status
        let isProved = status.isSubscriptionAlive == true && status.version == .v5 && !closure.isTakenOver
        return lived > (isProved ? 1_000_000_000 : 10_000_000_000)
    }

    // MARK: Delivery

    private struct Pending: Sendable {
        /// nil: there was nothing to store.
        var receipt: (any DeliveryReceipt)?
        var deliveries: [Delivery]
    }

    private func deliver(to delivery: any BatchDelivery, _ receipts: Handoff<Pending>) async {
        defer { receipts.finish() }
        var decoder = decoder
        do {
            while let gathered = await core.batches.take() {
                core.roomAppeared()
                try await prepare(&decoder, gathered.messages)
                let origin = Origin(
                    source: identity, sourceName: name, position: gathered.first, received: gathered.received)
                let batch = decoder.decode(gathered.messages, origin: origin, table: table)
                if let onDecoded {
                    for message in onDecoded(&decoder) { publish(message) }
                }
                // A sensor that goes away sends no reading.
                let receipt =
                    batch.inputCount > 0 || batch.eventCount > 0 ? try await delivery.enqueue(batch) : nil
                receipts.give(Pending(receipt: receipt, deliveries: gathered.deliveries))
                await receipts.waitForRoom(Self.inFlight)
            }
        } catch {
            fail(error)
        }
    }

    /// A registry that is away is waited for: meanwhile nothing is read.
    private func prepare(_ decoder: inout any MessageDecoding, _ messages: MessageBatch) async throws {
        var attempt = 0
        while true {
            do {
                return try await decoder.prepare(for: messages)
            } catch let error as TocsinError where error.isRetriable {
                core.observe(.note("messages cannot be decoded for now: \(error.description)"))
                try await sleep(core.settings.backoff.delay(attempt: attempt, share: .random(in: 0...1)))
                attempt += 1
            }
        }
    }

    private func acknowledge(_ receipts: Handoff<Pending>) async {
        while let pending = await receipts.take() {
            do {
                try await pending.receipt?.durable()
                core.settle(pending.deliveries)
            } catch let error as TocsinError where error.isRetriable {
                core.abandon(pending.deliveries, "messages could not be made durable: \(error.message)")
            } catch {
                fail(error)
                // Nobody takes any more: who gives must not wait for room.
                receipts.finish()
                return
            }
        }
    }

    private func fail(_ error: any Error) {
        failure.withLock { if $0 == nil { $0 = error } }
        core.fail()
    }
}
