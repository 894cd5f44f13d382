public import TocsinCore

/// A message to be sent.
public struct KafkaRecord: Sendable {
    public var topic: String
    /// Messages of one key stay in order, in one partition; nil: any partition.
    public var key: [UInt8]?
    /// nil = a tombstone.
    public var value: [UInt8]?
    public var headers: [KafkaHeader]
    /// nil = now.
    public var time: Timestamp?

    public init(
        topic: String, key: [UInt8]? = nil, value: [UInt8]?, headers: [KafkaHeader] = [], time: Timestamp? = nil
    ) {
        self.topic = topic
        self.key = key
        self.value = value
        self.headers = headers
        self.time = time
    }
}

/// A name and a value that go along with a message.
public struct KafkaHeader: Sendable, Equatable {
    public var name: String
    public var value: [UInt8]

    public init(_ name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }
}
