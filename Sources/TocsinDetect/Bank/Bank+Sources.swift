public import TocsinCore

extension Bank {
    /// The series whose last reading came from a source, in no order. Nothing is copied until the bank changes.
    public func series(of source: SourceID) -> [SeriesID] { deadlines.series(of: Self.known(source)) }

    /// A series has come with its state from elsewhere, where its source had another number; its clock is the same.
    public mutating func setSource(series: SeriesID, to source: SourceID) {
        let index = Int(series.index)
        guard index < states.count, states[index].source != SeriesState.noSource else { return }
        leave(index)
        states[index].source = Self.known(source)
        join(index)
    }

    /// The highest number stands for none.
    @inline(__always)
    static func known(_ source: SourceID) -> UInt16 { min(source.index, SeriesState.noSource - 1) }

    /// A reading comes from another source than the one before, or is the first one. The clocks of two sources may be hours
    /// apart: only the readings' own times tell how much time has gone by.
    @inline(never)
    mutating func change(_ index: Int, to source: UInt16, time: Timestamp, highWater: Timestamp) {
        leave(index)
        if states[index].count > 0 {
            let elapsed = max(time.since(Timestamp(nanoseconds: states[index].lastTime)), Span64(nanoseconds: 0))
            states[index].lastHighWater =
                highWater.advanced(by: Span64(nanoseconds: -elapsed.nanoseconds)).nanoseconds
        }
        states[index].source = source
        join(index)
    }

    mutating func leave(_ index: Int) {
        guard states[index].source != SeriesState.noSource,
            let moved = deadlines.remove(index, from: states[index].source)
        else { return }
        bringForward(moved)
    }

    mutating func join(_ index: Int) {
        guard states[index].source != SeriesState.noSource else { return }
        deadlines.add(index, to: states[index].source, deadline: states[index].deadline)
    }
}
