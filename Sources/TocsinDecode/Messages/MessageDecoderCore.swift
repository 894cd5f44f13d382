internal import TocsinCore

/// The state behind `MessageDecoder`: one decoder for each family of forms, in the order of the messages.
struct MessageDecoderCore {
    let settings: MessageDecoderSettings
    let plan: FieldPlan
    var json: JSONMessageDecoder
    var columns = MessageColumns()
    var cache = SeriesCache()
    var senml = SenMLDecoder()
    var sparkplug: SparkplugHost
    var influx: InfluxLines
    var otlp: OTLPDecoder
    var store: SchemaStore
    private(set) var skippedValues = 0
    private var routes: [MessageRoute] = []
    /// By message: where its content starts, behind framing and byte order mark, and how long it is.
    var contents: [ByteRange] = []
    private var table: SeriesTable?

    init(_ settings: MessageDecoderSettings) {
        self.settings = settings
        plan = FieldPlan(settings.mapping)
        json = JSONMessageDecoder(plan, limits: settings.limits)
        sparkplug = SparkplugHost(limits: settings.sparkplugLimits)
        influx = InfluxLines(
            precision: settings.influxPrecision, sensorTags: settings.influxSensorTags,
            metricTags: settings.influxMetricTags)
        otlp = OTLPDecoder(sensorAttributes: settings.sensorAttributes)
        store = SchemaStore(plan)
    }

    mutating func takeReplies() -> SparkplugReplies { sparkplug.takeReplies() }

    mutating func decode(_ messages: MessageBatch, origin: Origin, table: SeriesTable) -> Batch {
        let skippedBefore = skippedValues
        defer { settings.skipped?.add(skippedValues - skippedBefore) }
        if self.table !== table {
            self.table = table
            cache.removeAll()
        }
        var batch = Batch(origin: origin)
        batch.bytes = messages.bytes
        batch.messageStarts = messages.payloads.map(\.offset)
        batch.messages = messages.withoutBytes
        route(messages, &batch)
        var start = 0
        while start < routes.count {
            let family = routes[start].family
            var end = start + 1
            while end < routes.count, routes[end].family == family { end += 1 }
            switch family {
            case .json: json.decode(messages, contents, start..<end, table, &batch)
            case .csv: decodeRows(messages, start..<end, table, &batch)
            case .refused: break
            default: decodeEach(messages, start..<end, table, &batch)
            }
            start = end
        }
        return batch
    }

    private mutating func route(_ messages: MessageBatch, _ batch: inout Batch) {
        // Local, so that the loop neither copies nor locks this whole struct.
        let router = MessageRouter(
            form: settings.form, longest: settings.limits.maximumMessageBytes, hasRegistry: settings.schemas != nil,
            store: store)
        var routes = routes
        var contents = contents
        self.routes = []
        self.contents = []
        routes.removeAll(keepingCapacity: true)
        contents.removeAll(keepingCapacity: true)
        let isSparkplug = messages.envelopes.map { SparkplugTopic.isOne($0.topic) }
        let rows = messages.envelopeOfMessage
        let bytes = messages.bytes.span
        for message in 0..<messages.count {
            let payload = messages.payloads[message]
            var content = payload
            let row = rows.isEmpty ? 0 : message < rows.count ? Int(rows[message]) : isSparkplug.count
            var route = MessageRoute.refused
            do throws(DecodeFault) {
                try router.check(payload, bytes.count)
                route = try router.route(bytes, &content, isSparkplug: row < isSparkplug.count && isSparkplug[row])
            } catch {
                batch.reject(message: message, payload: payload, error, limits: settings.limits)
            }
            routes.append(route)
            contents.append(content)
        }
        self.routes = routes
        self.contents = contents
    }

    /// Messages one by one, by the form of each.
    private mutating func decodeEach(
        _ messages: MessageBatch, _ range: Range<Int>, _ table: SeriesTable, _ batch: inout Batch
    ) {
        let book = EnvelopeBook(messages, defaultSensor: settings.mapping.defaultSensor, limits: settings.limits)
        var columns = columns
        self.columns = MessageColumns()
        columns.removeAll()
        columns.singleRefusals = settings.limits.singleRejects
        store.beginBatch()
        let bytes = messages.bytes.span
        for message in range {
            columns.message = message
            let mark = columns.mark
            do throws(DecodeFault) {
                let now = book.time(message) ?? batch.origin.received
                try decode(bytes, message, book, now, &columns)
            } catch {
                columns.roll(back: mark)
                columns.refuse(error)
            }
        }
        var cache = cache
        self.cache = SeriesCache()
        table.withIndex { index in
            var collector = MessageCollector(limits: settings.limits, batch: batch, book: book)
            batch = Batch(origin: collector.batch.origin)
            collector.collect(columns, &cache, &index)
            swap(&batch, &collector.batch)
        }
        self.columns = columns
        self.cache = cache
    }

    private mutating func decode(
        _ bytes: Span<UInt8>, _ message: Int, _ book: EnvelopeBook, _ now: Timestamp, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        let range = contents[message].range
        switch routes[message] {
        case .number:
            let value = try PlainNumber.read(bytes, range)
            columns.open(sensor: .none, time: nil)
            columns.add(value, metric: .none)
        case .senmlJSON: try senml.decode(json: bytes, range, now: now, &columns)
        case .senmlCBOR: try senml.decode(cbor: bytes, range, now: now, &columns)
        case .sparkplug:
            let topic = book.envelope(message)?.topic ?? ""
            skippedValues += try sparkplug.decode(bytes, range, topic: topic, now: now, &columns)
        case .influx: skippedValues += influx.decode(bytes, range, &columns)
        case .schema: try store.decode(bytes, range, &columns)
        case .otlpProtobuf: skippedValues += try otlp.decode(protobuf: bytes, range, &columns)
        case .otlpJSON: skippedValues += try otlp.decode(json: bytes, range, &columns)
        case .json, .csv, .refused: break
        }
    }
}
