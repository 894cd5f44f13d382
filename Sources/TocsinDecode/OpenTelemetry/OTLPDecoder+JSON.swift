internal import TocsinCore

// The same messages in the JSON of Protobuf: names in lowerCamelCase, 64-bit integers as strings.
extension OTLPDecoder {
    /// The number of values that are no readings.
    mutating func decode(
        json bytes: Span<UInt8>, _ range: Range<Int>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        try tree.parse(bytes, range)
        guard tree.nodes[0].kind == .object else { throw .malformed("is no OpenTelemetry request: not an object") }
        var skipped = 0
        for resourceMetrics in list("resourceMetrics", of: 0, bytes) {
            var context = Context()
            if let resource = tree.member("resource", of: resourceMetrics, bytes) {
                readAttributes(of: resource, &context.sensor, &context.rank, bytes, &columns)
            }
            for scope in list("scopeMetrics", of: resourceMetrics, bytes) {
                for metric in list("metrics", of: scope, bytes) {
                    skipped += read(metric, context, bytes, &columns)
                }
            }
        }
        return skipped
    }

    /// The members of a metric that hold its data points.
    static let kinds: [StaticString] = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"]

    func list(_ name: StaticString, of node: Int, _ bytes: Span<UInt8>) -> [Int] {
        tree.member(name, of: node, bytes).map { tree.children(of: $0) } ?? []
    }

    private func readAttributes(
        of node: Int, _ sensor: inout TextRef, _ rank: inout Int, _ bytes: Span<UInt8>,
        _ columns: inout MessageColumns
    ) {
        for attribute in list("attributes", of: node, bytes) {
            guard let key = tree.member("key", of: attribute, bytes), tree.nodes[key].kind == .string else { continue }
            let found = self.rank(bytes.extracting(tree.nodes[key].text))
            guard found < rank, let value = tree.member("value", of: attribute, bytes) else { continue }
            if let text = tree.member("stringValue", of: value, bytes).flatMap({ tree.text($0, bytes, &columns) }),
                !text.isEmpty
            {
                (sensor, rank) = (text, found)
            } else if let number = tree.member("intValue", of: value, bytes), !tree.nodes[number].text.isEmpty {
                (sensor, rank) = (TextRef(tree.nodes[number].text), found)
            }
        }
    }

    /// What tells a data point from its neighbours.
    private func readLabels(of node: Int, _ bytes: Span<UInt8>, _ columns: inout MessageColumns) -> TextRef {
        let start = columns.side.count
        for attribute in list("attributes", of: node, bytes) {
            guard let key = tree.member("key", of: attribute, bytes).flatMap({ tree.string($0, bytes) }),
                self.rank(key.utf8.span) == .max, let value = tree.member("value", of: attribute, bytes)
            else { continue }
            for child in tree.children(of: value) {
                let word: String? =
                    switch tree.nodes[child].kind {
                    case .yes: "true"
                    case .no: "false"
                    case .number: String(copying: bytes.extracting(tree.nodes[child].text))
                    default: tree.string(child, bytes)
                    }
                if let word { Self.addLabel(key.utf8, word.utf8, since: start, &columns) }
            }
        }
        return Self.closeLabels(since: start, &columns)
    }

    private func read(
        _ metric: Int, _ context: Context, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) -> Int {
        var context = context
        if let name = tree.member("name", of: metric, bytes) {
            context.metric = tree.text(name, bytes, &columns) ?? .none
        }
        if let unit = tree.member("unit", of: metric, bytes) {
            context.unit = tree.text(unit, bytes, &columns) ?? .none
        }
        var skipped = 0
        for kind in Self.kinds {
            guard let data = tree.member(kind, of: metric, bytes), tree.nodes[data].kind == .object else { continue }
            for node in list("dataPoints", of: data, bytes) {
                var point = Point()
                readAttributes(of: node, &point.sensor, &point.rank, bytes, &columns)
                point.labels = readLabels(of: node, bytes, &columns)
                let part = tree.nodes[node].whole
                do throws(DecodeFault) {
                    try read(node, &point, bytes)
                    skipped += append(point, context, part, bytes, &columns)
                } catch {
                    // The others of the request go on.
                    columns.refuse(error, part.isEmpty ? nil : part)
                }
            }
        }
        return skipped
    }

    private func read(_ node: Int, _ point: inout Point, _ bytes: Span<UInt8>) throws(DecodeFault) {
        if let time = tree.member("timeUnixNano", of: node, bytes) {
            guard let nanoseconds = tree.integer(time, bytes) else {
                throw DecodeFault(.badTime, "has a `timeUnixNano` that is not a whole number")
            }
            point.time = nanoseconds
        }
        if let flags = tree.member("flags", of: node, bytes) { point.flags = tree.integer(flags, bytes) ?? 0 }
        point.value = try number("asDouble", of: node, bytes)
        if point.value == nil { point.value = try number("asInt", of: node, bytes) }
        point.count = try number("count", of: node, bytes)
        point.sum = try number("sum", of: node, bytes)
        point.minimum = try number("min", of: node, bytes)
        point.maximum = try number("max", of: node, bytes)
        for entry in list("quantileValues", of: node, bytes).prefix(Self.mostQuantiles) {
            let quantile = try number("quantile", of: entry, bytes) ?? 0
            point.quantiles.append((quantile, try number("value", of: entry, bytes) ?? 0))
        }
    }

    private func number(_ name: StaticString, of node: Int, _ bytes: Span<UInt8>) throws(DecodeFault) -> Double? {
        guard let member = tree.member(name, of: node, bytes), tree.nodes[member].kind != .null else { return nil }
        guard let number = tree.number(member, bytes) else {
            throw DecodeFault(.notANumber, "has a data point whose `\(name)` is not a number")
        }
        return number
    }
}
