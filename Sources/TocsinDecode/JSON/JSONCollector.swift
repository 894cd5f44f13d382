internal import CSimdJSON
internal import TocsinCore

/// Turns parsed columns into the columns of a batch: names become ids, texts become times, what is wrong a reject.
///
/// Safe, because the pointers in `parsed` outlive it: it lives inside the closure that keeps them valid.
@safe
struct JSONCollector {
    let parsed: ParsedColumns
    let limits: DecodeLimits
    let mapping: InputMapping
    let times: TimeReader
    let labels: LabelReader
    var batch: Batch
    /// What the topics of messages say; nil for input that is no messages.
    var book: EnvelopeBook?
    /// Where the parsed bytes stand in those of the batch.
    let start: Int
    /// What was refused so far.
    var rejected = 0
    /// Up to here the walk through a sensor's series is as fast as the cache.
    private static let fewReadings = 8
    private var defaultSensor: SensorID?
    // Ids are dense: one not below these counts is new.
    private var knownSensors = 0
    private var knownSeries = 0
    // Neighbouring messages mostly share their time and their metric.
    private var lastTimeText: UnsafeBufferPointer<UInt8>
    private var lastTime: Timestamp?
    private var lastMetricText: UnsafeBufferPointer<UInt8>
    private var lastMetric: MetricID?

    init(
        parsed: ParsedColumns, plan: FieldPlan, limits: DecodeLimits, batch: consuming Batch, start: Int = 0,
        book: consuming EnvelopeBook? = nil
    ) {
        unsafe self.parsed = parsed
        self.limits = limits
        mapping = plan.mapping
        times = TimeReader(format: plan.mapping.timeFormat)
        labels = LabelReader(isExplicit: plan.mapping.labelColumn != nil)
        self.batch = batch
        self.start = start
        self.book = book
        unsafe lastTimeText = UnsafeBufferPointer(start: nil, count: 0)
        unsafe lastMetricText = UnsafeBufferPointer(start: nil, count: 0)
    }

    mutating func collect(_ keys: inout JSONKeys, _ index: inout SeriesIndex) {
        knownSensors = index.sensorCount
        knownSeries = index.seriesCount
        let eventCount = unsafe parsed.events.count
        unsafe batch.reserve(
            events: batch.eventCount + eventCount, readings: batch.readingCount + parsed.readings.count)
        for position in 0..<eventCount {
            let event = unsafe parsed.events[position]
            collect(event, &keys, &index)
        }
    }

    private mutating func collect(_ event: tsj_event, _ keys: inout JSONKeys, _ index: inout SeriesIndex) {
        book?.move(to: event.begin)
        guard Int(event.status) == TSJ_OK else { return rejectBroken(event) }
        // The time comes first, so that a message without one leaves no sensor behind.
        guard let time = time(of: event), let sensor = sensor(of: event, &index) else { return }
        let readingsBefore = batch.values.count
        let rejectedBefore = rejected
        let first = Int(event.first_reading)
        for position in first..<first + Int(event.reading_count) {
            let reading = unsafe parsed.readings[position]
            append(reading, of: event, sensor, &keys, &index)
        }
        guard batch.values.count > readingsBefore else {
            if rejected == rejectedBefore, event.nulls == 0 {
                reject(event, .missingField, "holds no number that could be a reading")
            }
            return
        }
        batch.appendEvent(
            sensor: sensor, time: time, key: eventKey(event), payload: range(event), label: label(event))
    }

    private mutating func append(
        _ reading: tsj_reading, of event: tsj_event, _ sensor: SensorID, _ keys: inout JSONKeys,
        _ index: inout SeriesIndex
    ) {
        guard Int(reading.code) == TSJ_NUMBER else { return rejectField(reading, of: event, keys) }
        let key = Int(reading.key)
        let metric: MetricID?
        if event.narrow == 1 {
            let name = unsafe parsed.text(event.metric)
            guard name.count <= limits.maximumNameBytes else {
                return reject(event, .tooLong, "names a metric of more than \(limits.maximumNameBytes) bytes")
            }
            if unsafe !Text.equal(name, lastMetricText) {
                unsafe lastMetricText = name
                lastMetric = unsafe index.metric(name.span)
            }
            metric = lastMetric
        } else if book != nil, keys.keys[key].isValue, case .known(let topic) = book?.currentMetric(&index) {
            metric = topic
        } else {
            metric = keys.metric(key, &index)
        }
        let series = metric.flatMap { metric in
            event.reading_count > Self.fewReadings
                ? keys.cache.series(sensor, metric, &index) : index.series(sensor, metric)
        }
        guard let series else {
            return reject(event, .cardinality, "would add a series beyond the configured number")
        }
        if series.index >= knownSeries {
            knownSeries = Int(series.index) + 1
            setUnit(series, event, key, keys, &index)
        }
        batch.series.append(series)
        batch.values.append(reading.value)
    }

