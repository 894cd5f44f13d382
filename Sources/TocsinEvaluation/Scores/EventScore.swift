/// What an operator sees: labelled events found, alarms that meant nothing, and how late the first flag came.
public enum EventScore {
    public struct Result: Equatable, Sendable {
        /// Labelled events (maximal runs of labelled rows).
        public var events: Int
        /// Events with at least one flag inside.
        public var found: Int
        /// Runs of flags that touch no event.
        public var falseIncidents: Int
        /// `falseIncidents` per day of data; 0 when the length of a day is unknown.
        public var falseIncidentsPerDay: Double
        /// Median over the found events of the rows from the event's first row to its first flag; nil when none was.
        public var medianDelayRows: Double?

        /// `found / events`, 0...1; 0 without events.
        public var recall: Double { events > 0 ? Double(found) / Double(events) : 0 }
    }

    /// Counts events and incidents; rows beyond the shorter array are ignored. O(n).
    ///
    /// - Parameters:
    ///   - rowsPerDay: rows that make one day, for the rate of false incidents; not above zero means unknown.
    ///   - joinRows: runs of flags with fewer rows between them count as one incident.
    public static func evaluate(flags: [Bool], labels: [Bool], rowsPerDay: Double, joinRows: Int = 1) -> Result {
        let count = min(flags.count, labels.count)
        let events = RowRuns.find(in: Array(labels.prefix(count)))
        var delays: [Int] = []
        for event in events {
            if let first = flags[event].firstIndex(of: true) { delays.append(first - event.lowerBound) }
        }
        var falseIncidents = 0
        var next = 0
        for incident in RowRuns.find(in: Array(flags.prefix(count)), joinRows: joinRows) {
            while next < events.count, events[next].upperBound <= incident.lowerBound { next += 1 }
            let touches = next < events.count && events[next].lowerBound < incident.upperBound
            falseIncidents += touches ? 0 : 1
        }
        let days = rowsPerDay > 0 ? Double(count) / rowsPerDay : 0
        return Result(
            events: events.count, found: delays.count, falseIncidents: falseIncidents,
            falseIncidentsPerDay: days > 0 ? Double(falseIncidents) / days : 0, medianDelayRows: median(&delays))
    }

    private static func median(_ values: inout [Int]) -> Double? {
        guard !values.isEmpty else { return nil }
        values.sort()
        let middle = values.count / 2
        return values.count % 2 == 1 ? Double(values[middle]) : Double(values[middle - 1] + values[middle]) / 2
    }
}
