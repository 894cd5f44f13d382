internal import Synchronization
public import TocsinCore

/// An outbox that ends with the process: for replay and tests.
public final class MemoryOutbox: AlertOutbox {
    private let state = Mutex(OutboxState())

    public init() {}

    public let isDurable = false
    public var lastMark: AlarmMark { state.withLock { $0.lastMark } }
    public var dead: [DeadAlert] { state.withLock { $0.dead } }
    public var deadCounts: [String: Int] { state.withLock { $0.deadCounts } }

    public func open(lanes: [String]) -> Int {
        state.withLock { $0.apply(.lanes(lanes)) }
        return 0
    }

    public func put(_ changes: [AlarmChange], mark: AlarmMark?, now: Timestamp) -> [AlertItem] {
        state.withLock { state in
            let first = state.nextNumber
            let last = mark?.advanced(by: changes.count - 1) ?? .none
            state.apply(.put(changes, first: first, lastMark: last, recorded: now))
            return AlertItem.numbered(changes, from: first, now)
        }
    }

    public func settle(_ numbers: [UInt64], in lane: String, as settlement: AlertSettlement) {
        state.withLock { $0.apply(.settle(numbers, lane: lane, settlement)) }
    }

    public func waiting(in lane: String) -> [AlertItem] { state.withLock { $0.waiting(in: lane) } }
    public func openAlarms(in lane: String) -> [Alarm] { state.withLock { $0.openAlarms(in: lane) } }

    public func requeue(_ numbers: Set<UInt64>?, in lane: String, now: Timestamp) -> [AlertItem] {
        state.withLock { state in
            let first = state.nextNumber
            state.apply(.requeue(state.deadNumbers(numbers, in: lane), lane: lane, first: first, recorded: now))
            return state.waiting(in: lane).filter { $0.number >= first }
        }
    }

    public func keep() async {}

    public func discard(_ numbers: Set<UInt64>?, in lane: String) -> Int {
        state.withLock { state in
            let found = state.deadNumbers(numbers, in: lane)
            state.apply(.discard(found, lane: lane))
            return found.count
        }
    }
}

extension AlertItem {
    static func numbered(_ changes: [AlarmChange], from first: UInt64, _ now: Timestamp) -> [AlertItem] {
        changes.enumerated().map { AlertItem(number: first &+ UInt64($0.offset), change: $0.element, recorded: now) }
    }
}
