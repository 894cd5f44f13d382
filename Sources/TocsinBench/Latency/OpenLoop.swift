internal import TocsinCore
internal import TocsinMeasure

/// Sends requests at fixed times over several connections and measures from the time at which each was due, on one
/// thread: a request that waits for a free connection, or for this sender, counts as late (no coordinated omission, see
/// G. Tene, "How NOT to measure latency").
struct OpenLoop {
    /// Everything measured, in nanoseconds.
    struct Measurements {
        /// Due until the whole answer is here.
        var acknowledgement = OpenLoop.histogram()
        /// Due until the anomaly event of a spike is here.
        var verdict = OpenLoop.histogram()
        /// Due until the readings event of a watched sensor is here.
        var live = OpenLoop.histogram()
        /// Due until a webhook was told of the alarm that a spike raised.
        var webhook = OpenLoop.histogram()
        /// Due until the first byte was sent.
        var lateness = OpenLoop.histogram()
        var requests = 0
        var refused = 0
        var firstRefusal: String?
        var spikes = 0
        var gaps = 0
        var cpuNanoseconds: Int64 = 0
        var wallNanoseconds: Int64 = 0
    }

    static func histogram() -> HdrHistogram { HdrHistogram(lowest: 1000, highest: 3_600_000_000_000) }

    private struct Connection {
        var socket: ClientSocket
        var request: [UInt8] = []
        var sent = 0
        var due: Int64?
        var answer = HTTPAnswer()
        var body: [UInt8] = []
    }

    private let settings: LatencySettings
    private let address: HTTPAddress
    private var connections: [Connection] = []
    private var idle: [Int] = []
    private let live: ClientSocket
    private var liveAnswer = HTTPAnswer()
    private var liveEvents = EventStream()
    private var receiver: AlertReceiver?
    private var plan: ProbePlan
    private var writer: RequestWriter
    private var prepared: [UInt8] = []
    private var measurements = Measurements()
    private var readiness = Readiness()
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var measuredFrom: Int64 = 0
    private static let watched = 8
    /// Few of them in idle mode, which sends little: each must send often enough to send spikes.
    private static let trained = 64
    /// An alarm for each spike takes more of them.
    private static let trainedForWebhook = 256
    /// For what is on its way when the last request has been sent.
    private static let patience: Int64 = 3_000_000_000

    /// Connects; nothing is sent yet but the wish to follow the watched sensors.
    /// - Throws: `TocsinError(.network)`.
    init(settings: LatencySettings, address: HTTPAddress, receiver: AlertReceiver? = nil) throws(TocsinError) {
        self.settings = settings
        self.address = address
        self.receiver = receiver
        let run = MachineClock.wall() / 1_000_000
        plan = ProbePlan(
            run: run, watched: Self.watched,
            trained: settings.isIdle ? 2 : receiver == nil ? Self.trained : Self.trainedForWebhook,
            isAlone: settings.isIdle)
        writer = RequestWriter(address: address, sensors: settings.sensors, run: run)
        live = try ClientSocket(to: address)
        for _ in 0..<settings.connections { connections.append(Connection(socket: try ClientSocket(to: address))) }
        idle = Array(connections.indices.reversed())
    }

