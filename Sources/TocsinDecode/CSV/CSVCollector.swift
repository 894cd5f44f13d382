internal import TocsinCore

/// Turns CSV rows into the columns of a batch.
struct CSVCollector {
    let limits: DecodeLimits
    let mapping: InputMapping
    let times: TimeReader
    let labels: LabelReader
    var batch: Batch
    /// The line on which the current row starts, less one.
    var line: Int
    private var sensorOfAll: SensorID?
    // Ids are dense: one not below these counts is new.
    private var knownSensors = 0
    private var knownSeries = 0

    init(plan: FieldPlan, limits: DecodeLimits, line: Int, batch: consuming Batch) {
        self.limits = limits
        mapping = plan.mapping
        times = TimeReader(format: plan.mapping.timeFormat)
        labels = LabelReader(isExplicit: plan.mapping.labelColumn != nil)
        self.batch = batch
        self.line = line
    }

    mutating func collect(
        _ bytes: Span<UInt8>, from start: Int, _ header: inout CSVHeader, _ cells: inout [CSVRowScanner.Cell],
        _ index: inout SeriesIndex
    ) {
        var start = start
        knownSensors = index.sensorCount
        knownSeries = index.seriesCount
        while start < bytes.count, let row = header.scanner.row(bytes, from: start, isFinal: true, cells: &cells) {
            let range = start..<row.end
            if row.fault == .tooLong || cells.count > 1 || !Text.trim(bytes, range).isEmpty {
                if let fault = row.fault {
                    rejectRow(fault, bytes, range, cells.count, header)
                } else {
                    collect(bytes, range, cells, &header, &index)
                }
            }
            line += row.lines
            start = row.next
        }
    }

    private mutating func collect(
        _ bytes: Span<UInt8>, _ row: Range<Int>, _ cells: [CSVRowScanner.Cell], _ header: inout CSVHeader,
        _ index: inout SeriesIndex
    ) {
        // The time comes first, so that a row without one leaves no sensor behind.
        guard let time = time(bytes, row, cells, header), let sensor = sensor(bytes, row, cells, header, &index) else {
            return
        }
        let readingsBefore = batch.values.count
        for position in header.readings { append(bytes, row, cells, position, sensor, &header, &index) }
        guard batch.values.count > readingsBefore else {
            if header.readings.isEmpty {
                reject(row, .missingField, "holds no number: no column of the header is a metric")
            }
            return
        }
        batch.appendEvent(
            sensor: sensor, time: time, key: eventKey(bytes, cells, header),
            payload: ByteRange(offset: row.lowerBound, length: row.count), label: label(bytes, cells, header))
    }

    private mutating func append(
        _ bytes: Span<UInt8>, _ row: Range<Int>, _ cells: [CSVRowScanner.Cell], _ position: Int, _ sensor: SensorID,
        _ header: inout CSVHeader, _ index: inout SeriesIndex
    ) {
        let cell = cells[position]
        let text = bytes.extracting(cell.start..<cell.end)
        let value: Double
        switch CSVNumber.read(text, allowsDecimalComma: header.scanner.separator != UInt8(ascii: ",")) {
        case .absent: return
        case .number(let number): value = number
        case .word where !header.columns[position].isNumeric: return
        case .word, .notFinite:
            let excerpt = Text.excerpt(text)
            let name = header.columns[position].name.name
            return reject(
                row, .notANumber, "has \"\(excerpt)\" in the column `\(name)`, which is not a finite number")
        }
        header.columns[position].isNumeric = true
        guard let series = series(bytes, cells, position, sensor, &header, &index) else {
            return reject(row, .cardinality, "would add a series beyond the configured number")
        }
        if series.index >= knownSeries {
            knownSeries = Int(series.index) + 1
            setUnit(series, bytes, cells, position, header, &index)
        }
        batch.series.append(series)
        batch.values.append(value)
    }

    private func series(
        _ bytes: Span<UInt8>, _ cells: [CSVRowScanner.Cell], _ position: Int, _ sensor: SensorID,
        _ header: inout CSVHeader,
        _ index: inout SeriesIndex
    ) -> SeriesID? {
        if header.isNarrow, let name = header.metricName {
            let metric = withText(bytes, cells[name]) { text in
                text.count <= limits.maximumNameBytes ? index.metric(text) : nil
            }
            return metric.flatMap { index.series(sensor, $0) }
        }
        if header.columns[position].sensor == sensor, let series = header.columns[position].series { return series }
        let name = header.columns[position].name.name
        guard let metric = header.columns[position].metric ?? index.metric(name.utf8.span) else { return nil }
        header.columns[position].metric = metric
        let series = header.cache.series(sensor, metric, &index)
        header.columns[position].sensor = sensor
        header.columns[position].series = series
        return series
    }

