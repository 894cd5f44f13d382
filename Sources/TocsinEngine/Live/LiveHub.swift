internal import Synchronization
public import TocsinCore

/// One server-sent event, serialised once for all subscribers.
public struct LiveEvent: Sendable {
    /// Position in the stream of this process; nil for readings and statistics, which are not resumed.
    public var id: UInt64?
    public var name: String
    public var data: [UInt8]
}

/// One reading with its band as the live charts draw it.
public struct LivePoint: Sendable {
    public var series: SeriesID
    public var time: Timestamp
    public var value: Double
    public var low: Double
    public var high: Double
}

/// What browsers see as it happens. Slow subscribers lose readings, never the engine its pace: each has a bounded
/// buffer, and one that overflows is told by a `gap` event how much it missed.
public final class LiveHub: Sendable {
    private struct State {
        var nextID: UInt64 = 1
        var isFinished = false
        /// The last anomalies and alarm changes, for `Last-Event-ID`.
        var history: [LiveEvent] = []
        var subscribers: [ObjectIdentifier: LiveSubscription] = [:]
        var watched: Set<UInt32> = []
        var pendingPoints: [SeriesID: [LivePoint]] = [:]
        /// Whoever sends the points on.
        var flusher: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let historyLimit: Int
    /// Distinguishes the ids of this process from those of an earlier one.
    public let generation: UInt64
    /// Points of one series between two flushes; more are thinned by taking every n-th.
    private static let pointsPerFlush = 200

    public init(generation: UInt64, historyLimit: Int = 2000) {
        self.generation = generation
        self.historyLimit = historyLimit
    }

    /// Sensors that some screen is showing: shards collect points for these only.
    public var watchedSensors: Set<UInt32> { state.withLock { $0.watched } }

    public var subscriberCount: Int { state.withLock { $0.subscribers.count } }

    /// - Parameters:
    ///   - lastEventID: `generation-id` as a browser sends it back; what it missed is sent first.
    ///   - sensors: names; one that is not known yet is followed from its first reading on.
    public func subscribe(sensors: [String], table: SeriesTable, lastEventID: String?) -> LiveSubscription {
        let subscription = LiveSubscription(names: sensors, table: table)
        state.withLock { state in
            if state.isFinished { return subscription.finish() }
            state.subscribers[ObjectIdentifier(subscription)] = subscription
            state.watched.formUnion(subscription.sensors)
            guard let lastEventID else { return }
            let parts = lastEventID.split(separator: "-")
            guard parts.count == 2, parts[0] == String(generation, radix: 16), let last = UInt64(parts[1]) else {
                subscription.push(LiveEvent(id: nil, name: "gap", data: Array(#"{"missed":null}"#.utf8)))
                return
            }
            if let first = state.history.first?.id, first > last, first - last > 1 {
                let missed = Array("{\"missed\":\(first - last - 1)}".utf8)
                subscription.push(LiveEvent(id: nil, name: "gap", data: missed))
            }
            for event in state.history where (event.id ?? 0) > last { subscription.push(event) }
        }
        return subscription
    }

    public func unsubscribe(_ subscription: LiveSubscription) {
        state.withLock { state in
            state.subscribers[ObjectIdentifier(subscription)] = nil
            state.watched = state.subscribers.values.reduce(into: []) { $0.formUnion($1.sensors) }
        }
        subscription.finish()
    }

    /// Has every connection send a heartbeat.
    public func heartbeat() {
        for subscriber in state.withLock({ Array($0.subscribers.values) }) { subscriber.wake() }
    }

    /// Ends every subscription: the server is shutting down.
    public func finish() {
        let subscribers = state.withLock { state in
            state.isFinished = true
            defer { state.subscribers = [:] }
            return Array(state.subscribers.values)
        }
        for subscriber in subscribers { subscriber.finish() }
    }

    public func publish(anomalies: [Anomaly], alarms: [AlarmChange]) {
        guard !anomalies.isEmpty || !alarms.isEmpty else { return }
        var writer = JSONWriter()
        state.withLock { state in
            for anomaly in anomalies {
                writer.removeAll()
                writer.value(anomaly)
                publish("anomaly", writer.bytes, isNumbered: true, &state)
            }
            for change in alarms {
                writer.removeAll()
                writer.value(change)
                publish("alarm", writer.bytes, isNumbered: true, &state)
            }
            if state.history.count > historyLimit * 2 { state.history.removeFirst(state.history.count - historyLimit) }
        }
    }

    /// Something for every screen that is out of date a second later ("stats", "sensors").
    public func publish(name: String, data: [UInt8]) {
        state.withLock { publish(name, data, isNumbered: false, &$0) }
    }

    public func add(points: [LivePoint]) {
        guard !points.isEmpty else { return }
        let flusher = state.withLock { state in
            for point in points { state.pendingPoints[point.series, default: []].append(point) }
            defer { state.flusher = nil }
            return state.flusher
        }
        flusher?.resume()
    }

    /// Suspends until there are points to flush, or the task is cancelled. One caller at a time.
    public func waitForPoints() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    if Task.isCancelled || !state.pendingPoints.isEmpty { return true }
                    state.flusher = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            let flusher = state.withLock { state in
                defer { state.flusher = nil }
                return state.flusher
            }
            flusher?.resume()
        }
    }

    /// Sends the points that came in since the last flush to the screens that show their sensors.
    public func flushPoints(table: SeriesTable) {
        let pending = state.withLock { state in
            for subscriber in state.subscribers.values where subscriber.resolve(table) {
                state.watched.formUnion(subscriber.sensors)
            }
            defer { state.pendingPoints = [:] }
            return state.pendingPoints
        }
        guard !pending.isEmpty else { return }
        var writer = JSONWriter()
        for (series, points) in pending.sorted(by: { $0.key.index < $1.key.index }) {
            let (sensor, name, metric, unit) = table.withIndex { index in
                let sensor = index.sensor(of: series)
                return (sensor, index.name(sensor), index.name(index.metric(of: series)), index.unit(of: series))
            }
            writer.removeAll()
            Self.write(points, sensor: name, metric: metric, unit: unit, to: &writer)
            let event = LiveEvent(id: nil, name: "readings", data: writer.bytes)
            let interested = state.withLock { state in
                state.subscribers.values.filter { $0.sensors.contains(sensor.index) }
            }
            for subscriber in interested { subscriber.push(event) }
        }
    }

    private func publish(_ name: String, _ data: [UInt8], isNumbered: Bool, _ state: inout State) {
        var event = LiveEvent(id: nil, name: name, data: data)
        if isNumbered {
            event.id = state.nextID
            state.nextID += 1
            state.history.append(event)
        }
        for subscriber in state.subscribers.values { subscriber.push(event) }
    }

    private static func write(
        _ points: [LivePoint], sensor: String, metric: String, unit: String?, to writer: inout JSONWriter
    ) {
        let step = max(1, points.count / pointsPerFlush)
        writer.object {
            $0.field("sensor_id", sensor)
            $0.field("metric", metric)
            $0.field("unit", unit)
            $0.key("points")
            $0.array { list in
                for index in stride(from: (points.count - 1) % step, to: points.count, by: step) {
                    let point = points[index]
                    list.array {
                        $0.value(point.time.nanoseconds / 1_000_000)
                        $0.value(point.value)
                        $0.value(point.low)
                        $0.value(point.high)
                    }
                }
            }
        }
    }
}
