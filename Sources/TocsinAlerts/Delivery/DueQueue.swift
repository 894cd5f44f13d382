internal import TocsinCore

/// Incidents by when they are due, then by who came first: a binary heap, O(log n).
struct DueQueue: Sendable {
    struct Entry: Sendable {
        var due: Timestamp
        var order: UInt64
        var incident: String
    }

    private var heap: [Entry] = []
    private var nextOrder: UInt64 = 0

    var first: Entry? { heap.first }

    mutating func push(_ incident: String, due: Timestamp) {
        push(Entry(due: due, order: nextOrder, incident: incident))
        nextOrder += 1
    }

    mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Entry? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].due, heap[left].order) < (heap[right].due, heap[right].order)
    }
}