    /// Trains, warms up, sends and waits for the rest.
    /// - Throws: `TocsinError(.network)` when the server refuses the training or goes away.
    mutating func run(progress: ProgressLine?) throws(TocsinError) -> Measurements {
        progress?("training the probe sensors")
        try train()
        try follow()
        let interval = 1e9 / settings.requestRate
        let warmUp = Int64(settings.warmUpSeconds * 1e9)
        let total = Int((settings.warmUpSeconds + settings.seconds) * settings.requestRate)
        let begun = MachineClock.monotonic() + 50_000_000
        let wallOffset = MachineClock.wall() - MachineClock.monotonic()
        measuredFrom = begun + warmUp
        var next = 0
        var allSent: Int64?
        var told = begun
        let cpu = MachineClock.threadCPU()
        func due(_ number: Int) -> Int64 { begun + Int64(Double(number) * interval) }
        prepare(due: due(0), wallOffset)
        while true {
            let now = MachineClock.monotonic()
            while next < total, due(next) <= now, let free = idle.popLast() {
                start(free, due: due(next))
                next += 1
                if next < total { prepare(due: due(next), wallOffset) }
            }
            if next == total {
                let waited = now - (allSent ?? now)
                allSent = allSent ?? now
                let isAnswered = idle.count == connections.count
                if isAnswered, plan.outstanding == 0 || waited > Self.patience { break }
                if waited > 10 * Self.patience { break }
            }
            let wakeUp = next < total && !idle.isEmpty ? due(next) : now + 5_000_000
            try pump(until: min(wakeUp, now + 5_000_000))
            if now - told > 500_000_000 {
                told = now
                progress?("request \(Figure.grouped(next)) of \(Figure.grouped(total))")
            }
        }
        measurements.cpuNanoseconds = MachineClock.threadCPU() - cpu
        measurements.wallNanoseconds = MachineClock.monotonic() - begun
        measurements.spikes = plan.spikesSent
        return measurements
    }

    private mutating func prepare(due: Int64, _ wallOffset: Int64) {
        let microseconds = (due + wallOffset) / 1000
        let probes = plan.next(due: due, milliseconds: microseconds / 1000)
        writer.write(
            readings: settings.readingsPerRequest, probes: probes, microseconds: microseconds, to: &prepared)
    }

    private mutating func start(_ number: Int, due: Int64) {
        swap(&connections[number].request, &prepared)
        connections[number].sent = 0
        connections[number].due = due
        connections[number].answer = HTTPAnswer()
        connections[number].body.removeAll(keepingCapacity: true)
        if due >= measuredFrom {
            measurements.lateness.record(MachineClock.monotonic() - due)
            measurements.requests += 1
        }
        push(number)
    }

    private mutating func push(_ number: Int) {
        let request = connections[number].request
        guard connections[number].sent < request.count else { return }
        if case .bytes(let count) = connections[number].socket.send(request[connections[number].sent...]) {
            connections[number].sent += count
        }
    }

    /// Waits for what comes in until `time` at most, and takes it.
    private mutating func pump(until time: Int64) throws(TocsinError) {
        readiness.removeAll()
        readiness.add(live, isWriting: false)
        for connection in connections {
            readiness.add(connection.socket, isWriting: connection.sent < connection.request.count)
        }
        receiver?.add(to: &readiness)
        readiness.wait(nanoseconds: time - MachineClock.monotonic())
        for number in connections.indices {
            if readiness.canWrite(number + 1) { push(number) }
            if readiness.canRead(number + 1) { try receive(number) }
        }
        if readiness.canRead(0) { try receiveLive() }
        receiveAlerts()
    }

    private mutating func receive(_ number: Int) throws(TocsinError) {
        switch connections[number].socket.receive(into: &buffer) {
        case .wait: return
        case .closed: throw Self.lost(address)
        case .bytes(let count):
            var body = connections[number].body
            connections[number].body = []
            _ = connections[number].answer.take(buffer[..<count], into: &body)
            connections[number].body = body
        }
        if connections[number].answer.isBroken { throw Self.lost(address) }
        guard connections[number].answer.isComplete, let due = connections[number].due else { return }
        let answer = connections[number].answer.status
        if answer != 202 {
            measurements.refused += 1
            if measurements.firstRefusal == nil {
                measurements.firstRefusal = "\(answer): \(String(decoding: connections[number].body, as: UTF8.self))"
            }
        } else if due >= measuredFrom {
            measurements.acknowledgement.record(MachineClock.monotonic() - due)
        }
        connections[number].due = nil
        idle.append(number)
    }

