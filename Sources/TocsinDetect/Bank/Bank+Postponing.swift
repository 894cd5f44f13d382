public import TocsinCore

extension Bank {
    /// For so long nobody listened: that time is no silence of any series, and no pause between two readings.
    public mutating func postpone(by span: Span64) {
        for index in states.indices where states[index].lastHighWater > .min {
            let highWater = states[index].lastHighWater.addingReportingOverflow(span.nanoseconds)
            states[index].lastHighWater = highWater.overflow ? .max : highWater.partialValue
        }
    }
}
