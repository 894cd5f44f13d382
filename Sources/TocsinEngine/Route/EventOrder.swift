internal import TocsinCore

/// Holds events until the stream's time is past the allowed lateness, then lets them go by event time: what comes after
/// is the same for every order of arrival within the lateness.
///
/// Events wait in buckets of event time; a bucket leaves as a whole, sorted by time, then by name, never by id (ids
/// tell who came first). An event for a bucket that has left goes out at once, and is judged as what it is: late.
/// Memory: what arrives in the allowed lateness, about 60 bytes an event and 20 a reading, and the raw bytes.
struct EventOrder: Sendable {
    /// Events of one span of event time, in order of arrival.
    struct Bucket: Sendable {
        var events: Batch
        /// Per reading.
        var accepted: [Bool] = []
    }

    private let lateness: Span64
    private let width: Int64
    private(set) var buckets: [Int64: Bucket] = [:]
    /// Readings that wait.
    private(set) var heldReadings = 0
    /// The same by the name of their source.
    var heldBySource: [String: UInt64] {
        var held: [String: UInt64] = [:]
        for bucket in buckets.values {
            for event in 0..<bucket.events.eventCount {
                held[bucket.events.origin(of: event).sourceName, default: 0] += UInt64(
                    bucket.events.readings(of: event).count)
            }
        }
        return held
    }
    /// Sources that have ended and whose last events wait: told when those are out.
    private(set) var ends: [(source: SourceID, last: Int64)] = []
    /// By sensor.
    private var ranks: [UInt64] = []
    private static let bucketsOfLateness: Int64 = 32

    init(lateness: Span64) {
        self.lateness = lateness
        width = max(lateness.nanoseconds / Self.bucketsOfLateness, 1_000_000)
    }

    /// Takes every event of a batch of which anything was accepted; appends the others to `refused`.
    mutating func hold(_ batch: Batch, accepted: [Bool], refused: inout Batch) {
        var ignored: [Bool] = []
        for event in 0..<batch.eventCount {
            let readings = batch.readings(of: event)
            guard accepted[readings].contains(true) else {
                refused.append(event, of: batch, accepted: accepted, into: &ignored)
                continue
            }
            let key = Self.bucket(batch.times[event], width)
            buckets[key, default: Bucket(events: Batch(origin: batch.origin))]
                .append(event, of: batch, accepted: accepted)
            heldReadings += readings.count
        }
    }

    mutating func noteEnd(of source: SourceID) {
        let last = buckets.filter { _, bucket in
            bucket.events.origins.contains { $0.source == source }
        }.keys.max()
        ends.append((source, last ?? .min))
    }

    /// Ends whose source has nothing waiting any more.
    mutating func takeEnds() -> [SourceID] {
        let first = buckets.keys.min() ?? .max
        defer { ends.removeAll { $0.last < first } }
        return ends.filter { $0.last < first }.map(\.source)
    }

    /// Appends to `batch` what no further event can come before.
    /// - Parameters:
    ///   - highWater: the stream's time; nil: there will be no further event.
    ///   - accepted: per reading of `batch`.
    mutating func release(
        through highWater: Timestamp?, into batch: inout Batch, _ accepted: inout [Bool], _ names: SeriesNames
    ) {
        let frontier = highWater.map {
            Self.bucket($0.advanced(by: Span64(nanoseconds: -lateness.nanoseconds)), width)
        }
        for key in buckets.keys.filter({ key in frontier.map { key < $0 } ?? true }).sorted() {
            guard let bucket = buckets.removeValue(forKey: key) else { continue }
            heldReadings -= bucket.events.readingCount
            learnRanks(names)
            for event in order(of: bucket.events, names) {
                batch.append(event, of: bucket.events, accepted: bucket.accepted, into: &accepted)
            }
        }
    }

    // MARK: Handover

