internal import Synchronization

/// The engine's condition, shared by writer, spool and health checks.
final class ConditionCell: Sendable {
    private struct State {
        var storeFault: String?
        var spoolFault: String?
        var isEnding = false
        var told = EngineCondition.running
    }

    private let state = Mutex(State())
    private let hasSpool: Bool
    private let tell: @Sendable (EngineCondition) -> Void

    /// - Parameters:
    ///   - hasSpool: what the store refuses waits in the spool, and input goes on.
    ///   - tell: called when work stops flowing and when it flows again, once each.
    init(hasSpool: Bool, tell: @escaping @Sendable (EngineCondition) -> Void) {
        self.hasSpool = hasSpool
        self.tell = tell
    }

    var value: EngineCondition { state.withLock { condition($0) } }
    var isEnding: Bool { state.withLock { $0.isEnding } }

    /// nil: the store takes work again.
    func noteStore(_ fault: String?) { change { $0.storeFault = fault } }
    func noteSpool(_ fault: String?) { change { $0.spoolFault = fault } }
    func end() { state.withLock { $0.isEnding = true } }

    private func condition(_ state: State) -> EngineCondition {
        if let fault = state.spoolFault { return .stalled(fault) }
        if let fault = state.storeFault { return hasSpool && !state.isEnding ? .spooling(fault) : .stalled(fault) }
        return state.isEnding ? .draining : .running
    }

    private func change(_ body: (inout State) -> Void) {
        let news: EngineCondition? = state.withLock { state in
            body(&state)
            let now = condition(state)
            // The same trouble in other words is no news.
            guard now.rank != state.told.rank else { return nil }
            state.told = now
            return now
        }
        if let news { tell(news) }
    }
}

extension EngineCondition {
    fileprivate var rank: Int {
        switch self {
        case .running, .draining: 0
        case .spooling: 1
        case .stalled: 2
        }
    }
}
