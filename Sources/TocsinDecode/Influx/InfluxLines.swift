internal import CSimdJSON
internal import TocsinCore

/// The unit of the times in line protocol.
public enum InfluxPrecision: String, CaseIterable, Sendable {
    case nanoseconds = "ns"
    case microseconds = "us"
    case milliseconds = "ms"
    case seconds = "s"
    /// Of version 1 of the write interface, as are hours.
    case minutes = "m"
    case hours = "h"

    /// The parameter `precision` of the write interfaces of InfluxDB 1 and 2; nil for an unknown word.
    public init?(parameter: String) {
        switch parameter {
        case "ns", "n", "": self = .nanoseconds
        case "us", "u", "µ", "µs": self = .microseconds
        case "ms": self = .milliseconds
        case "s": self = .seconds
        case "m": self = .minutes
        case "h": self = .hours
        default: return nil
        }
    }

    var factor: Int64 {
        switch self {
        case .nanoseconds: 1
        case .microseconds: 1_000
        case .milliseconds: 1_000_000
        case .seconds: 1_000_000_000
        case .minutes: 60_000_000_000
        case .hours: 3_600_000_000_000
        }
    }
}

/// InfluxDB line protocol: `measurement,tag=value field=1.5,other=2i 1700000000000000000`.
///
/// Grammar: docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol. A broken line is rejected with its number,
/// the others go on. Field names are metrics, a field called `value` has the measurement's name.
public struct InfluxLines: Sendable {
    /// The tags that name the sensor, the first one present wins.
    public static let sensorTags = ["sensor_id", "device_id", "device", "sensor", "host", "id"]
    /// Among the tags that belong to the metric's name: the measurement itself, as Flux calls it.
    public static let measurementTag = "_measurement"

    private let precision: InfluxPrecision
    private let sensorTags: [[UInt8]]
    /// Tags that belong to the metric's name.
    private let metricTags: [[UInt8]]
    private let namesMeasurement: Bool

    init(precision: InfluxPrecision, sensorTags: [String], metricTags: [String]) {
        self.precision = precision
        self.sensorTags = sensorTags.map { Array($0.utf8) }
        self.metricTags = metricTags.filter { $0 != Self.measurementTag }.map { Array($0.utf8) }
        namesMeasurement = metricTags.contains(Self.measurementTag)
    }

    /// The number of fields that are texts.
    func decode(_ bytes: Span<UInt8>, _ range: Range<Int>, _ columns: inout MessageColumns) -> Int {
        var start = range.lowerBound
        // Lines of the text, those inside of strings included: counted when a bad one asks for it.
        var (number, counted) = (1, range.lowerBound)
        var skipped = 0
        while start < range.upperBound {
            let mark = columns.mark
            var line = Line(position: start, end: range.upperBound)
            do throws(DecodeFault) {
                skipped += try decode(bytes, &line, &columns)
                start = line.position
            } catch {
                columns.roll(back: mark)
                while counted < start {
                    if bytes[counted] == UInt8(ascii: "\n") { number += 1 }
                    counted += 1
                }
                // A string may hold line ends: the next line starts where the reader saw one outside.
                var end = max(line.position, start)
                while end < range.upperBound, bytes[end] != UInt8(ascii: "\n") { end += 1 }
                columns.refuse(
                    DecodeFault(error.reason, "has a bad line \(number): it \(error.detail)"), start..<end)
                start = end + 1
            }
        }
        return skipped
    }

    /// Where the reader stands in a line.
    private struct Line {
        var position: Int
        let end: Int

        @inline(__always)
        func peek(_ bytes: Span<UInt8>) -> UInt8 { position < end ? bytes[position] : UInt8(ascii: "\n") }

        @inline(__always)
        func isAtEnd(_ bytes: Span<UInt8>) -> Bool {
            let byte = peek(bytes)
            return byte == UInt8(ascii: "\n")
                || (byte == UInt8(ascii: "\r") && (position + 1 >= end || bytes[position + 1] == UInt8(ascii: "\n")))
        }

        mutating func skipBlanks(_ bytes: Span<UInt8>) {
            while position < end, bytes[position] == UInt8(ascii: " ") || bytes[position] == UInt8(ascii: "\t") {
                position += 1
            }
        }

        /// Behind the line's end.
        mutating func finish(_ bytes: Span<UInt8>) {
            if peek(bytes) == UInt8(ascii: "\r") { position += 1 }
            if position < end { position += 1 }
        }
    }

