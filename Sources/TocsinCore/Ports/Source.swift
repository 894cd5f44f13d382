/// Something that delivers batches: file, folder, HTTP, simulator, later Kafka and MQTT.
///
/// `run` decodes and hands over until its input ends or its task is cancelled. `BatchDelivery.enqueue` suspends while the
/// engine is full (back-pressure); a source awaits the receipts before it tells its own sender that all is well.
public protocol Source: Sendable {
    var name: String { get }
    func run(delivery: any BatchDelivery) async throws
}

/// The engine as its sources see it.
public protocol BatchDelivery: Sendable {
    /// Hands a batch over; suspends while the inbox is full. Stream order is the order of calls.
    /// The receipt is fulfilled when the batch is durable. Throws when the engine has stopped.
    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt
}

/// The acknowledgement that travels with a batch.
public protocol DeliveryReceipt: Sendable {
    /// Suspends until the batch is durable; throws what kept it from becoming so.
    func wait() async throws -> DeliverySummary

    /// Suspends until the batch is durable and no longer: a source acknowledges with this, whatever becomes of the
    /// readings.
    func durable() async throws
}

extension DeliveryReceipt {
    public func durable() async throws { _ = try await wait() }
}

/// What became of the readings of one batch: they add up to the batch's `inputCount`.
public struct DeliverySummary: Sendable, Equatable {
    public var stored = 0
    public var late = 0
    public var duplicate = 0
    public var deadLettered = 0
    /// Durable in the spool, to be judged when their turn comes: what becomes of them is not known yet.
    public var spooled = 0
    /// Why readings were refused: the first ten.
    public var refusals: [Refusal] = []

    public struct Refusal: Sendable, Equatable {
        public var reason: DeadLetterReason
        public var detail: String
        public init(reason: DeadLetterReason, detail: String) {
            self.reason = reason
            self.detail = detail
        }
    }

    public init(stored: Int = 0, late: Int = 0, duplicate: Int = 0, deadLettered: Int = 0, spooled: Int = 0) {
        self.stored = stored
        self.late = late
        self.duplicate = duplicate
        self.deadLettered = deadLettered
        self.spooled = spooled
    }
}
