internal import GRDB
internal import TocsinCore

// When sensors were first and last heard, and what became known of them since they were first stored.
extension RowIDs {
    /// A second's worth of work for no transaction: a million sensors are written down in many.
    private static let flushedAtOnce = 20_000

    mutating func hear(_ sensor: SensorID, at time: Timestamp) {
        let index = Int(sensor.index)
        let nanoseconds = time.nanoseconds
        if nanoseconds > lastSeen[index] { lastSeen[index] = nanoseconds }
        if nanoseconds < firstSeen[index] { firstSeen[index] = nanoseconds }
        guard !isHeard[index] else { return }
        isHeard[index] = true
        heard.append(sensor)
    }

    /// Takes up all that waits now; `flush` writes it down part by part.
    mutating func beginFlush() {
        heard.open()
        unitless.open()
    }

    var isFlushing: Bool { heard.isOpen || unitless.isOpen }

    /// Writes down a part of what `beginFlush` took up. `flushed` must follow when the transaction has succeeded.
    mutating func flush(table: SeriesTable, _ database: Database) throws {
        let sensors = heard.next(Self.flushedAtOnce)
        let series = unitless.next(Self.flushedAtOnce)
        let (zones, units) = table.withIndex { index in
            (sensors.map { index.zone(of: $0) }, series.map { index.unit(of: $0) })
        }
        let update = try SQLStatement(
            database,
            """
            UPDATE sensors SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?),
                zone = coalesce(?, zone) WHERE id = ?
            """)
        try update.repeatedly {
            for (sensor, zone) in zip(sensors, zones) where self.sensors[Int(sensor.index)] > 0 {
                update.bind(1, firstSeen[Int(sensor.index)])
                update.bind(2, lastSeen[Int(sensor.index)])
                try update.bind(3, zone)
                update.bind(4, self.sensors[Int(sensor.index)])
                try update.run()
            }
        }
        for (id, unit) in zip(series, units) {
            guard let unit, self.series[Int(id.index)] > 0 else { continue }
            try Self.setUnit(unit, ofSeries: self.series[Int(id.index)], database)
        }
    }

    /// Strikes off what the last `flush` wrote, which is now durable.
    mutating func flushed(table: SeriesTable) {
        for sensor in heard.strike(Self.flushedAtOnce) { isHeard[Int(sensor.index)] = false }
        let series = unitless.strike(Self.flushedAtOnce)
        let isKnown = table.withIndex { index in series.map { index.unit(of: $0) != nil } }
        for (id, isKnown) in zip(series, isKnown) where !isKnown { unitless.append(id) }
    }
}

/// A queue of which a part is open for work, while new members line up behind.
struct WaitingList<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    private var first = 0
    private var openCount = 0

    var isOpen: Bool { openCount > 0 }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func open() { openCount = elements.count - first }

    /// The next members, at most `count`, which stay.
    func next(_ count: Int) -> [Element] { Array(elements[first..<first + min(count, openCount)]) }

    /// Removes what `next` gave.
    mutating func strike(_ count: Int) -> [Element] {
        let struck = next(count)
        first += struck.count
        openCount -= struck.count
        // Moved up now and then, so that each member is moved about once.
        if first > elements.count / 2 {
            elements.removeFirst(first)
            first = 0
        }
        return struck
    }
}