    private func decode(
        _ bytes: Span<UInt8>, _ line: inout Line, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        line.skipBlanks(bytes)
        let start = line.position
        if line.isAtEnd(bytes) {
            line.finish(bytes)
            return 0
        }
        if line.peek(bytes) == UInt8(ascii: "#") {
            while line.position < line.end, bytes[line.position] != UInt8(ascii: "\n") { line.position += 1 }
            line.finish(bytes)
            return 0
        }
        let measurement = name(bytes, &line, &columns, endsAtEquals: false)
        guard !measurement.isEmpty else { throw .malformed("names no measurement") }
        var labels = TextRef.none
        let sensor = try tags(bytes, &line, &columns, &labels) ?? measurement
        guard line.peek(bytes) == UInt8(ascii: " ") else { throw .malformed("has no fields") }
        line.skipBlanks(bytes)
        // The time stands at the end: the event is opened first and dated afterwards.
        let event = columns.events.count
        columns.events.append(
            MessageColumns.Event(
                message: columns.message, firstReading: columns.readings.count, sensor: sensor, zone: .none, time: nil,
                key: 0, label: .none))
        let skipped = try fields(bytes, &line, &columns, measurement, labels)
        line.skipBlanks(bytes)
        if !line.isAtEnd(bytes) { columns.events[event].time = try time(bytes, &line) }
        columns.narrow(to: start..<line.position)
        line.finish(bytes)
        return skipped
    }

    /// A measurement, a key or a tag's value: up to a comma, a blank, or an equals sign outside of escapes.
    @inline(__always)
    private func name(
        _ bytes: Span<UInt8>, _ line: inout Line, _ columns: inout MessageColumns, endsAtEquals: Bool
    ) -> TextRef {
        let start = line.position
        var isEscaped = false
        while line.position < line.end {
            let byte = bytes[line.position]
            if byte == UInt8(ascii: "\\"), line.position + 1 < line.end, Self.isEscapable(bytes[line.position + 1]) {
                isEscaped = true
                line.position += 2
                continue
            }
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") { break }
            if endsAtEquals, byte == UInt8(ascii: "=") { break }
            line.position += 1
        }
        let text = start..<line.position
        return isEscaped ? Self.unescape(bytes, text, &columns) : TextRef(text)
    }

