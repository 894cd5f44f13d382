internal import TocsinCore

/// How far the sources are at each event of a batch, for rising event numbers. Behind the events come the sources that go
/// on without one, each under a number of its own.
struct StreamProgress {
    private let routed: RoutedBatch
    private var newest: Timestamp
    private var nextRise = 0
    private var nextAdvance = 0

    init(_ routed: RoutedBatch) {
        self.routed = routed
        newest = routed.before
    }

    /// - Parameter times: by source, taken on as far as the event.
    mutating func at(_ event: Int, _ times: inout [Timestamp]) -> StreamTime {
        let (batch, rises, advances) = (routed.batch, routed.rises, routed.advances)
        while nextRise < rises.count, Int(rises[nextRise].event) <= event {
            raise(batch.source(of: Int(rises[nextRise].event)), to: rises[nextRise].highWater, &times)
            nextRise += 1
        }
        while nextAdvance < advances.count, batch.eventCount + nextAdvance <= event {
            raise(advances[nextAdvance].source, to: advances[nextAdvance].highWater, &times)
            nextAdvance += 1
        }
        if event < batch.eventCount { return time(of: batch.source(of: event), times) }
        let place = event - batch.eventCount
        return place < advances.count ? time(of: advances[place].source, times) : StreamTime(routed.progress)
    }

    /// Where every source stands at the end of which the batch has something.
    mutating func end(_ times: inout [Timestamp]) -> [StreamTime] {
        let batch = routed.batch
        _ = at(batch.eventCount + routed.advances.count, &times)
        newest = routed.progress
        var sources: [SourceID] = []
        if batch.eventCount > 0 {
            sources = batch.originOfEvent.isEmpty ? [batch.origin.source] : batch.origins.map(\.source)
        }
        sources += routed.advances.map(\.source)
        guard let first = sources.first else { return [StreamTime(routed.progress)] }
        if sources.allSatisfy({ $0 == first }) { return [time(of: first, times)] }
        return Set(sources).sorted { $0.index < $1.index }.map { time(of: $0, times) }
    }

    private func time(of source: SourceID, _ times: [Timestamp]) -> StreamTime {
        let number = Int(source.index)
        let own = number < times.count ? times[number] : Timestamp(nanoseconds: .min)
        return StreamTime(source, own: own, newest: newest)
    }

    private mutating func raise(_ source: SourceID, to highWater: Timestamp, _ times: inout [Timestamp]) {
        times.raise(source, to: highWater)
        newest = max(newest, highWater)
    }
}

extension [Timestamp] {
    /// High-water event times by number of the source: this one goes on.
    mutating func raise(_ source: SourceID, to highWater: Timestamp) {
        let number = Int(source.index)
        if number >= count {
            append(contentsOf: repeatElement(Timestamp(nanoseconds: .min), count: number + 1 - count))
        }
        self[number] = Swift.max(self[number], highWater)
    }
}
