public import TocsinCore

extension Bank {
    /// How long a condition of a series may pause and still go on: three of its usual intervals; noise, which is judged
    /// sixteen readings at a time, twenty. 0 for a series whose interval is not known yet.
    public func quiet(of series: SeriesID, _ kind: AnomalyKind) -> Span64 {
        let index = Int(series.index)
        guard index < states.count else { return .seconds(0) }
        let seconds = Double(states[index].interval) * (kind == .noise ? 20 : 3)
        return Span64(nanoseconds: Int64((seconds * 1e9).clamped(0, 1e18)))
    }
}
