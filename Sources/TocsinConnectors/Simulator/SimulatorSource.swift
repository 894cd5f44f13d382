public import TocsinCore
public import TocsinDecode
public import TocsinSimulator

/// The simulator as a live source: its bytes take the same way as anybody's, through the decoder.
public struct SimulatorSource: Source {
    public let name: String
    private let settings: SimulatorSettings
    private let decoding: DecoderSettings
    private let table: SeriesTable
    private let identity: SourceID
    private let clock: any WallClock
    private let speed: Double
    private let history: Span64
    private let maxEvents: Int
    private let batchEvents: Int
    private let sleep: @Sendable (Duration) async throws -> Void
    private static let step = Duration.milliseconds(50)

    /// - Parameters:
    ///   - speed: times real time; 0 = as fast as the engine takes it. When the simulated time catches up with the
    ///     clock it goes on in real time, because readings from the future would be refused.
    ///   - history: this much is delivered at once before pacing begins.
    ///   - maxEvents: 0 = without end.
    public init(
        name: String, settings: SimulatorSettings, decoding: DecoderSettings, table: SeriesTable, identity: SourceID,
        clock: any WallClock, speed: Double = 1, history: Span64 = .seconds(0), maxEvents: Int = 0,
        batchEvents: Int = 1024,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.name = name
        self.settings = settings
        self.decoding = decoding
        self.table = table
        self.identity = identity
        self.clock = clock
        self.speed = speed
        self.history = history
        self.maxEvents = maxEvents
        self.batchEvents = batchEvents
        self.sleep = sleep
    }

    public func run(delivery: any BatchDelivery) async throws {
        var simulator = try Simulator(settings)
        var decoder = decoding.makeDecoder()
        let begun = clock.now()
        let first = simulator.nextTime.advanced(by: history)
        var sent = 0
        var receipts: [any DeliveryReceipt] = []
        while maxEvents == 0 || sent < maxEvents {
            try Task.checkCancellation()
            let now = clock.now()
            var limit = now
            if speed > 0 {
                let elapsed = now.since(begun).seconds * speed * 1e9
                limit = min(now, first.advanced(by: Span64(nanoseconds: Int64(min(elapsed, 9e18)))))
            }
            let wanted = maxEvents == 0 ? batchEvents : min(batchEvents, maxEvents - sent)
            var bytes: [UInt8] = []
            let chunk = simulator.next(into: &bytes, maxEvents: wanted, until: limit)
            guard chunk.events > 0 else {
                try await sleep(Self.step)
                continue
            }
            let origin = Origin(source: identity, sourceName: name, position: Int64(sent), received: now)
            sent += chunk.events
            let batch = decoder.decode(chunk: bytes, origin: origin, table: table)
            receipts.append(try await delivery.enqueue(batch))
            if receipts.count > 16 { _ = try await receipts.removeFirst().wait() }
        }
        for receipt in receipts { _ = try await receipt.wait() }
    }
}
