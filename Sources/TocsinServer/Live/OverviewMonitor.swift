internal import Synchronization
public import TocsinCore
public import TocsinEngine

/// The figures at the top of the screen: taken once a second, sent to every screen, served at `/api/overview`.
public final class OverviewMonitor: Sendable {
    private struct State {
        var received: UInt64 = 0
        var endedSources: Set<String> = []
        var sampled: Timestamp
        var readingsPerSecond = 0.0
        var storeBytes: Int64 = 0
        var lake: LakeStatus?
        /// Histograms of up to a minute ago, oldest first: the screen shows the recent past, not the whole run.
        var marks: [(taken: Timestamp, latency: Histogram, inference: Histogram)] = []
        var lastSeen: [UInt32: Timestamp] = [:]
        var states: [UInt32: SensorState] = [:]
    }

    private let engine: Engine
    private let store: any Store
    private let clock: any WallClock
    let started: Timestamp
    /// Brokers and alert channels.
    public let connectors: ConnectorBoard
    private let state: Mutex<State>
    /// Sensors that one `sensors` event carries.
    private static let sensorsPerEvent = 200
    /// Sensors that went away or came back that are told in a second, so that a screen's buffer holds them.
    private static let turnedPerSecond = 1000

    public init(engine: Engine, store: any Store, clock: any WallClock, connectors: ConnectorBoard = ConnectorBoard()) {
        self.engine = engine
        self.connectors = connectors
        self.store = store
        self.clock = clock
        started = clock.now()
        state = Mutex(State(sampled: clock.now()))
    }

    public var uptime: Span64 { clock.now().since(started) }

    public var readingsPerSecond: Double { state.withLock { $0.readingsPerSecond } }
    public var storeBytes: Int64 { state.withLock { $0.storeBytes } }
    public var lake: LakeStatus? { state.withLock { $0.lake } }

    /// How the lake is now; nil = there is none.
    public func note(lake: LakeStatus?) { state.withLock { $0.lake = lake } }

    /// A source has begun, or come to its end.
    public func note(source: String, isRunning: Bool) {
        state.withLock { state in
            if isRunning { state.endedSources.remove(source) } else { state.endedSources.insert(source) }
        }
    }

    /// Takes the sample of this second and publishes it.
    public func sample() {
        let now = clock.now()
        let metrics = engine.metrics.snapshot
        // What was waiting in the spool at the start came in earlier.
        let received = metrics.received - metrics.recovered
        state.withLock { state in
            let seconds = now.since(state.sampled).seconds
            if seconds > 0 {
                // Smoothed over about three seconds, so that the number can be read.
                let rate = (Double(received) - Double(state.received)) / seconds
                state.readingsPerSecond += (rate - state.readingsPerSecond) * min(1, 0.4 * seconds)
                if state.readingsPerSecond < 0.01 { state.readingsPerSecond = 0 }
            }
            if state.marks.last.map({ now.since($0.taken) >= .seconds(10) }) ?? true {
                state.marks.append((now, metrics.latency, metrics.inference))
                if state.marks.count > 6 { state.marks.removeFirst() }
            }
            state.received = received
            state.sampled = now
        }
        guard engine.hub.subscriberCount > 0 else {
            // Who comes later reads the list.
            _ = engine.directory.takeTurned(limit: .max)
            return
        }
        var writer = JSONWriter()
        write(to: &writer)
        engine.hub.publish(name: "stats", data: writer.bytes)
        publishChangedSensors()
    }

    /// Asks the store for its size: seldom, because it reads the file.
    public func sampleStore() async {
        guard let statistics = try? await store.statistics() else { return }
        state.withLock { $0.storeBytes = statistics.bytes }
    }

