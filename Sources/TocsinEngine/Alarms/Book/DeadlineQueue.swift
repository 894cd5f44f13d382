internal import TocsinCore

/// What is due when: a binary heap, earliest first. Elements are never taken out early: who pops one asks whether it
/// still holds.
struct DeadlineQueue<Element: Sendable>: Sendable {
    private var heap: [(time: Timestamp, element: Element)] = []

    /// Far future where nothing is due.
    var next: Timestamp { heap.first?.time ?? Timestamp(nanoseconds: .max) }
    var count: Int { heap.count }

    /// What is due at the end of time never is, and is left out.
    mutating func insert(_ element: Element, at time: Timestamp) {
        guard time.nanoseconds < .max else { return }
        heap.append((time, element))
        var place = heap.count - 1
        while place > 0, heap[place].time < heap[(place - 1) / 2].time {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// The earliest element, if it is due by then.
    mutating func pop(through time: Timestamp) -> (time: Timestamp, element: Element)? {
        guard let first = heap.first, first.time <= time else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].time < heap[least].time
            {
                least = child
            }
            guard least != place else { return first }
            heap.swapAt(place, least)
            place = least
        }
    }
}
