internal import Synchronization
internal import TocsinCore

/// One screen's place in the live stream: a bounded buffer that its connection drains.
public final class LiveSubscription: Sendable {
    private struct State {
        /// Indices of the sensors whose readings it wants, and names that no reading has brought yet.
        var sensors: Set<UInt32> = []
        var unknown: Set<String> = []
        var events: [LiveEvent] = []
        var bytes = 0
        var missed = 0
        var isFinished = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private static let byteLimit = 1 << 20

    init(names: [String], table: SeriesTable) {
        state.withLock { $0.unknown = Set(names) }
        _ = resolve(table)
    }

    var sensors: Set<UInt32> { state.withLock { $0.sensors } }

    /// Looks for names that were not known yet; true when one was found.
    func resolve(_ table: SeriesTable) -> Bool {
        state.withLock { state in
            guard !state.unknown.isEmpty else { return false }
            let unknown = state.unknown
            let found: [(String, UInt32)] = table.withIndex { index in
                unknown.compactMap { name in index.sensor(named: name).map { (name, $0.index) } }
            }
            for (name, sensor) in found {
                state.unknown.remove(name)
                state.sensors.insert(sensor)
            }
            return !found.isEmpty
        }
    }

    func push(_ event: LiveEvent) {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard !state.isFinished else { return nil }
            if state.bytes + event.data.count > Self.byteLimit {
                state.missed += 1
            } else {
                state.events.append(event)
                state.bytes += event.data.count
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func finish() {
        let waiter = state.withLock { state in
            state.isFinished = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Wakes the reader without an event, so that it can send its heartbeat.
    public func wake() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// What has come in, a `gap` event first if something was dropped; empty after `wake`; nil when finished.
    public func next() async -> [LiveEvent]? {
        if let events = take(), !events.isEmpty { return events }
        if state.withLock({ $0.isFinished }) { return nil }
        await withCheckedContinuation { continuation in
            let resumeNow = state.withLock { state in
                if !state.events.isEmpty || state.isFinished || state.missed > 0 { return true }
                state.waiter = continuation
                return false
            }
            if resumeNow { continuation.resume() }
        }
        return take()
    }

    private func take() -> [LiveEvent]? {
        state.withLock { state in
            if state.isFinished, state.events.isEmpty { return nil }
            var events = state.events
            if state.missed > 0 {
                let data = Array("{\"missed\":\(state.missed)}".utf8)
                events.insert(LiveEvent(id: nil, name: "gap", data: data), at: 0)
            }
            state.events.removeAll(keepingCapacity: true)
            state.bytes = 0
            state.missed = 0
            return events
        }
    }
}
