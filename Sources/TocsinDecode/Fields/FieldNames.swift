/// What a field of a message is for.
enum FieldRole: UInt8, Sendable {
    case ignore, metric, sensor, time, eventID, metricName, value, unit, zone, label, labelKind
}

/// The field names understood without configuration: the one list of them. All in lower case; they match any case.
///
/// Where a message has several fields of one role, the first in the list wins and the others are ignored.
public enum FieldNames {
    public static let sensor = ["sensor_id", "device_id", "sensor", "device", "deviceid", "sensorid", "id"]
    public static let time = ["timestamp", "ts", "time", "datetime", "date", "event_time", "utc"]
    public static let eventID = ["event_id", "eventid"]
    /// With a `value` beside it, the narrow form: the one reading of the message is named by this field.
    static let metricName = ["metric", "measurement", "name"]
    static let value = ["value"]
    static let unit = ["unit", "units"]
    static let zone = ["location", "zone"]
    /// Objects of which only `unit` and `zone` are read.
    static let metadata = ["meta", "metadata", "tags"]
    /// Ground truth, kept away from the detectors.
    static let label = ["anomaly_injected", "fire alarm", "label", "labels", "anomaly", "is_anomaly", "ground_truth"]
    static let labelKind = ["anomaly_type"]
    /// Numbers that measure nothing: counters, versions, addresses, marks for evaluation.
    static let notMetrics = [
        "row", "row_id", "cnt", "recording", "index", "sno", "seq", "sequence", "sequence_number", "offset",
        "version", "schema_version", "firmware", "firmware_version", "serial", "serial_number", "mac", "ip",
        "message_id", "received_at", "created_at", "changepoint", "unnamed: 0", "",
    ]
}
