internal import Synchronization
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode

/// Takes the batches of a file and sends their messages when they are due.
///
/// `@unchecked Sendable`: one file source after the other hands over to it, each from one task.
final class SendDelivery: BatchDelivery, @unchecked Sendable {
    /// Stands for the time of messages that have none.
    static let noTime = Timestamp(nanoseconds: .min)

    private let outlet: SendOutlet
    private let options: SendRun.Options
    private let faults: SendFaults
    private let clock: any WallClock
    private let begun = ContinuousClock.now
    private let firstStamp: Timestamp
    private var pacer: ReplayPacer
    private var path = ""
    private var table = SeriesTable()
    private var writer = MessageWriter(mapping: InputMapping())
    private var defaultSensor: String?
    private var seen = 0
    private var sent = 0
    private var pass = 0
    private var lastStamp: Timestamp?
    // The chunk under construction.
    private var lines: [UInt8] = []
    private var messages: [ByteRange] = []
    private var names: [UInt8] = []
    private var nameOfSensor: [UInt32: ByteRange] = [:]
    private var sensors: [ByteRange] = []
    private let chunkMessages: Int
    private static let chunkBytes = 256 << 10
    /// Messages due within this are sent together.
    private static let together: Int64 = 2_000_000
    private static let tick: Int64 = 1000

    init(_ outlet: SendOutlet, options: SendRun.Options, faults: SendFaults, clock: any WallClock) {
        self.outlet = outlet
        self.options = options
        self.faults = faults
        self.clock = clock
        firstStamp = clock.now()
        chunkMessages = outlet.sink.wants.chunkMessages
        pacer = ReplayPacer(speed: options.speed, rate: options.rate, longestPause: options.longestPause)
    }

    var hasSent: Bool { sent > 0 }

    func beginFile(_ path: String, mapping: InputMapping, table: SeriesTable) {
        self.path = path
        self.table = table
        defaultSensor = mapping.defaultSensor
        writer = MessageWriter(mapping: mapping)
        pacer.beginFile()
    }

    func endPass() { pass += 1 }

    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        if pass == 0 { note(batch) }
        let isRow = !batch.header.isEmpty || !Self.opensObject(batch)
        let added = defaultSensor.flatMap { name in table.withIndex { $0.sensor(named: name) } }
        var previous: ByteRange?
        for event in 0..<batch.eventCount {
            // Several readings may come of one message.
            guard batch.payloads[event] != previous else { continue }
            previous = batch.payloads[event]
            seen += 1
            guard seen > options.skip else { continue }
            if options.limit > 0, sent >= options.limit {
                try await flush()
                throw SendLimitReached()
            }
            let time = batch.times[event] == Self.noTime ? nil : batch.times[event]
            let due = pacer.due(time)
            if due > 0 { try await wait(for: due) }
            let sensor = batch.sensors[event]
            let start = lines.count
            writer.append(
                batch.payloads[event], of: batch, isRow: isRow, sensor: sensor == added ? defaultSensor : nil,
                time: stamp(due), pass: options.isRestamped && pass > 0 ? pass : nil, to: &lines)
            messages.append(ByteRange(offset: start, length: lines.count - start - 1))
            sensors.append(name(of: sensor))
            sent += 1
            if messages.count >= chunkMessages || lines.count >= Self.chunkBytes { try await flush() }
        }
        // A batch is not held back for one that may come much later.
        if options.speed > 0 { try await flush() }
        return Nothing()
    }

    /// Sends what has been gathered.
    func flush() async throws {
        guard !messages.isEmpty else { return }
        let chunk =
            outlet.sink.wants.messages
            ? ReadingChunk(lines: lines, messages: messages, names: names, sensors: sensors)
            : ReadingChunk(text: lines, count: messages.count)
        lines.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        sensors.removeAll(keepingCapacity: true)
        nameOfSensor.removeAll(keepingCapacity: true)
        try await outlet.send(chunk)
    }

    private func wait(for due: Int64) async throws {
        var now = (ContinuousClock.now - begun).wholeNanoseconds
        guard due > now + Self.together else { return }
        try await flush()
        now = (ContinuousClock.now - begun).wholeNanoseconds
        if due > now { try await Task.sleep(for: .nanoseconds(due - now)) }
    }

    /// The time a message gets; each later than the one before, so that two of a sensor are never taken for one.
    private func stamp(_ due: Int64) -> Timestamp? {
        guard options.isRestamped else { return nil }
        let wanted =
            options.speed > 0 ? firstStamp.advanced(by: Span64(nanoseconds: due)) : clock.now()
        let least = lastStamp.map { $0.advanced(by: Span64(nanoseconds: Self.tick)) }
        let stamp = max(wanted, least ?? wanted)
        lastStamp = stamp
        return stamp
    }

    private func name(of sensor: SensorID) -> ByteRange {
        if let known = nameOfSensor[sensor.index] { return known }
        let text = table.withIndex { $0.name(sensor) }
        let start = names.count
        names += text.utf8
        let range = ByteRange(offset: start, length: names.count - start)
        nameOfSensor[sensor.index] = range
        return range
    }

    /// Counts what cannot be read, fields of messages that are sent all the same left out.
    private func note(_ batch: Batch) {
        guard !batch.rejects.isEmpty else { return }
        let readable = Set(batch.payloads)
        for reject in batch.rejects where !readable.contains(reject.payload) {
            faults.add("\(path): \(reject.detail)")
        }
    }

    private static func opensObject(_ batch: Batch) -> Bool {
        guard let first = batch.payloads.first else { return true }
        let range = first.range.clamped(to: batch.bytes.indices)
        return batch.bytes[range].first { $0 > 0x20 } == UInt8(ascii: "{")
    }

    private struct Nothing: DeliveryReceipt {
        func wait() async throws -> DeliverySummary { DeliverySummary() }
    }
}

/// Messages that were not sent.
final class SendFaults: Sendable {
    private let state = Mutex((count: 0, first: String?.none))

    var count: Int { state.withLock { $0.count } }
    var first: String? { state.withLock { $0.first } }

    func add(_ text: String) {
        state.withLock { state in
            state.count += 1
            if state.first == nil { state.first = text }
        }
    }
}

extension Duration {
    /// Rounded down; no longer than 64 bits hold.
    fileprivate var wholeNanoseconds: Int64 {
        let (scaled, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : scaled &+ components.attoseconds / 1_000_000_000
    }
}
