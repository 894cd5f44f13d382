internal import TocsinCore

enum InputKeys {
    static let maximumMessageBytes = Key(
        "input.maximumMessageBytes", .bytes(64...(1 << 30)), default: 1 << 20,
        "Longest message (line, array element); longer ones become dead letters.")
    static let allowedClockSkew = Key(
        "input.allowedClockSkew", .duration(.seconds(0) ... .days(365)), default: .minutes(5),
        "How far into the future a reading's time may lie.")
    static let validRanges = MapKey(
        "input.validRanges", .limits, default: ["temperature": -50...120, "humidity": 0...100],
        foldsCase: true,
        "By metric, case ignored: values outside become dead letters. Entries add to the defaults; `off` removes one.")
    static let defaultSensor = Key(
        "input.defaultSensor", .optionalText, default: nil, shownAs: "the source's name",
        "Sensor of messages that name none.")
    static let mapping = MappingKeys("input.mapping")

    static let all =
        [maximumMessageBytes.entry, allowedClockSkew.entry, validRanges.entry, defaultSensor.entry] + mapping.all
}

/// The keys of a mapping, once for all input and once for each source.
struct MappingKeys: Sendable {
    let sensor: Key<String?>
    let time: Key<String?>
    let metric: Key<String?>
    let value: Key<String?>
    let eventID: Key<String?>
    let unit: Key<String?>
    let ignore: Key<[String]>
    let labelColumn: Key<String?>
    let timeFormat: Key<TocsinConfiguration.Mapping.TimeFormat>

    init(_ group: String, inherited: Bool = false) {
        let automatic = inherited ? "as in `input.mapping`" : "found by itself"
        func field(_ name: String, _ summary: String) -> Key<String?> {
            Key("\(group).\(name)", .optionalText, default: nil, shownAs: automatic, summary)
        }
        sensor = field("sensor", "Column or dotted JSON path of the sensor's name.")
        time = field("time", "Column or path of the time stamp.")
        metric = field("metric", "Column or path of the metric's name, where each message holds one reading.")
        value = field("value", "Column or path of the value; with it, no other field is a reading.")
        eventID = field("eventID", "Column or path of the device's own event id, by which duplicates are found.")
        unit = field("unit", "Column or path of the unit that belongs to `metric`.")
        ignore = Key(
            "\(group).ignore", ValueForm(listOf: .text), default: [], shownAs: inherited ? automatic : "none",
            "Columns or paths that are not readings.")
        labelColumn = field("labelColumn", "Column or path of a known label; only evaluation reads it.")
        timeFormat = Key(
            "\(group).timeFormat", .choice, default: TocsinConfiguration.Mapping.TimeFormat.auto,
            shownAs: inherited ? automatic : nil,
            "Form of time stamps: ISO 8601, or a count of seconds or their fractions since 1970.")
    }

    var all: [KeyEntry] {
        [
            sensor.entry, time.entry, metric.entry, value.entry, eventID.entry, unit.entry, ignore.entry,
            labelColumn.entry, timeFormat.entry,
        ]
    }
}
