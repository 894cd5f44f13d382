internal import Synchronization

/// A bounded queue between two stages: many senders, one receiver. Full = the sender waits; nothing is ever dropped.
///
/// Carries batches, never readings: a hand-over costs a lock and, when the other side sleeps, a task wake-up.
final class Inbox<Element: Sendable>: Sendable {
    private struct State {
        var items: [Element] = []
        var head = 0
        var isFinished = false
        var receiver: CheckedContinuation<Void, Never>?
        var senders: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var nextSender: UInt64 = 0

        var count: Int { items.count - head }

        mutating func takeFirst() -> Element {
            let element = items[head]
            head += 1
            if head == items.count || head > 64 {
                items.removeFirst(head)
                head = 0
            }
            return element
        }

        mutating func takeSenders() -> [CheckedContinuation<Void, Never>] {
            defer { senders.removeAll() }
            return senders.map(\.continuation)
        }
    }

    private let state = Mutex(State())
    let capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0, "an inbox holds at least one element")
        self.capacity = capacity
    }

    var count: Int { state.withLock { $0.count } }

    /// Takes the element however full it is; false when finished. `make` runs inside, so that what it does (numbering,
    /// spooling) happens in the order of the queue.
    func push<Failure: Error>(_ make: () throws(Failure) -> Element) throws(Failure) -> Bool {
        let outcome: (taken: Bool, wake: CheckedContinuation<Void, Never>?) = try state.withLock {
            state throws(Failure) in
            if state.isFinished { return (false, nil) }
            state.items.append(try make())
            defer { state.receiver = nil }
            return (true, state.receiver)
        }
        outcome.wake?.resume()
        return outcome.taken
    }

    /// Suspends until there is room; leaves with `CancellationError` when the task is cancelled meanwhile.
    func waitForRoom() async throws {
        while true {
            try Task.checkCancellation()
            if state.withLock({ $0.isFinished || $0.count < capacity }) { return }
            await waitCancellably()
        }
    }

    /// What is there now; nil when there is nothing.
    func receiveIfAny() -> Element? {
        let (element, wake): (Element?, [CheckedContinuation<Void, Never>]) = state.withLock { state in
            guard state.count > 0 else { return (nil, []) }
            return (state.takeFirst(), state.takeSenders())
        }
        for sender in wake { sender.resume() }
        return element
    }

    /// Suspends while the inbox is full; false when it was finished and the element was not taken. For hand-overs
    /// inside: what was accepted goes on to its end, whatever becomes of the task.
    func send(_ element: Element) async -> Bool {
        while true {
            if let isTaken = attempt(element) { return isTaken }
            await withCheckedContinuation { wait($0, id: nil) }
        }
    }

    /// Waits for room. Ends early when the task is cancelled.
    private func waitCancellably() async {
        let id = state.withLock { state in
            state.nextSender += 1
            return state.nextSender
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { wait($0, id: id) }
        } onCancel: {
            let sender = state.withLock { state in
                let place = state.senders.firstIndex { $0.id == id }
                return place.map { state.senders.remove(at: $0).continuation }
            }
            sender?.resume()
        }
    }

    /// nil when there is no room.
    private func attempt(_ element: Element) -> Bool? {
        let outcome: (taken: Bool?, wake: CheckedContinuation<Void, Never>?) = state.withLock { state in
            if state.isFinished { return (false, nil) }
            guard state.count < capacity else { return (nil, nil) }
            state.items.append(element)
            defer { state.receiver = nil }
            return (true, state.receiver)
        }
        outcome.wake?.resume()
        return outcome.taken
    }

    /// Waits for room. With an id the wait can be ended from outside.
    private func wait(_ continuation: CheckedContinuation<Void, Never>, id: UInt64?) {
        let resumeNow = state.withLock { state in
            if state.isFinished || state.count < capacity || (id != nil && Task.isCancelled) { return true }
            state.senders.append((id ?? 0, continuation))
            return false
        }
        if resumeNow { continuation.resume() }
    }

    /// The next element in order; nil when finished and empty. One receiver at a time.
    func receive() async -> Element? {
        while true {
            let outcome: (element: Element?, isFinished: Bool, wake: [CheckedContinuation<Void, Never>]) =
                state.withLock { state in
                    guard state.count > 0 else { return (nil, state.isFinished, []) }
                    return (state.takeFirst(), false, state.takeSenders())
                }
            for sender in outcome.wake { sender.resume() }
            if let element = outcome.element { return element }
            if outcome.isFinished { return nil }
            await waitForElement()
        }
    }

    /// Everything that is there, at most `limit` elements; suspends while it is empty; empty only when finished.
    func receiveAll(limit: Int) async -> [Element] {
        guard let first = await receive() else { return [] }
        var elements = [first]
        let wake = state.withLock { state in
            while elements.count < limit, state.count > 0 { elements.append(state.takeFirst()) }
            return state.takeSenders()
        }
        for sender in wake { sender.resume() }
        return elements
    }

    /// No further elements: what is inside can still be received.
    func finish() {
        let (receiver, senders) = state.withLock { state in
            state.isFinished = true
            defer { state.receiver = nil }
            return (state.receiver, state.takeSenders())
        }
        receiver?.resume()
        for sender in senders { sender.resume() }
    }

    private func waitForElement() async {
        await withCheckedContinuation { continuation in
            let resumeNow = state.withLock { state in
                if state.count > 0 || state.isFinished { return true }
                precondition(state.receiver == nil, "an inbox has one receiver")
                state.receiver = continuation
                return false
            }
            if resumeNow { continuation.resume() }
        }
    }
}
