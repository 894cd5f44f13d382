public import TocsinCore
public import TocsinDecode

/// What is changed in a message on its way.
struct MessageChanges {
    /// Added where the message names none.
    var sensor: String?
    var sensorName: String
    /// Takes the place of the message's own.
    var time: Timestamp?
    var timeName: String
    let stamping: TimeStamping
    /// Added to event ids, so that a message sent again is another event.
    var pass: Int?
}

/// Writes the messages of decoded batches as lines of JSON: of CSV each row as an object with the header's names.
///
/// One per file: it keeps what the header says.
public struct MessageWriter: Sendable {
    private let mapping: InputMapping
    private let sensorNames: [[UInt8]]
    private let timeNames: [[UInt8]]
    private let eventNames: [[UInt8]]
    private let timePath: [[UInt8]]?
    private let sensorPath: [[UInt8]]?
    private let eventPath: [[UInt8]]?
    private var rows: CSVObjects?

    public init(mapping: InputMapping) {
        self.mapping = mapping
        sensorNames = FieldNames.sensor.map { Array($0.utf8) }
        timeNames = FieldNames.time.map { Array($0.utf8) }
        eventNames = FieldNames.eventID.map { Array($0.utf8) }
        timePath = mapping.time.map(Self.path)
        sensorPath = mapping.sensor.map(Self.path)
        eventPath = mapping.eventID.map(Self.path)
    }

    private static func path(_ text: String) -> [[UInt8]] {
        text.lowercased().split(separator: ".").map { Array($0.utf8) }
    }

    /// Appends one line.
    ///
    /// - Parameters:
    ///   - sensor: named by the message where it names none itself.
    ///   - time: replaces the message's own; nil leaves it.
    ///   - pass: from 1, of messages that are sent again with another time.
    public mutating func append(
        _ payload: ByteRange, of batch: Batch, isRow: Bool, sensor: String?, time: Timestamp?, pass: Int?,
        to lines: inout [UInt8]
    ) {
        let changes = MessageChanges(
            sensor: sensor, sensorName: Self.plain(mapping.sensor) ?? "sensor_id", time: time,
            timeName: Self.plain(mapping.time) ?? "timestamp", stamping: TimeStamping(format: mapping.timeFormat),
            pass: pass)
        let range = payload.range.clamped(to: batch.bytes.indices)
        if isRow {
            var objects = rows ?? CSVObjects(header: batch.header, row: batch.bytes[range], mapping: mapping)
            rows = nil
            objects.append(batch.bytes, range, changes, to: &lines)
            rows = objects
        } else {
            appendObject(batch.bytes, range, changes, to: &lines)
        }
        lines.append(UInt8(ascii: "\n"))
    }

    /// A name that can be added to an object: a path of several levels cannot.
    private static func plain(_ name: String?) -> String? {
        name.flatMap { $0.isEmpty || $0.contains(".") || Int($0) != nil ? nil : $0 }
    }

    private func appendObject(
        _ bytes: [UInt8], _ range: Range<Int>, _ changes: MessageChanges, to lines: inout [UInt8]
    ) {
        guard changes.sensor != nil || changes.time != nil || changes.pass != nil else {
            return Self.copy(bytes, range, to: &lines)
        }
        let fields = JSONFields(bytes: bytes, range: range)
        guard let inside = fields.inside else { return Self.copy(bytes, range, to: &lines) }
        var edits: [(range: Range<Int>, text: [UInt8])] = []
        var added: [UInt8] = []
        if let sensor = changes.sensor, (sensorPath.map(fields.value(at:)) ?? fields.value(of: sensorNames)) == nil {
            added += Self.field(changes.sensorName) { $0.value(sensor) }
        }
        if let time = changes.time {
            if let found = timePath.map(fields.value(at:)) ?? fields.value(of: timeNames) {
                edits.append((found, Self.stamp(time, bytes[found], changes.stamping)))
            } else {
                added += Self.field(changes.timeName) { $0.value(time) }
            }
        }
        if let pass = changes.pass, let found = eventPath.map(fields.value(at:)) ?? fields.value(of: eventNames) {
            let isText = bytes[found].first == UInt8(ascii: "\"") && found.count > 1
            let old = isText ? bytes[found].dropLast() : [UInt8(ascii: "\"")] + bytes[found]
            edits.append((found, Array(old) + Array("-\(pass)\"".utf8)))
        }
        Self.copy(bytes, range.lowerBound..<inside, to: &lines)
        lines += added
        var position = inside
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
        where edit.range.lowerBound >= position {
            Self.copy(bytes, position..<edit.range.lowerBound, to: &lines)
            lines += edit.text
            position = edit.range.upperBound
        }
        Self.copy(bytes, position..<range.upperBound, to: &lines)
    }

    /// `"name":value,` for the beginning of an object that has further fields.
    private static func field(_ name: String, _ value: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.key(name)
        value(&json)
        return json.bytes + [UInt8(ascii: ",")]
    }

    private static func stamp(_ time: Timestamp, _ old: ArraySlice<UInt8>, _ stamping: TimeStamping) -> [UInt8] {
        let isText = old.first == UInt8(ascii: "\"")
        var text: [UInt8] = isText ? [UInt8(ascii: "\"")] : []
        stamping.append(time, like: isText ? old.dropFirst().dropLast() : old, to: &text)
        if isText { text.append(UInt8(ascii: "\"")) }
        return text
    }

    /// Line ends between the parts of a message become blanks: within its strings JSON has none.
    private static func copy(_ bytes: [UInt8], _ range: Range<Int>, to lines: inout [UInt8]) {
        let start = lines.count
        lines += bytes[range]
        var position = start
        while position < lines.count {
            if lines[position] == 0x0a || lines[position] == 0x0d { lines[position] = 0x20 }
            position += 1
        }
    }
}