    private mutating func receiveAlerts() {
        guard let raised = receiver?.take(readiness, from: 1 + connections.count), !raised.isEmpty else { return }
        let now = MachineClock.monotonic()
        for (sensor, time) in raised {
            guard let due = plan.takeAlertDue(sensor, milliseconds: time), due >= measuredFrom else { continue }
            measurements.webhook.record(now - due)
        }
    }

    private mutating func receiveLive() throws(TocsinError) {
        switch live.receive(into: &buffer) {
        case .wait: return
        case .closed: throw Self.lost(address)
        case .bytes(let count):
            var body: [UInt8] = []
            _ = liveAnswer.take(buffer[..<count], into: &body)
            guard !liveAnswer.isBroken, !liveAnswer.isComplete else { throw Self.lost(address) }
            let now = MachineClock.monotonic()
            for event in liveEvents.take(body) { take(event, at: now) }
        }
    }

    private mutating func take(_ event: EventStream.Event, at now: Int64) {
        switch event.name {
        case "readings":
            guard let (sensor, times) = LiveProbes.readings(event.data) else { return }
            for time in times {
                guard let due = plan.takeDue(sensor, milliseconds: time), due >= measuredFrom else { continue }
                measurements.live.record(now - due)
            }
        case "anomaly":
            guard let (sensor, time) = LiveProbes.anomaly(event.data),
                let due = plan.takeDue(sensor, milliseconds: time), due >= measuredFrom
            else { return }
            measurements.verdict.record(now - due)
        case "gap": measurements.gaps += 1
        default: break
        }
    }

    /// Past readings of the trained sensors, so that their detectors know what is usual.
    private mutating func train() throws(TocsinError) {
        let names = plan.probes.filter { $0.role == .trained }.map(\.name)
        let now = MachineClock.wall() / 1000 - 2_000_000
        let count = ProbePlan.trainingReadings
        var first = 0
        while first < count {
            let range = first..<min(count, first + 60)
            writer.writeHistory(names, readings: range, of: count, microseconds: now, to: &prepared)
            try exchange()
            first = range.upperBound
        }
        // The watched ones are known before they are followed.
        writer.writeHistory(plan.watchedNames, readings: 0..<1, of: 1, microseconds: now, to: &prepared)
        try exchange()
    }

    /// One request at a time, waiting for its answer.
    private mutating func exchange() throws(TocsinError) {
        guard let free = idle.popLast() else { return }
        measuredFrom = .max
        start(free, due: 0)
        let end = MachineClock.monotonic() + 30_000_000_000
        while idle.last != free {
            guard MachineClock.monotonic() < end else { throw Self.lost(address) }
            try pump(until: MachineClock.monotonic() + 5_000_000)
        }
        if let refusal = measurements.firstRefusal {
            throw TocsinError(.network, "the server refuses readings: \(refusal)", place: "http://\(address.authority)")
        }
    }

    /// Subscribes to the watched sensors and waits for the stream to begin.
    private mutating func follow() throws(TocsinError) {
        let query = plan.watchedNames.map { "sensor_id=\($0)" }.joined(separator: "&")
        let request = Array("GET /live?\(query) HTTP/1.1\r\nHost: \(address.authority)\r\n\r\n".utf8)
        guard case .bytes(request.count) = live.send(request[...]) else { throw Self.lost(address) }
        let end = MachineClock.monotonic() + 10_000_000_000
        while liveAnswer.status == 0 {
            guard MachineClock.monotonic() < end else { throw Self.lost(address) }
            try pump(until: MachineClock.monotonic() + 5_000_000)
        }
        guard liveAnswer.status == 200 else {
            throw TocsinError(
                .network, "GET /live is answered with \(liveAnswer.status)", place: "http://\(address.authority)")
        }
    }

    private static func lost(_ address: HTTPAddress) -> TocsinError {
        TocsinError(
            .network, "the server has closed the connection or does not answer", place: "http://\(address.authority)",
            remedy: "its own log says why; fewer --connections or a lower --rate may help")
    }
}