    /// The events of one source alone.
    func part(of source: SourceID) -> EventOrder {
        var part = EventOrder(lateness: lateness)
        for bucket in buckets.values {
            for event in 0..<bucket.events.eventCount where bucket.events.source(of: event) == source {
                part.take(event, of: bucket)
            }
        }
        return part
    }

    var sensors: [SensorID] { buckets.values.flatMap(\.events.sensors) }

    /// Forgets the events of a source, and its end.
    mutating func remove(_ source: SourceID) {
        var rest = EventOrder(lateness: lateness)
        for bucket in buckets.values {
            for event in 0..<bucket.events.eventCount where bucket.events.source(of: event) != source {
                rest.take(event, of: bucket)
            }
        }
        rest.ends = ends.filter { $0.source != source }
        rest.ranks = ranks
        self = rest
    }

    private mutating func take(_ event: Int, of bucket: Bucket) {
        let key = Self.bucket(bucket.events.times[event], width)
        buckets[key, default: Bucket(events: Batch(origin: bucket.events.origin))]
            .append(event, of: bucket.events, accepted: bucket.accepted)
        heldReadings += bucket.events.readings(of: event).count
    }

    private mutating func learnRanks(_ names: SeriesNames) {
        for sensor in ranks.count..<max(ranks.count, names.sensorNames.count) {
            ranks.append(names.rank(ofSensor: sensor))
        }
    }

    /// By time, sensor, then everything else that can tell two events apart.
    private func order(of events: Batch, _ names: SeriesNames) -> [Int] {
        (0..<events.eventCount).sorted { left, right in
            if events.times[left] != events.times[right] { return events.times[left] < events.times[right] }
            let leftSensor = Int(events.sensors[left].index)
            let rightSensor = Int(events.sensors[right].index)
            if leftSensor != rightSensor {
                if ranks[leftSensor] != ranks[rightSensor] { return ranks[leftSensor] < ranks[rightSensor] }
                return names.sensorNames[leftSensor] < names.sensorNames[rightSensor]
            }
            return Self.content(left, events, names).lexicographicallyPrecedes(Self.content(right, events, names))
        }
    }

    private static func content(_ event: Int, _ events: Batch, _ names: SeriesNames) -> [UInt64] {
        var content = [events.eventKeys[event]]
        for reading in events.readings(of: event) {
            content.append(names.rank(of: events.series[reading]))
            content.append(events.values[reading].bitPattern)
        }
        return content
    }

    /// Rounded down also for times before 1970.
    private static func bucket(_ time: Timestamp, _ width: Int64) -> Int64 {
        let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: width)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension EventOrder.Bucket {
    fileprivate mutating func append(_ event: Int, of batch: Batch, accepted: [Bool]) {
        events.append(event, of: batch, accepted: accepted, into: &self.accepted)
    }
}

extension Batch {
    /// One event of another batch, with its raw bytes and where it came from.
    fileprivate mutating func append(_ event: Int, of other: Batch, accepted: [Bool], into mine: inout [Bool]) {
        let payload = other.payloads[event]
        let offset = bytes.count
        bytes += other.bytes[payload.range.clamped(to: other.bytes.indices)]
        for reading in other.readings(of: event) {
            series.append(other.series[reading])
            values.append(other.values[reading])
            mine.append(accepted[reading])
        }
        appendEvent(
            sensor: other.sensors[event], time: other.times[event], key: other.eventKeys[event],
            payload: ByteRange(offset: offset, length: bytes.count - offset), label: other.labels[event])
        noteOrigin(other.origin(of: event))
    }

