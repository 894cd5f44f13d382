internal import TocsinCore

/// What is due when, by the clock of each source and by that of the newest one (nil).
struct DeadlineQueues<Element: Sendable>: Sendable {
    private struct Clock: Sendable {
        var queue = DeadlineQueue<Element>()
        /// How far the clock was when somebody last asked.
        var reached = Timestamp(nanoseconds: .min)
    }

    private var clocks: [SourceID?: Clock] = [:]

    /// Far future where nothing is due by that clock.
    func next(of source: SourceID?) -> Timestamp { clocks[source]?.queue.next ?? Timestamp(nanoseconds: .max) }

    /// How far the clock was when `advance` was last called; nil before.
    func reached(of source: SourceID?) -> Timestamp? { clocks[source]?.reached }

    mutating func insert(_ element: Element, at time: Timestamp, of source: SourceID?) {
        clocks[source, default: Clock()].queue.insert(element, at: time)
    }

    /// Notes how far a clock is.
    /// - Returns: whether something is due.
    mutating func advance(_ source: SourceID?, to time: Timestamp) -> Bool {
        clocks[source, default: Clock()].reached = time
        return next(of: source) <= time
    }

    /// The earliest element, if it is due by then.
    mutating func pop(through time: Timestamp, of source: SourceID?) -> (time: Timestamp, element: Element)? {
        clocks[source]?.queue.pop(through: time)
    }

    /// Nothing is due; how far the clocks are stays known.
    mutating func removeElements() { for source in clocks.keys { clocks[source]?.queue = DeadlineQueue() } }

    /// Nothing will be asked by this clock.
    mutating func remove(_ source: SourceID) { clocks[source] = nil }
}