    private static func isEscapable(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "=")
    }

    private static func unescape(
        _ bytes: Span<UInt8>, _ text: Range<Int>, _ columns: inout MessageColumns
    ) -> TextRef {
        let start = columns.side.count
        var position = text.lowerBound
        while position < text.upperBound {
            if bytes[position] == UInt8(ascii: "\\"), position + 1 < text.upperBound, isEscapable(bytes[position + 1]) {
                position += 1
            }
            columns.side.append(bytes[position])
            position += 1
        }
        return .side(start..<columns.side.count)
    }

    /// The sensor among the tags.
    private func tags(
        _ bytes: Span<UInt8>, _ line: inout Line, _ columns: inout MessageColumns, _ labels: inout TextRef
    ) throws(DecodeFault) -> TextRef? {
        var sensor: TextRef?
        var rank = sensorTags.count
        var words: [UInt8] = []
        while line.peek(bytes) == UInt8(ascii: ",") {
            line.position += 1
            let key = name(bytes, &line, &columns, endsAtEquals: true)
            guard !key.isEmpty, line.peek(bytes) == UInt8(ascii: "=") else {
                throw .malformed("has a tag without a name or value")
            }
            line.position += 1
            let value = name(bytes, &line, &columns, endsAtEquals: true)
            guard !value.isEmpty, line.peek(bytes) != UInt8(ascii: "=") else {
                throw .malformed("has a tag without a value")
            }
            if !metricTags.isEmpty,
                key.with(bytes, columns.side.span, { Self.place($0, metricTags, below: .max) }) != nil
            {
                words.append(words.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
                words.append(contentsOf: key.string(bytes, columns.side.span).utf8)
                words.append(UInt8(ascii: "="))
                words.append(contentsOf: value.string(bytes, columns.side.span).utf8)
                // What tells metrics apart names no sensor: a disk of a host.
                continue
            }
            let found = key.with(bytes, columns.side.span) { Self.place($0, sensorTags, below: rank) } ?? rank
            if found < rank {
                rank = found
                sensor = value
            }
        }
        if !words.isEmpty { labels = columns.keep(words + [UInt8(ascii: "}")]) }
        return sensor
    }

    @inline(__always)
    private static func place(_ key: Span<UInt8>, _ tags: [[UInt8]], below rank: Int) -> Int? {
        var place = 0
        while place < min(rank, tags.count) {
            if tags[place].count == key.count {
                var offset = 0
                while offset < key.count, tags[place][offset] == key[offset] { offset += 1 }
                if offset == key.count { return place }
            }
            place += 1
        }
        return nil
    }

    private func fields(
        _ bytes: Span<UInt8>, _ line: inout Line, _ columns: inout MessageColumns, _ measurement: TextRef,
        _ labels: TextRef
    ) throws(DecodeFault) -> Int {
        var skipped = 0
        while true {
            let key = name(bytes, &line, &columns, endsAtEquals: true)
            guard !key.isEmpty, line.peek(bytes) == UInt8(ascii: "=") else {
                throw .malformed("has a field without a name or value")
            }
            line.position += 1
            if let value = try value(bytes, &line) {
                let isValue = key.count == 5 && key.with(bytes, columns.side.span) { Self.isValue($0) }
                var metric = isValue ? measurement : key
                if namesMeasurement, !isValue {
                    let dot = columns.keep(CollectionOfOne(UInt8(ascii: ".")))
                    metric = Self.join(Self.join(measurement, dot, bytes, &columns), key, bytes, &columns)
                }
                if !labels.isEmpty { metric = Self.join(metric, labels, bytes, &columns) }
                columns.add(value, metric: metric)
            } else {
                skipped += 1
            }
            guard line.peek(bytes) == UInt8(ascii: ",") else { return skipped }
            line.position += 1
        }
    }

    private static func join(
        _ first: TextRef, _ second: TextRef, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) -> TextRef {
        let start = columns.side.count
        for text in [first, second] {
            for position in text.range { columns.side.append(text.isAside ? columns.side[position] : bytes[position]) }
        }
        return .side(start..<columns.side.count)
    }

    private static func isValue(_ key: Span<UInt8>) -> Bool {
        key[0] == UInt8(ascii: "v") && key[1] == UInt8(ascii: "a") && key[2] == UInt8(ascii: "l")
            && key[3] == UInt8(ascii: "u") && key[4] == UInt8(ascii: "e")
    }

    /// Nil for a string.
    private func value(_ bytes: Span<UInt8>, _ line: inout Line) throws(DecodeFault) -> Double? {
        if line.peek(bytes) == UInt8(ascii: "\"") {
            try skipString(bytes, &line)
            return nil
        }
        let start = line.position
        while line.position < line.end {
            let byte = bytes[line.position]
            if byte == UInt8(ascii: ",") || byte <= UInt8(ascii: " ") { break }
            line.position += 1
        }
        var text = start..<line.position
        guard let last = text.last else { throw .malformed("has a field without a value") }
        switch bytes[last] {
        case UInt8(ascii: "i"), UInt8(ascii: "u"): text = start..<last
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): break
        default:
            switch String(copying: bytes.extracting(text)) {
            case "t", "T", "true", "True", "TRUE": return 1
            case "f", "F", "false", "False", "FALSE": return 0
            default: throw Self.noNumber(bytes, text)
            }
        }
        var number = 0.0
        let code = unsafe bytes.extracting(text).withUnsafeBufferPointer { text in
            unsafe tsj_decimal(text.baseAddress, text.count, &number)
        }
        guard code == TSJ_NUMBER else { throw Self.noNumber(bytes, text) }
        return number
    }

    private static func noNumber(_ bytes: Span<UInt8>, _ text: Range<Int>) -> DecodeFault {
        DecodeFault(.notANumber, "has the value \"\(Text.excerpt(bytes.extracting(text)))\", which is no finite number")
    }

    /// Strings may hold blanks, commas and line ends; quotes and backslashes in them are escaped.
    private func skipString(_ bytes: Span<UInt8>, _ line: inout Line) throws(DecodeFault) {
        let start = line.position
        line.position += 1
        while line.position < line.end {
            let byte = bytes[line.position]
            line.position += 1
            if byte == UInt8(ascii: "\\"), line.position < line.end { line.position += 1 }
            if byte == UInt8(ascii: "\"") { return }
        }
        // What follows an open quote cannot be told apart from its string; its line ends are those of lines.
        line.position = start
        throw .malformed("has a quote that opens and does not close")
    }

    private func time(_ bytes: Span<UInt8>, _ line: inout Line) throws(DecodeFault) -> Timestamp {
        let start = line.position
        var number: Int64 = 0
        while line.position < line.end {
            let digit = bytes[line.position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            let (product, tooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int64(digit))
            guard !tooLarge, !overflow else { throw Self.badTime(bytes, from: start, &line) }
            number = sum
            line.position += 1
        }
        let isEmpty = line.position == start
        line.skipBlanks(bytes)
        guard !isEmpty, line.isAtEnd(bytes) else { throw Self.badTime(bytes, from: start, &line) }
        let (nanoseconds, overflow) = number.multipliedReportingOverflow(by: precision.factor)
        guard !overflow else { throw Self.badTime(bytes, from: start, &line) }
        return Timestamp(nanoseconds: nanoseconds)
    }

    /// - Parameter start: of the time, which goes as far as the line.
    private static func badTime(_ bytes: Span<UInt8>, from start: Int, _ line: inout Line) -> DecodeFault {
        while !line.isAtEnd(bytes) { line.position += 1 }
        let excerpt = Text.excerpt(bytes.extracting(Text.trim(bytes, start..<line.position)))
        return DecodeFault(.badTime, "has the time \"\(excerpt)\", which cannot be read or lies outside 1970 to 2262")
    }
}
