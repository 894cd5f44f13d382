public import TocsinCore

/// Messages on their way to a sink: lines of JSON, or rows of CSV with their header.
public struct ReadingChunk: Sendable {
    /// The text, and behind it names of sensors that keys point to.
    public private(set) var bytes: [UInt8]
    /// Of the text, in bytes.
    public let textLength: Int
    /// Rows of CSV; else lines of JSON.
    public let isCSV: Bool
    /// Of rows whose text does not begin with it: the header with its line end.
    public let header: [UInt8]
    /// Number of messages.
    public let count: Int
    /// Where the messages stand, without line ends; empty where the sink does not want them one by one.
    public let messages: [ByteRange]
    /// For each message the name of its sensor; of length 0 where there is none.
    public private(set) var sensors: [ByteRange]

    /// Text that is sent as it is.
    public init(text: [UInt8], count: Int, header: [UInt8] = [], isCSV: Bool = false) {
        self.isCSV = isCSV
        bytes = text
        textLength = text.count
        self.header = header
        self.count = count
        messages = []
        sensors = []
    }

    /// Lines of JSON one by one, with sensors that stand in the text.
    public init(lines: [UInt8], messages: [ByteRange], sensors: [ByteRange]) {
        bytes = lines
        textLength = lines.count
        isCSV = false
        header = []
        count = messages.count
        self.messages = messages
        self.sensors = sensors
    }

    /// Lines of JSON one by one, with sensors that stand in `names`.
    public init(lines: [UInt8], messages: [ByteRange], names: [UInt8], sensors: [ByteRange]) {
        self.init(lines: lines, messages: messages, sensors: sensors)
        let length = textLength
        bytes += names
        for index in self.sensors.indices { self.sensors[index].offset += UInt32(length) }
    }
}
