internal import TocsinCore

/// Turns what the decoders of single messages found into the columns of a batch.
struct MessageCollector {
    let limits: DecodeLimits
    var batch: Batch
    var book: EnvelopeBook
    // Ids are dense: one not below these counts is new.
    private var knownSensors = 0
    private var knownSeries = 0
    // Neighbours mostly share their metric.
    private var lastMetric: (text: TextRef, id: MetricID)?
    var departures = Departures()

    init(limits: DecodeLimits, batch: consuming Batch, book: consuming EnvelopeBook) {
        self.limits = limits
        self.batch = batch
        self.book = book
    }

    mutating func collect(_ columns: MessageColumns, _ cache: inout SeriesCache, _ index: inout SeriesIndex) {
        knownSensors = index.sensorCount
        knownSeries = index.seriesCount
        let bytes = batch.bytes
        let side = columns.side.span
        for position in columns.events.indices {
            let event = columns.events[position]
            let next = position + 1
            let end = next < columns.events.count ? columns.events[next].firstReading : columns.readings.count
            collect(event, columns.readings, event.firstReading..<end, bytes.span, side, &cache, &index)
        }
        for refusal in columns.refusals { reject(refusal.message, refusal.fault, refusal.payload, refusal.count) }
    }

    private mutating func collect(
        _ event: MessageColumns.Event, _ readings: [MessageColumns.Reading], _ range: Range<Int>, _ bytes: Span<UInt8>,
        _ side: Span<UInt8>, _ cache: inout SeriesCache, _ index: inout SeriesIndex
    ) {
        if let departure = event.departure { return collect(departure, event, bytes, side, index) }
        guard !range.isEmpty else { return }
        guard let sensor = sensor(event, bytes, side, &index) else { return }
        let before = batch.values.count
        for position in range {
            let reading = readings[position]
            append(reading, event, sensor, isOnly: range.count == 1, bytes, side, &cache, &index)
        }
        guard batch.values.count > before else { return }
        let time = event.time ?? book.time(event.message) ?? batch.origin.received
        batch.appendEvent(
            sensor: sensor, time: time, key: event.key, payload: event.payload ?? book.payload(event.message),
            label: event.label)
    }

    private mutating func append(
        _ reading: MessageColumns.Reading, _ event: MessageColumns.Event, _ sensor: SensorID, isOnly: Bool,
        _ bytes: Span<UInt8>, _ side: Span<UInt8>, _ cache: inout SeriesCache, _ index: inout SeriesIndex
    ) {
        guard reading.value.isFinite else {
            let name = reading.metric.with(bytes, side) { Text.excerpt($0) }
            let fault = "gives `\(name)` a value that is not finite"
            return reject(event.message, DecodeFault(.notANumber, fault), event.payload)
        }
        guard reading.metric.count <= limits.maximumNameBytes else {
            let fault = "names a metric of more than \(limits.maximumNameBytes) bytes"
            return reject(event.message, DecodeFault(.tooLong, fault), event.payload)
        }
        guard let metric = metric(reading.metric, event.message, bytes, side, &index),
            let series = cache.series(sensor, metric, &index)
        else {
            return reject(
                event.message, DecodeFault(.cardinality, "would add a series beyond the configured number"),
                event.payload)
        }
        if series.index >= knownSeries {
            knownSeries = Int(series.index) + 1
            if !reading.unit.isEmpty, reading.unit.count <= limits.maximumNameBytes {
                index.setUnit(reading.unit.string(bytes, side), of: series)
            } else if isOnly, let unit = book.unit(event.message) {
                index.setUnit(unit, of: series)
            }
        }
        batch.series.append(series)
        batch.values.append(reading.value)
    }

    private mutating func metric(
        _ text: TextRef, _ message: Int, _ bytes: Span<UInt8>, _ side: Span<UInt8>, _ index: inout SeriesIndex
    ) -> MetricID? {
        guard !text.isEmpty else {
            switch book.metric(message, &index) {
            case .known(let metric): return metric
            case .refused: return nil
            case .absent: return index.metric("value".utf8.span)
            }
        }
        if let lastMetric, lastMetric.text == text { return lastMetric.id }
        guard let metric = text.with(bytes, side, { index.metric($0) }) else { return nil }
        lastMetric = (text, metric)
        return metric
    }

    private mutating func sensor(
        _ event: MessageColumns.Event, _ bytes: Span<UInt8>, _ side: Span<UInt8>, _ index: inout SeriesIndex
    ) -> SensorID? {
        var sensor: SensorID?
        if event.sensor.isEmpty {
            switch book.sensor(event.message, &index) {
            case .known(let known): sensor = known
            case .refused: break
            case .absent:
                let fault = "names no sensor, and neither does its topic"
                reject(event.message, DecodeFault(.missingField, fault), event.payload)
                return nil
            }
        } else {
            guard event.sensor.count <= limits.maximumNameBytes else {
                let fault = "names a sensor of more than \(limits.maximumNameBytes) bytes"
                reject(event.message, DecodeFault(.tooLong, fault), event.payload)
                return nil
            }
            sensor = event.sensor.with(bytes, side) { index.sensor($0) }
        }
        guard let sensor else {
            reject(
                event.message, DecodeFault(.cardinality, "would add a sensor beyond the configured number"),
                event.payload)
            return nil
        }
        guard sensor.index >= knownSensors else { return sensor }
        knownSensors = Int(sensor.index) + 1
        if !event.zone.isEmpty, event.zone.count <= limits.maximumNameBytes {
            index.setZone(event.zone.string(bytes, side), of: sensor)
        } else if let zone = book.zone(event.message) {
            index.setZone(zone, of: sensor)
        }
        return sensor
    }

    mutating func reject(_ message: Int, _ fault: DecodeFault, _ payload: ByteRange? = nil, _ count: Int = 1) {
        batch.reject(
            message: message, payload: payload ?? book.payload(message), fault, limits: limits, count: count)
    }
}

extension Batch {
    /// Rejects a message, or a part of one; one that is too long is kept in part.
    mutating func reject(
        message: Int, payload: ByteRange, _ fault: DecodeFault, limits: DecodeLimits, count: Int = 1
    ) {
        var payload = payload
        if Int(payload.length) > limits.maximumMessageBytes {
            payload.length = UInt32(truncatingIfNeeded: limits.clippedBytes)
        }
        let place = origin.position &+ Int64(message)
        let detail = "Message \(place) \(fault.detail)."
        add(
            Reject(reason: fault.reason, detail: detail, payload: payload, count: count), most: limits.singleRejects)
    }
}