    /// The first sensors, all with an alarm and all that went away or came back, where something changed since the last
    /// second.
    private func publishChangedSensors() {
        let directory = engine.directory
        let first = directory.sensors(search: nil, limit: Self.sensorsPerEvent, offset: 0).items.map(\.id.index)
        let alarmed = directory.alarmedSensors.map(\.index).filter { !first.contains($0) }
            .prefix(Self.sensorsPerEvent)
        var chosen = Set(first).union(alarmed)
        let turned = directory.takeTurned(limit: Self.turnedPerSecond).map(\.index).filter {
            chosen.insert($0).inserted
        }
        // A sensor whose alarm has ended is no longer among the alarmed: send it once more.
        let ended = state.withLock { state in state.states.keys.filter { !chosen.contains($0) } }
        let sensors = directory.snapshots((first + alarmed + turned + ended).map(SensorID.init))
        let sent = state.withLock { state in
            let told = Set(turned)
            let changed = sensors.filter { sensor in
                let id = sensor.id.index
                return told.contains(id) || state.states[id] != sensor.state || state.lastSeen[id] != sensor.lastSeen
            }
            for sensor in changed {
                state.states[sensor.id.index] = sensor.state
                state.lastSeen[sensor.id.index] = sensor.lastSeen
            }
            for id in ended {
                state.states[id] = nil
                state.lastSeen[id] = nil
            }
            return changed
        }
        var writer = JSONWriter()
        for start in stride(from: 0, to: sent.count, by: Self.sensorsPerEvent) {
            writer.removeAll()
            writer.object {
                $0.key("changed")
                $0.array { list in
                    for sensor in sent[start..<min(start + Self.sensorsPerEvent, sent.count)] { list.value(sensor) }
                }
            }
            engine.hub.publish(name: "sensors", data: writer.bytes)
        }
    }

    public func write(to writer: inout JSONWriter) {
        let metrics = engine.metrics.snapshot
        let (rate, bytes, mark) = state.withLock { ($0.readingsPerSecond, $0.storeBytes, $0.marks.first) }
        let latency = mark.map { metrics.latency.since($0.latency) } ?? metrics.latency
        let inference = mark.map { metrics.inference.since($0.inference) } ?? metrics.inference
        let learning = engine.learning
        let (ended, lake) = state.withLock { ($0.endedSources, $0.lake) }
        writer.object {
            $0.field("version", tocsinVersion)
            $0.field("uptime_seconds", uptime.seconds.rounded())
            let word: String =
                switch engine.condition {
                case .running: learning.isEmpty ? "running" : "learning"
                case .draining: "draining"
                case .spooling: "spooling"
                case .stalled: "stalled"
                }
            $0.field("state", word)
            $0.field("readings_total", Int64(metrics.received))
            $0.field("readings_per_second", (rate * 10).rounded() / 10)
            $0.field("sensors", engine.directory.sensorCount)
            $0.field("series", engine.directory.seriesCount)
            $0.field("anomalies_total", Int64(metrics.anomalies))
            $0.field("alarms_open", engine.directory.openAlarms)
            $0.field("windows_total", Int64(metrics.windows))
            $0.field("late_total", Int64(metrics.late))
            $0.field("duplicates_total", Int64(metrics.duplicate))
            $0.key("dead_letters")
            $0.object {
                $0.field("total", Int64(metrics.deadLettered))
                $0.key("by_reason")
                $0.object { reasons in
                    for (reason, count) in metrics.deadLettersByReason.sorted(by: { $0.key.rawValue < $1.key.rawValue })
                    {
                        reasons.field(reason.rawValue, Int64(count))
                    }
                }
            }
            $0.key("latency_ms")
            $0.object {
                $0.field("p50", Self.rounded(latency.quantile(0.5) * 1e3))
                $0.field("p99", Self.rounded(latency.quantile(0.99) * 1e3))
            }
            $0.key("inference_us")
            $0.object {
                $0.field("mean", Self.rounded(inference.mean * 1e6))
                $0.field("p99", Self.rounded(inference.quantile(0.99) * 1e6))
            }
            $0.field("store_bytes", bytes)
            if let lake {
                $0.key("lake")
                $0.value(lake)
            }
            $0.key("connectors")
            $0.array { list in
                for connector in connectors.all { list.value(connector) }
            }
            $0.key("learning")
            $0.array { list in
                for model in learning {
                    list.object {
                        $0.field("model", model.name)
                        $0.field("progress", Self.rounded(model.progress))
                    }
                }
            }
            $0.key("sources")
            $0.array { list in
                for (name, count) in metrics.receivedBySource.sorted(by: { $0.key < $1.key }) {
                    list.object {
                        $0.field("name", name)
                        $0.field("state", ended.contains(name) ? "ended" : "running")
                        $0.field("readings_total", Int64(count))
                    }
                }
            }
        }
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
