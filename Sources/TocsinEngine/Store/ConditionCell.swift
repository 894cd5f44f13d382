internal import Synchronization

/// The engine's condition, shared by writer and health checks.
final class ConditionCell: Sendable {
    private struct State {
        var condition = EngineCondition.running
        var isEnding = false
    }

    private let state = Mutex(State())
    private let tell: @Sendable (EngineCondition) -> Void

    /// - Parameter tell: called when work stops flowing and when it flows again, once each.
    init(tell: @escaping @Sendable (EngineCondition) -> Void) { self.tell = tell }

    var value: EngineCondition { state.withLock { $0.condition } }
    var isEnding: Bool { state.withLock { $0.isEnding } }

    func stall(_ reason: String) {
        let isNew = state.withLock { state in
            defer { state.condition = .stalled(reason) }
            return !state.condition.isStalled
        }
        if isNew { tell(.stalled(reason)) }
    }

    func recover() {
        let recovered: EngineCondition? = state.withLock { state in
            guard state.condition.isStalled else { return nil }
            state.condition = state.isEnding ? .draining : .running
            return state.condition
        }
        if let recovered { tell(recovered) }
    }

    func end() {
        state.withLock { state in
            state.isEnding = true
            if state.condition == .running { state.condition = .draining }
        }
    }
}

extension EngineCondition {
    var isStalled: Bool {
        if case .stalled = self { true } else { false }
    }
}