    private mutating func noteOrigin(_ origin: Origin) {
        if let last = originOfEvent.last, origins[Int(last)].isSame(as: origin) {
            originOfEvent.append(last)
            return
        }
        originOfEvent.append(UInt32(origins.count))
        origins.append(origin)
    }
}

extension Origin {
    fileprivate func isSame(as other: Origin) -> Bool {
        source == other.source && received == other.received && position == other.position
    }
}

// MARK: Checkpoint

extension EventOrder {
    func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(buckets.count))
        for (_, bucket) in buckets.sorted(by: { $0.key < $1.key }) { bucket.save(to: &writer) }
        writer.write(varint: UInt64(ends.count))
        for end in ends {
            writer.write(end.source.index)
            writer.write(end.last)
        }
    }

    /// The buckets may have been cut otherwise: each event finds its own.
    /// - Parameter source: whose all events are; nil: as saved.
    /// - Returns: false for nonsense.
    mutating func restore(from reader: inout StateReader, _ ids: SavedIDs, source: SourceID? = nil) -> Bool {
        guard let count = reader.readCount() else { return false }
        for _ in 0..<count {
            guard let bucket = Bucket(restoring: &reader, ids, source) else { return false }
            var refused = Batch(origin: bucket.events.origin)
            hold(bucket.events, accepted: bucket.accepted, refused: &refused)
        }
        guard let endCount = reader.readCount(of: 10) else { return false }
        for _ in 0..<endCount {
            guard let source = reader.read(UInt16.self), let last = reader.read(Int64.self) else { return false }
            ends.append((SourceID(source), last))
        }
        return true
    }
}

extension EventOrder.Bucket {
    fileprivate func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(events.origins.count))
        for origin in events.origins {
            writer.write(origin.source.index)
            writer.write(text: origin.sourceName)
            writer.write(origin.position)
            writer.write(origin.received)
        }
        writer.write(varint: UInt64(events.eventCount))
        for event in 0..<events.eventCount {
            writer.write(varint: UInt64(events.originOfEvent[event]))
            writer.write(events.sensors[event].index)
            writer.write(events.times[event])
            writer.write(events.eventKeys[event])
            writer.write(events.labels[event].rawValue)
            writer.write(blob: events.bytes[events.payloads[event].range])
            let readings = events.readings(of: event)
            writer.write(varint: UInt64(readings.count))
            for reading in readings {
                writer.write(events.series[reading].index)
                writer.write(events.values[reading])
                writer.write(accepted[reading])
            }
        }
    }

    fileprivate init?(restoring reader: inout StateReader, _ ids: SavedIDs, _ own: SourceID?) {
        guard let originCount = reader.readCount(of: 19) else { return nil }
        var batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: "", position: 0, received: Timestamp(seconds: 0)))
        for _ in 0..<originCount {
            guard let source = reader.read(UInt16.self), let name = reader.readText(),
                let position = reader.read(Int64.self), let received = reader.readTimestamp()
            else { return nil }
            batch.origins.append(
                Origin(
                    source: own ?? SourceID(source), sourceName: name, position: position, received: received))
        }
        guard let count = reader.readCount(of: 23) else { return nil }
        for _ in 0..<count {
            guard let accepted = batch.appendEvent(restoring: &reader, ids) else { return nil }
            self.accepted += accepted
        }
        events = batch
    }
}

extension Batch {
    fileprivate mutating func appendEvent(restoring reader: inout StateReader, _ ids: SavedIDs) -> [Bool]? {
        guard let origin = reader.readVarint(), origin < UInt64(origins.count), let sensor = reader.readSensor(ids),
            let time = reader.readTimestamp(),
            let key = reader.read(UInt64.self), let label = reader.read(UInt8.self), let payload = reader.readBlob(),
            let count = reader.readCount(of: 13)
        else { return nil }
        var accepted: [Bool] = []
        for _ in 0..<count {
            guard let number = reader.readSeries(ids), let value = reader.readDouble(),
                let isAccepted = reader.readFlag()
            else { return nil }
            series.append(number)
            values.append(value)
            accepted.append(isAccepted)
        }
        let offset = bytes.count
        bytes += payload
        appendEvent(
            sensor: sensor, time: time, key: key,
            payload: ByteRange(offset: offset, length: payload.count), label: EventLabel(rawValue: label))
        originOfEvent.append(UInt32(origin))
        return accepted
    }
}
