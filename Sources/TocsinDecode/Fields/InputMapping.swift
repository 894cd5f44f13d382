/// Says where in a message the sensor, the time and the values stand, where the built-in names do not say it.
///
/// A path is a JSON path by dots, array indexes included (`payload.readings.0.temp`), or the name or 1-based number of
/// a CSV column. Names compare without regard to ASCII case. What is given replaces the built-in names of that part;
/// what is not given keeps them.
public struct InputMapping: Sendable, Equatable {
    /// How a time is written; fixed units refuse what does not fit them.
    public enum TimeFormat: String, CaseIterable, Sendable {
        /// ISO 8601, or a number since the epoch in the unit that its magnitude says (`EpochUnit`).
        case auto
        case seconds = "s"
        case milliseconds = "ms"
        case microseconds = "us"
        case nanoseconds = "ns"
        case iso8601
    }

    public var sensor: String?
    public var time: String?
    /// The field that names the metric: with exactly one path in `values`, the narrow form.
    public var metric: String?
    /// The fields that hold numbers; nothing else is then a metric. `payload.readings.*` stands for every numeric
    /// field of that object. Empty: every numeric field of the message that has no other meaning.
    public var values: [String]
    public var eventID: String?
    public var unit: String?
    public var zone: String?
    /// Fields of the message that are no metrics, added to the built-in list.
    public var ignore: [String]
    /// The sensor of messages that name none: for files usually the file's name.
    public var defaultSensor: String?
    /// The field that holds the ground truth; never a metric.
    public var labelColumn: String?
    public var timeFormat: TimeFormat
    /// True: messages without a time field get the time at which they arrived instead of being rejected.
    public var timeFromReceipt: Bool

    public init(
        sensor: String? = nil, time: String? = nil, metric: String? = nil, values: [String] = [],
        eventID: String? = nil, unit: String? = nil, zone: String? = nil, ignore: [String] = [],
        defaultSensor: String? = nil, labelColumn: String? = nil, timeFormat: TimeFormat = .auto,
        timeFromReceipt: Bool = false
    ) {
        self.sensor = sensor
        self.time = time
        self.metric = metric
        self.values = values
        self.eventID = eventID
        self.unit = unit
        self.zone = zone
        self.ignore = ignore
        self.defaultSensor = defaultSensor
        self.labelColumn = labelColumn
        self.timeFormat = timeFormat
        self.timeFromReceipt = timeFromReceipt
    }
}
