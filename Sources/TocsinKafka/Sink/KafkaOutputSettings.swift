public import TocsinCore
internal import TocsinSpool

/// Where results go, and how much may wait.
public struct KafkaOutputSettings: Sendable {
    public var connection: KafkaSettings
    public var topics: KafkaTopics
    /// Bytes of keys and values beyond which `KafkaOutput.obstacle` says so; and bytes on disk, two segments (an eighth of
    /// it each, 1 to 64 MiB) more.
    public var waitingBytes: Int64 = 1 << 30
    /// The same for what the disk has not taken yet.
    public var pendingBytes = 64 << 20
    /// The disk is forced at most this often.
    public var flushInterval = Span64.milliseconds(10)
    /// False leaves out every forcing of the disk: for tests.
    public var isDurable = true
    /// How long what waits is still sent at the end, where the brokers answer.
    public var endPatience = Span64.seconds(5)
    /// Messages that no broker has acknowledged for so long are said to wait.
    public var quietLimit = Span64.seconds(5)

    public init(_ connection: KafkaSettings, topics: KafkaTopics) {
        self.connection = connection
        self.topics = topics
    }

    /// The client library tries again for ever: were it to give up a message and deliver the next, their order would be
    /// lost.
    var producer: KafkaSettings {
        var settings = connection
        if settings.properties["message.timeout.ms"] == nil, settings.properties["delivery.timeout.ms"] == nil {
            settings.properties["message.timeout.ms"] = "0"
        }
        return settings
    }

    /// Of a topic that takes nothing, as much is carried along in memory and on disk.
    var carriedBytes: UInt64 { UInt64(min(8 << 20, spool.segmentBytes)) }

    var spool: SpoolSettings {
        var spool = SpoolSettings()
        spool.flushInterval = flushInterval
        spool.isDurable = isDurable
        // What is sent is let go of by whole segments.
        spool.segmentBytes = min(64 << 20, max(waitingBytes / 8, 1 << 20))
        // The bound is kept by `obstacle`: an engine that drains must be rid of its results.
        spool.maximumBytes = .max
        spool.pendingBytes = .max
        return spool
    }
}
