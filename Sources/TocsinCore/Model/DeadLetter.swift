/// Why input was not accepted. The raw value is stored and is the metric label: never rename one.
public enum DeadLetterReason: String, CaseIterable, Sendable {
    /// Not JSON, not CSV, cut off, or not UTF-8.
    case malformed
    /// No sensor, no time, or no value where one is required.
    case missingField = "missing_field"
    /// A value that is not a finite number (a word, NaN, infinity, an object).
    case notANumber = "not_a_number"
    /// A time that cannot be read, or lies outside the years 1970 to 2262.
    case badTime = "bad_time"
    /// Further in the future than the allowed clock skew.
    case future
    /// Outside the metric's valid range.
    case outOfRange = "out_of_range"
    /// Longer than the configured maximum for one message.
    case tooLong = "too_long"
    /// The configured number of sensors or metrics is reached.
    case cardinality

    /// Those that are too long are kept in part only, and such parts make no whole together.
    public var isOfWhole: Bool { self != .tooLong }
}

/// One rejected message or reading with everything needed to look at it and to send it again.
public struct DeadLetter: Sendable {
    public var id: Int64
    public var reason: DeadLetterReason
    public var detail: String
    /// The source's name; of one that has topics `name:topic` (`name:topic/partition` of Kafka), with `@` and the message's
    /// own time in milliseconds where it came more than a minute later, and `#key` behind it where a key names the sensor;
    /// of one that reads files `name:file`. Of a posted body in another's form `http:` and the form.
    public var source: String
    public var position: Int64
    /// When it came. That of readings that say no time themselves, where the source names none.
    public var received: Timestamp
    /// The message as received; a CSV row with its header line before it. Of several messages in one letter: from the
    /// first to the last, with those between them that were taken.
    public var payload: [UInt8]
    /// Readings this letter stands for (1 for an undecodable message).
    public var readings: Int

    public init(
        id: Int64 = 0, reason: DeadLetterReason, detail: String, source: String, position: Int64,
        received: Timestamp, payload: [UInt8], readings: Int = 1
    ) {
        self.id = id
        self.reason = reason
        self.detail = detail
        self.source = source
        self.position = position
        self.received = received
        self.payload = payload
        self.readings = readings
    }
}
