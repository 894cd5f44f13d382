internal import TocsinCore

extension SparkplugHost {
    /// The definitions of a birth, and its values as readings.
    func born(
        _ payload: SparkplugPayload, replacing known: Int, _ topic: SparkplugTopic, device: String?,
        _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> (definitions: SparkplugDefinitions, skipped: Int) {
        guard metricCount - known + payload.metrics.count <= limits.maximumMetrics else {
            throw DecodeFault(.cardinality, "would define more than the \(limits.maximumMetrics) metrics kept")
        }
        var definitions = SparkplugDefinitions()
        definitions.isAlive = true
        var place = Place(topic)
        for field in payload.metrics {
            let metric = try SparkplugMetric(field.content, bytes)
            guard !metric.name.isEmpty else { throw .malformed("is a birth with a metric that has no name") }
            guard metric.name.count <= limits.maximumNameBytes else {
                throw DecodeFault(.tooLong, "names a metric of more than \(limits.maximumNameBytes) bytes")
            }
            definitions.add(metric, bytes)
            guard !Self.isControl(bytes.extracting(metric.name)) else { continue }
            let type = metric.type
            append(metric, field.whole, TextRef(metric.name), type, payload, &place, &columns)
        }
        return (definitions, place.skipped)
    }

    /// The readings of a data message.
    mutating func data(
        _ payload: SparkplugPayload, _ node: Int, _ device: Int?, _ bytes: Span<UInt8>, _ now: Timestamp,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        let topic = device.map { nodes[node].devices[$0].topic } ?? nodes[node].topic
        var place = Place(topic)
        var isMissing = device.map { !nodes[node].devices[$0].definitions.isAlive } ?? false
        for field in payload.metrics {
            let metric = try SparkplugMetric(field.content, bytes)
            let known = definition(of: metric, node, device, bytes)
            if known == nil { isMissing = true }
            var name = TextRef(metric.name)
            if metric.name.isEmpty {
                guard let known else {
                    let alias = metric.alias.map { "the alias \($0)" } ?? "neither name nor alias"
                    // One letter for all of them: a hundred metrics whose birth is missing are one fault.
                    columns.refuse(
                        DecodeFault(.missingField, "has a metric with \(alias), which no birth has named"))
                    continue
                }
                name = columns.keep(names(node, device).span.extracting(known.name))
            }
            guard !name.with(bytes, columns.side.span, { Self.isControl($0) }) else { continue }
            append(metric, field.whole, name, known?.type, payload, &place, &columns)
        }
        if isMissing { askForRebirth(node, now) }
        return place.skipped
    }

    private func names(_ node: Int, _ device: Int?) -> [UInt8] {
        device.map { nodes[node].devices[$0].definitions.names } ?? nodes[node].definitions.names
    }

    private func definition(
        of metric: SparkplugMetric, _ node: Int, _ device: Int?, _ bytes: Span<UInt8>
    ) -> SparkplugDefinitions.Definition? {
        let name = bytes.extracting(metric.name)
        if let device {
            if let alias = metric.alias, metric.name.isEmpty {
                return nodes[node].devices[device].definitions.definition(alias: alias)
            }
            return nodes[node].devices[device].definitions.definition(named: name)
        }
        if let alias = metric.alias, metric.name.isEmpty { return nodes[node].definitions.definition(alias: alias) }
        return nodes[node].definitions.definition(named: name)
    }

    /// Where the readings of a message belong.
    struct Place {
        let topic: SparkplugTopic
        private(set) var sensor: TextRef?
        private(set) var zone = TextRef.none
        var skipped = 0

        init(_ topic: SparkplugTopic) { self.topic = topic }

        mutating func sensor(_ columns: inout MessageColumns) -> TextRef {
            if let sensor { return sensor }
            let sensor = columns.keep(topic.sensor.utf8)
            zone = columns.keep(topic.group.utf8)
            self.sensor = sensor
            return sensor
        }
    }

    /// Adds the metric's value, where it is a reading.
    /// - Parameter part: the metric in its message, of which nothing else is kept with the event: each of a hundred metrics
    ///   with times of their own would keep all hundred. One dated by its message keeps the whole, which all of the same
    ///   date share.
    private func append(
        _ metric: SparkplugMetric, _ part: Range<Int>, _ name: TextRef, _ type: UInt32?, _ payload: SparkplugPayload,
        _ place: inout Place, _ columns: inout MessageColumns
    ) {
        if metric.isNull { return }
        // Values that the edge node itself calls bad or stale.
        guard metric.quality != 0, metric.quality != 500, let value = metric.reading(type) else {
            place.skipped += 1
            return
        }
        var time: Timestamp?
        if let milliseconds = metric.timestamp ?? payload.timestamp, milliseconds > 0 {
            guard milliseconds < 9_223_372_036_854 else {
                let fault = "has a metric with the time \(milliseconds) ms, which lies outside 1970 to 2262"
                return columns.refuse(DecodeFault(.badTime, fault), metric.timestamp == nil ? nil : part)
            }
            time = Timestamp(nanoseconds: Int64(milliseconds) * 1_000_000)
        }
        let sensor = place.sensor(&columns)
        let isNew = columns.open(sensor: sensor, zone: place.zone, time: time)
        if metric.timestamp == nil {
            columns.widen()
        } else if isNew || !columns.isLastWhole {
            columns.narrow(to: part)
        }
        columns.add(value, metric: name, unit: TextRef(metric.unit))
    }

    /// Metrics that steer the edge node or number its sessions, and measure nothing.
    private static func isControl(_ name: Span<UInt8>) -> Bool {
        if name.isEqual("bdSeq") { return true }
        let control: StaticString = name.count > 0 && name[0] == UInt8(ascii: "N") ? "Node Control/" : "Device Control/"
        return name.count > control.utf8CodeUnitCount
            && name.extracting(0..<control.utf8CodeUnitCount).isEqual(control)
    }

    /// The metric `bdSeq` of a birth or death.
    static func session(_ payload: SparkplugPayload, _ bytes: Span<UInt8>) throws(DecodeFault) -> UInt64? {
        for field in payload.metrics {
            let metric = try SparkplugMetric(field.content, bytes)
            if bytes.extracting(metric.name).isEqual("bdSeq"), case .integer(let number) = metric.value {
                return number
            }
        }
        return nil
    }
}
