public import TocsinCore

extension Bank {
    /// Writes all that the bank knows of a series: 272 bytes, valid range included, about 0.1 µs. An unknown series is
    /// written as one from which nothing has come.
    public func save(series: SeriesID, to writer: inout StateWriter) {
        let index = Int(series.index)
        let state = index < states.count ? states[index] : SeriesState()
        writer.write(words: state.saved(range: ranges[Int(state.rangeIndex)]))
    }

    /// Puts a saved series in place of what is known of it, so that it goes on bit for bit.
    ///
    /// - Returns: false for bytes that `save` did not write; then the series is as before. Whatever is accepted can be
    ///   used, damaged or not.
    public mutating func restore(series: SeriesID, from reader: inout StateReader) -> Bool {
        guard let words: SavedSeries = reader.readWords(), var state = SeriesState(words) else { return false }
        let index = Int(series.index)
        if index >= states.count { grow(to: index + 1) }
        state.rangeIndex = states[index].rangeIndex
        states[index] = state
        setValidRange(
            series: series, low: Double(bitPattern: words[19]), high: Double(bitPattern: words[20]))
        deadlines.lower(index, to: state.deadline)
        return true
    }
}
