internal import Synchronization

/// A queue between one giver that never waits and one taker that does. The giver heeds `count`.
final class Handoff<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var first = 0
        var isFinished = false
        var taker: CheckedContinuation<Element?, Never>?
        var giver: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Elements that wait.
    var count: Int { state.withLock { $0.elements.count - $0.first } }

    func give(_ element: Element) {
        let taker = state.withLock { state in
            guard let taker = state.taker else {
                state.elements.append(element)
                return nil as CheckedContinuation<Element?, Never>?
            }
            state.taker = nil
            return taker
        }
        taker?.resume(returning: element)
    }

    /// Nothing more will come; what waits is still taken.
    func finish() {
        let (taker, giver) = state.withLock { state in
            state.isFinished = true
            defer { (state.taker, state.giver) = (nil, nil) }
            return (state.taker, state.giver)
        }
        taker?.resume(returning: nil)
        giver?.resume()
    }

    /// nil at the end.
    func take() async -> Element? {
        await withCheckedContinuation { continuation in
            let (element, isNow, giver): (Element?, Bool, CheckedContinuation<Void, Never>?) = state.withLock { state in
                if state.first < state.elements.count {
                    let element = state.elements[state.first]
                    state.first += 1
                    if state.first == state.elements.count || state.first >= 64 {
                        state.elements.removeFirst(state.first)
                        state.first = 0
                    }
                    defer { state.giver = nil }
                    return (element, true, state.giver)
                }
                if state.isFinished { return (nil, true, nil) }
                state.taker = continuation
                return (nil, false, nil)
            }
            giver?.resume()
            if isNow { continuation.resume(returning: element) }
        }
    }

    /// For a giver that can wait: until fewer than `limit` elements wait.
    func waitForRoom(_ limit: Int) async {
        while true {
            let isFull = state.withLock { !$0.isFinished && $0.elements.count - $0.first >= limit }
            guard isFull else { return }
            await withCheckedContinuation { continuation in
                let isNow = state.withLock { state in
                    if state.isFinished || state.elements.count - state.first < limit { return true }
                    state.giver = continuation
                    return false
                }
                if isNow { continuation.resume() }
            }
        }
    }
}
