public import TocsinCore

extension Bank {
    /// For so long nobody listened to a source: that time is no silence of any of its series, and no pause between two
    /// readings.
    public mutating func postpone(_ source: SourceID = SourceID(0), by span: Span64) {
        for series in deadlines.series(of: Self.known(source)) { postpone(Int(series.index), by: span) }
    }

    /// A series goes on by another clock, which is ahead of the former one by `span` (behind it where that is negative).
    public mutating func shift(series: SeriesID, by span: Span64) {
        let index = Int(series.index)
        guard index < states.count else { return }
        postpone(index, by: span)
        bringForward(index)
    }

    private mutating func postpone(_ index: Int, by span: Span64) {
        guard states[index].lastHighWater > .min else { return }
        let highWater = states[index].lastHighWater.addingReportingOverflow(span.nanoseconds)
        states[index].lastHighWater =
            highWater.overflow ? (span.nanoseconds < 0 ? .min : .max) : highWater.partialValue
    }
}
