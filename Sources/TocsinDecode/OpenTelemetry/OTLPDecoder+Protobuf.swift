internal import TocsinCore

// Field numbers of opentelemetry/proto/metrics/v1/metrics.proto, common.proto and resource.proto.
extension OTLPDecoder {
    /// The number of values that are no readings.
    func decode(
        protobuf bytes: Span<UInt8>, _ range: Range<Int>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        var skipped = 0
        var request = ProtobufReader(range)
        while let field = try request.field(bytes) {
            guard field.number == 1, field.wire == .delimited else {
                try request.skip(field, bytes)
                continue
            }
            skipped += try resourceMetrics(request.delimited(bytes), bytes, &columns)
        }
        return skipped
    }

    private func resourceMetrics(
        _ range: Range<Int>, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        var context = Context()
        // The resource may stand behind its metrics.
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            guard field.number == 1, field.wire == .delimited else {
                try reader.skip(field, bytes)
                continue
            }
            var resource = ProtobufReader(try reader.delimited(bytes))
            while let field = try resource.field(bytes) {
                guard field.number == 1, field.wire == .delimited else {
                    try resource.skip(field, bytes)
                    continue
                }
                try attribute(resource.delimited(bytes), &context.sensor, &context.rank, bytes, &columns)
            }
        }
        var skipped = 0
        reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            guard field.number == 2, field.wire == .delimited else {
                try reader.skip(field, bytes)
                continue
            }
            var scope = ProtobufReader(try reader.delimited(bytes))
            while let field = try scope.field(bytes) {
                guard field.number == 2, field.wire == .delimited else {
                    try scope.skip(field, bytes)
                    continue
                }
                skipped += try metric(scope.delimited(bytes), context, bytes, &columns)
            }
        }
        return skipped
    }

    /// A key and a value: text, or a number as text.
    private func attribute(
        _ range: Range<Int>, _ sensor: inout TextRef, _ rank: inout Int, _ bytes: Span<UInt8>,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        var key = 0..<0
        var value = 0..<0
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            switch (field.number, field.wire) {
            case (1, .delimited): key = try reader.delimited(bytes)
            case (2, .delimited): value = try reader.delimited(bytes)
            default: try reader.skip(field, bytes)
            }
        }
        let found = self.rank(bytes.extracting(key))
        guard found < rank else { return }
        reader = ProtobufReader(value)
        while let field = try reader.field(bytes) {
            switch (field.number, field.wire) {
            case (1, .delimited):
                let text = try reader.delimited(bytes)
                if !text.isEmpty { (sensor, rank) = (TextRef(text), found) }
            case (3, .varint):
                let number = Int64(bitPattern: try reader.varint(bytes))
                (sensor, rank) = (columns.keep(number.description.utf8), found)
            default: try reader.skip(field, bytes)
            }
        }
    }

    private func metric(
        _ range: Range<Int>, _ context: Context, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        var context = context
        var data: (kind: Int, range: Range<Int>)?
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            switch (field.number, field.wire) {
            case (1, .delimited): context.metric = TextRef(try reader.delimited(bytes))
            case (3, .delimited): context.unit = TextRef(try reader.delimited(bytes))
            case (5, .delimited), (7, .delimited), (9, .delimited), (10, .delimited), (11, .delimited):
                data = (field.number, try reader.delimited(bytes))
            default: try reader.skip(field, bytes)
            }
        }
        guard let data else { return 0 }
        var skipped = 0
        reader = ProtobufReader(data.range)
        while let field = try reader.field(bytes) {
            guard field.number == 1, field.wire == .delimited else {
                try reader.skip(field, bytes)
                continue
            }
            let part = try reader.delimited(bytes)
            let point = try point(part, data.kind, bytes, &columns)
            skipped += append(point, context, part, bytes, &columns)
        }
        return skipped
    }

    private func point(
        _ range: Range<Int>, _ kind: Int, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Point {
        var point = Point()
        // Where the attributes and the flags stand, by kind: gauge and sum, histogram, exponential histogram, summary.
        let attributes = kind == 5 || kind == 7 ? 7 : kind == 9 ? 9 : kind == 10 ? 1 : 7
        let flags = kind == 5 || kind == 7 || kind == 11 ? 8 : 10
        var labels: [Range<Int>] = []
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            switch (field.number, field.wire) {
            case (attributes, .delimited):
                let range = try reader.delimited(bytes)
                try attribute(range, &point.sensor, &point.rank, bytes, &columns)
                labels.append(range)
            case (flags, .varint): point.flags = try reader.varint(bytes)
            case (3, .fixed64): point.time = try reader.fixed64(bytes)
            default:
                if kind == 5 || kind == 7 {
                    try readNumber(field, &reader, &point, bytes)
                } else {
                    try readDistribution(field, kind, &reader, &point, bytes)
                }
            }
        }
        point.labels = try readLabels(labels, bytes, &columns)
        return point
    }

    /// What tells a data point from its neighbours.
    private func readLabels(
        _ ranges: [Range<Int>], _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> TextRef {
        let start = columns.side.count
        for range in ranges {
            var key = 0..<0
            var value = 0..<0
            var reader = ProtobufReader(range)
            while let field = try reader.field(bytes) {
                switch (field.number, field.wire) {
                case (1, .delimited): key = try reader.delimited(bytes)
                case (2, .delimited): value = try reader.delimited(bytes)
                default: try reader.skip(field, bytes)
                }
            }
            guard rank(bytes.extracting(key)) == .max else { continue }
            let name = String(copying: bytes.extracting(key))
            reader = ProtobufReader(value)
            while let field = try reader.field(bytes) {
                let word: String
                switch (field.number, field.wire) {
                case (1, .delimited): word = String(copying: bytes.extracting(try reader.delimited(bytes)))
                case (2, .varint): word = try reader.varint(bytes) == 0 ? "false" : "true"
                case (3, .varint): word = Int64(bitPattern: try reader.varint(bytes)).description
                case (4, .fixed64): word = Double(bitPattern: try reader.fixed64(bytes)).description
                default:
                    try reader.skip(field, bytes)
                    continue
                }
                Self.addLabel(name.utf8, word.utf8, since: start, &columns)
            }
        }
        return Self.closeLabels(since: start, &columns)
    }

    private func readNumber(
        _ field: ProtobufReader.Field, _ reader: inout ProtobufReader, _ point: inout Point, _ bytes: Span<UInt8>
    ) throws(DecodeFault) {
        switch (field.number, field.wire) {
        case (4, .fixed64): point.value = Double(bitPattern: try reader.fixed64(bytes))
        case (6, .fixed64): point.value = Double(Int64(bitPattern: try reader.fixed64(bytes)))
        default: try reader.skip(field, bytes)
        }
    }

    private func readDistribution(
        _ field: ProtobufReader.Field, _ kind: Int, _ reader: inout ProtobufReader, _ point: inout Point,
        _ bytes: Span<UInt8>
    ) throws(DecodeFault) {
        let (minimum, maximum) = kind == 9 ? (11, 12) : kind == 10 ? (12, 13) : (-1, -1)
        switch (field.number, field.wire) {
        case (4, .fixed64): point.count = Double(try reader.fixed64(bytes))
        case (5, .fixed64): point.sum = Double(bitPattern: try reader.fixed64(bytes))
        case (minimum, .fixed64): point.minimum = Double(bitPattern: try reader.fixed64(bytes))
        case (maximum, .fixed64): point.maximum = Double(bitPattern: try reader.fixed64(bytes))
        case (6, .delimited) where kind == 11 && point.quantiles.count < Self.mostQuantiles:
            var entry = ProtobufReader(try reader.delimited(bytes))
            var (quantile, value) = (0.0, 0.0)
            while let field = try entry.field(bytes) {
                switch (field.number, field.wire) {
                case (1, .fixed64): quantile = Double(bitPattern: try entry.fixed64(bytes))
                case (2, .fixed64): value = Double(bitPattern: try entry.fixed64(bytes))
                default: try entry.skip(field, bytes)
                }
            }
            point.quantiles.append((quantile, value))
        default: try reader.skip(field, bytes)
        }
    }
}
