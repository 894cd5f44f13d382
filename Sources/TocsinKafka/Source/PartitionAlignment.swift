public import TocsinCore

/// Keeps the partitions of a source together in event time while they catch up with a backlog, so that none is so far
/// ahead that the readings of the others are late: the rules alone, without threads or clocks.
///
/// After the watermark alignment of Flink (FLIP-182).
public struct PartitionAlignment: Sendable {
    /// One partition as it stands.
    public struct Lane: Sendable, Equatable {
        /// The newest event time of what is ready to be handed over; nil where nothing is.
        public var head: Timestamp?
        /// The newest event time handed over; nil before the first.
        public var progress: Timestamp?
        /// Messages are to come, and the others wait for them.
        public var isAwaited: Bool

        public init(head: Timestamp? = nil, progress: Timestamp? = nil, isAwaited: Bool = false) {
            self.head = head
            self.progress = progress
            self.isAwaited = isAwaited
        }
    }

    public enum Turn: Sendable, Equatable {
        /// Nobody has anything.
        case nobody
        case lane(Int)
        /// What is ready waits for these partitions.
        case blocked(by: [Int])
    }

    /// How far one partition may be ahead of the slowest.
    public let limit: Span64

    public init(limit: Span64) { self.limit = limit }

    /// Whose turn it is: the one with the oldest head, unless it is more than the limit ahead of one that is awaited.
    public func turn(_ lanes: [Lane]) -> Turn {
        var oldest: (index: Int, head: Timestamp)?
        for (index, lane) in lanes.enumerated() {
            guard let head = lane.head else { continue }
            if oldest.map({ head < $0.head }) ?? true { oldest = (index, head) }
        }
        guard let oldest else { return .nobody }
        let slower = lanes.indices.filter {
            guard lanes[$0].head == nil, lanes[$0].isAwaited else { return false }
            return lanes[$0].progress.map { isFar(from: $0, to: oldest.head) } ?? true
        }
        return slower.isEmpty ? .lane(oldest.index) : .blocked(by: slower)
    }

    /// Parts of a run of messages none of which spans more than the limit; one message is never divided.
    /// - Parameter times: the newest event time by message, smoothed; nil for a message without events.
    public func parts(_ times: [Timestamp?]) -> [Range<Int>] {
        var (parts, start): ([Range<Int>], Int) = ([], 0)
        var range: (oldest: Timestamp, newest: Timestamp)?
        for (index, time) in times.enumerated() {
            guard let time else { continue }
            let oldest = min(range?.oldest ?? time, time)
            let newest = max(range?.newest ?? time, time)
            if range != nil, isFar(from: oldest, to: newest) {
                parts.append(start..<index)
                start = index
                range = (time, time)
            } else {
                range = (oldest, newest)
            }
        }
        if start < times.count { parts.append(start..<times.count) }
        return parts
    }

    private func isFar(from old: Timestamp, to new: Timestamp) -> Bool {
        let (distance, overflow) = new.nanoseconds.subtractingReportingOverflow(old.nanoseconds)
        return overflow ? new > old : distance > limit.nanoseconds
    }

    /// The newest event time of each message of a batch; nil for one without events. A clock that is ahead counts as right,
    /// and single messages that differ from their neighbours (a wrong clock, a reading that was kept back) do not count: a
    /// running median of five.
    public static func times(_ batch: Batch, messages: Int) -> [Timestamp?] {
        var times = [Timestamp?](repeating: nil, count: messages)
        let starts = batch.messageStarts
        // Events mostly stand in the order of their messages.
        var place = 0
        for event in 0..<batch.eventCount {
            let offset = batch.payloads[event].offset
            if place < starts.count, offset < starts[place] {
                place = Int(batch.place(of: batch.payloads[event], in: batch.origin) &- batch.origin.position)
            }
            while place + 1 < starts.count, starts[place + 1] <= offset { place += 1 }
            guard place >= 0, place < messages else { continue }
            let time = min(batch.times[event], batch.origin.received)
            times[place] = max(times[place] ?? time, time)
        }
        let known = times.indices.filter { times[$0] != nil }
        let sharp = known.compactMap { times[$0] }
        for (number, index) in known.enumerated() {
            // The same number on both sides, so that times in order stay what they are.
            let reach = min(2, number, sharp.count - 1 - number)
            // The middle of what is in order is where it stands.
            if (number - reach..<number + reach).allSatisfy({ sharp[$0] <= sharp[$0 + 1] }) { continue }
            times[index] = sharp[(number - reach)...(number + reach)].sorted()[reach]
        }
        return times
    }
}