    private func setUnit(
        _ series: SeriesID, _ event: tsj_event, _ key: Int, _ keys: JSONKeys, _ index: inout SeriesIndex
    ) {
        let isOfMessage = event.narrow == 1 || (book != nil && keys.keys[key].isValue)
        if isOfMessage, event.unit.length > 0 {
            guard Int(event.unit.length) <= limits.maximumNameBytes else { return }
            index.setUnit(unsafe String(decoding: parsed.text(event.unit), as: UTF8.self), of: series)
        } else if event.narrow == 0, let unit = keys.keys[key].name.unit {
            index.setUnit(unit, of: series)
        } else if event.reading_count == 1, let unit = book?.currentUnit {
            index.setUnit(unit, of: series)
        }
    }

    private mutating func time(of event: tsj_event) -> Timestamp? {
        switch Int(event.time_kind) {
        case TSJ_TIME_NONE:
            if book != nil { return book?.currentTime ?? batch.origin.received }
            if mapping.timeFromReceipt { return batch.origin.received }
            reject(event, .missingField, "has no time field")
            return nil
        case TSJ_TIME_WRONG_TYPE:
            reject(event, .badTime, "has a time that is neither text nor a number")
            return nil
        default:
            let text = unsafe parsed.text(event.time)
            if let lastTime, unsafe Text.equal(text, lastTimeText) { return lastTime }
            if let time = unsafe times.time(text.span) {
                unsafe lastTimeText = text
                lastTime = time
                return time
            }
            let excerpt = unsafe Text.excerpt(text.span)
            reject(event, .badTime, "has the time \"\(excerpt)\", which cannot be read or lies outside 1970 to 2262")
            return nil
        }
    }

    private mutating func sensor(of event: tsj_event, _ index: inout SeriesIndex) -> SensorID? {
        let sensor: SensorID?
        if event.sensor.length > 0 {
            let name = unsafe parsed.text(event.sensor)
            guard name.count <= limits.maximumNameBytes else {
                reject(event, .tooLong, "names a sensor of more than \(limits.maximumNameBytes) bytes")
                return nil
            }
            sensor = unsafe index.sensor(name.span)
        } else if book != nil {
            switch book?.currentSensor(&index) {
            case .known(let known): sensor = known
            case .refused: sensor = nil
            case .absent, nil:
                reject(event, .missingField, "names no sensor, and neither does its topic")
                return nil
            }
        } else if let name = mapping.defaultSensor {
            sensor = defaultSensor ?? index.sensor(name.utf8.span)
            defaultSensor = sensor
        } else {
            reject(event, .missingField, "names no sensor")
            return nil
        }
        guard let sensor else {
            reject(event, .cardinality, "would add a sensor beyond the configured number")
            return nil
        }
        guard sensor.index >= knownSensors else { return sensor }
        knownSensors = Int(sensor.index) + 1
        if event.zone.length > 0, Int(event.zone.length) <= limits.maximumNameBytes {
            index.setZone(unsafe String(decoding: parsed.text(event.zone), as: UTF8.self), of: sensor)
        } else if let zone = book?.currentZone {
            index.setZone(zone, of: sensor)
        }
        return sensor
    }

    private func eventKey(_ event: tsj_event) -> UInt64 {
        guard event.event_id.length > 0 else { return 0 }
        var hash = StableHash()
        let text = unsafe parsed.text(event.event_id)
        unsafe hash.combine(text.span)
        return max(hash.value, 1)
    }

    private func label(_ event: tsj_event) -> EventLabel {
        let flag: EventLabel
        switch Int(event.label) {
        case TSJ_LABEL_NORMAL: flag = .normal
        case TSJ_LABEL_ANOMALOUS: flag = .anomalous
        case TSJ_LABEL_TEXT:
            let text = unsafe parsed.text(event.label_text)
            flag = unsafe labels.label(text.span)
        default: flag = .none
        }
        guard event.label_kind.length > 0 else { return flag }
        let kind = unsafe parsed.text(event.label_kind)
        return unsafe labels.label(flag: flag, kind: kind.span)
    }
}