    private func setUnit(
        _ series: SeriesID, _ bytes: Span<UInt8>, _ cells: [CSVRowScanner.Cell], _ position: Int, _ header: CSVHeader,
        _ index: inout SeriesIndex
    ) {
        if header.isNarrow, let unit = header.unit {
            let text = cells[unit].text(bytes)
            if !text.isEmpty, text.count <= limits.maximumNameBytes {
                index.setUnit(String(decoding: text, as: UTF8.self), of: series)
            }
        } else if let unit = header.columns[position].name.unit {
            index.setUnit(unit, of: series)
        }
    }

    private mutating func time(
        _ bytes: Span<UInt8>, _ row: Range<Int>, _ cells: [CSVRowScanner.Cell], _ header: CSVHeader
    ) -> Timestamp? {
        let text = header.time.map { Text.trim(bytes, cells[$0].start..<cells[$0].end) }
        guard let text, !text.isEmpty else {
            if mapping.timeFromReceipt { return batch.origin.received }
            let fault = header.time == nil ? "has no time: no column of the header is known as one" : "has no time"
            reject(row, .missingField, fault)
            return nil
        }
        let cell = bytes.extracting(text)
        if let time = times.time(cell) { return time }
        let excerpt = Text.excerpt(cell)
        reject(row, .badTime, "has the time \"\(excerpt)\", which cannot be read or lies outside 1970 to 2262")
        return nil
    }

    private mutating func sensor(
        _ bytes: Span<UInt8>, _ row: Range<Int>, _ cells: [CSVRowScanner.Cell], _ header: CSVHeader,
        _ index: inout SeriesIndex
    ) -> SensorID? {
        var sensor: SensorID?
        if let column = header.sensor, cells[column].end > cells[column].start {
            let fits = withText(bytes, cells[column]) { text in
                guard text.count <= limits.maximumNameBytes else { return false }
                sensor = index.sensor(text)
                return true
            }
            guard fits else {
                reject(row, .tooLong, "names a sensor of more than \(limits.maximumNameBytes) bytes")
                return nil
            }
        } else if let name = mapping.defaultSensor {
            sensor = sensorOfAll ?? index.sensor(name.utf8.span)
            sensorOfAll = sensor
        } else {
            reject(row, .missingField, "names no sensor")
            return nil
        }
        guard let sensor else {
            reject(row, .cardinality, "would add a sensor beyond the configured number")
            return nil
        }
        guard sensor.index >= knownSensors else { return sensor }
        knownSensors = Int(sensor.index) + 1
        if let zone = header.zone {
            let text = cells[zone].text(bytes)
            if !text.isEmpty, text.count <= limits.maximumNameBytes {
                index.setZone(String(decoding: text, as: UTF8.self), of: sensor)
            }
        }
        return sensor
    }

    private func eventKey(_ bytes: Span<UInt8>, _ cells: [CSVRowScanner.Cell], _ header: CSVHeader) -> UInt64 {
        guard let column = header.eventID, cells[column].end > cells[column].start else { return 0 }
        var hash = StableHash()
        withText(bytes, cells[column]) { hash.combine($0) }
        return max(hash.value, 1)
    }

    private func label(_ bytes: Span<UInt8>, _ cells: [CSVRowScanner.Cell], _ header: CSVHeader) -> EventLabel {
        var label = EventLabel.none
        if let column = header.label, cells[column].end > cells[column].start {
            label = withText(bytes, cells[column]) { labels.label($0) }
        }
        guard let column = header.labelKind else { return label }
        return withText(bytes, cells[column]) { labels.label(flag: label, kind: $0) }
    }

    /// What a cell says, without blanks around it.
    private func withText<Result>(_ bytes: Span<UInt8>, _ cell: CSVRowScanner.Cell, _ body: (Span<UInt8>) -> Result)
        -> Result
    {
        if cell.hasDoubledQuotes {
            let text = cell.text(bytes)
            return body(text.span)
        }
        let range = Text.trim(bytes, cell.start..<cell.end)
        return body(bytes.extracting(range))
    }
}

extension CSVCollector {
    private mutating func reject(_ row: Range<Int>, _ reason: DeadLetterReason, _ fault: String) {
        let reject = Reject(
            reason: reason, detail: "Line \(line + 1) \(fault).",
            payload: ByteRange(offset: row.lowerBound, length: row.count))
        batch.add(reject, most: limits.singleRejects)
    }

    private mutating func rejectRow(
        _ fault: CSVRowScanner.Fault, _ bytes: Span<UInt8>, _ row: Range<Int>, _ cellCount: Int, _ header: CSVHeader
    ) {
        let shown = bytes.extracting(row)
        let excerpt = Text.excerpt(shown)
        switch fault {
        case .openQuote: reject(row, .malformed, "has a quote that opens and does not close: \(excerpt)")
        case .textBehindQuote: reject(row, .malformed, "has text behind a closing quote: \(excerpt)")
        case .cellCount:
            reject(
                row, .malformed, "has \(cellCount) cells where the header has \(header.columns.count): \(excerpt)")
        case .tooLong:
            let clipped = row.prefix(limits.clippedBytes)
            reject(clipped, .tooLong, "is longer than \(limits.maximumMessageBytes) bytes")
        }
    }
}
