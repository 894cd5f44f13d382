internal import CKafka
internal import TocsinCore

/// A consumer of the library: owner of its handle and of its queue.
///
/// Sendable: the library's functions may be called by any thread, the pointers never change, and `destroy` is called by
/// the polling thread when nobody else uses the client any more.
final class ConsumerClient: @unchecked Sendable {
    let pointer: OpaquePointer
    let queue: OpaquePointer
    let events: ClientEvents
    private var topics: [OpaquePointer] = []
    private var isDestroyed = false
    /// The group has answered with partitions, or with none. Set by the polling thread, read when that has ended.
    var hasBeenAssigned = false

    /// Before 2.2 the library aborts the process when a member that has joined and has got no assignment yet is closed
    /// (confluentinc/librdkafka issue 4312): it is left to the group's session timeout then.
    var mustStayOpen: Bool { !hasBeenAssigned && KafkaLibrary.isOlder(than: (2, 2)) }

    /// Properties that the source's promises rest on.
    private static let fixed = [
        "enable.auto.commit": "false", "enable.auto.offset.store": "false", "enable.partition.eof": "true",
    ]

    init(_ settings: KafkaSourceSettings, observer: KafkaObserver) throws {
        try KafkaLibrary.load(settings.connection.library)
        let secrets = settings.connection.secrets
        events = ClientEvents { level, text in observer.log(level, secrets.masked(text)) }
        let configuration = KafkaConfiguration(secrets: secrets)
        for (name, value) in Self.defaults(settings) { try configuration.set(name, value) }
        // Since 2.3 a full queue stops fetching for a second otherwise.
        configuration.setIfKnown("fetch.queue.backoff.ms", "5")
        for (name, value) in settings.connection.properties.sorted(by: { $0.key < $1.key }) {
            if name == "auto.offset.reset" { continue }
            if ["bootstrap.servers", "group.id", "group.instance.id"].contains(name) || Self.fixed[name] != nil {
                guard value != Self.fixed[name] else { continue }
                throw TocsinError(
                    .configuration, "the property \(name) is set by the program", place: "properties.\(name)",
                    remedy:
                        "Leave it out: brokers, group and instance id have settings of their own, and positions are "
                        + "committed when a batch is durable.")
            }
            try configuration.set(name, value, key: "properties.\(name)")
        }
        events.register(configuration, isConsumer: true)
        pointer = try configuration.makeClient(TKF_CONSUMER, place: settings.connection.place)
        _ = tkf_poll_set_consumer(pointer)
        queue = tkf_queue_of_consumer(pointer)
        // Known to the client, so that a look at the cluster tells of them from the start.
        topics = settings.topics.filter { !$0.hasPrefix("^") }.compactMap { tkf_topic_new(pointer, $0) }
    }

    private static func defaults(_ settings: KafkaSourceSettings) -> [(String, String)] {
        var defaults = [
            ("bootstrap.servers", settings.connection.brokers.joined(separator: ",")),
            ("client.id", settings.connection.clientID), ("group.id", settings.group),
            // A position that the broker no longer has is a matter for the source, which says what was missed.
            ("auto.offset.reset", "error"), ("allow.auto.create.topics", "false"),
            ("queued.min.messages", "20000"), ("queued.max.messages.kbytes", "16384"),
            ("topic.metadata.refresh.interval.ms", "10000"), ("reconnect.backoff.max.ms", "2000"),
            ("socket.keepalive.enable", "true"), ("socket.timeout.ms", "30000"), ("log.connection.close", "false"),
        ]
        defaults += fixed.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let instance = settings.instanceID { defaults.append(("group.instance.id", instance)) }
        if settings.connection.properties["group.protocol"] != "consumer" {
            defaults.append(("partition.assignment.strategy", "cooperative-sticky"))
        }
        return defaults
    }

    func subscribe(_ topics: [String]) throws {
        let list = PartitionList(topics.map { TopicPartition($0, -1) })
        let code = tkf_subscribe(pointer, list.pointer)
        guard code != 0 else { return }
        throw TocsinError(
            .configuration, "the topics cannot be subscribed to: \(KafkaFailure(code).text)",
            place: topics.joined(separator: ", "), remedy: "Check the names and regular expressions.")
    }

    var isCooperative: Bool {
        tkf_rebalance_protocol(pointer).map { String(cString: $0) } == "COOPERATIVE"
    }

    // MARK: Calls that wait for a broker: never on the polling thread

    /// The group's offsets; nil where it has none.
    func committed(
        _ partitions: [TopicPartition], milliseconds: Int32
    ) -> [TopicPartition: Result<PartitionOffset?, KafkaFailure>] {
        let list = PartitionList(partitions)
        let code = tkf_committed(pointer, list.pointer, milliseconds)
        var found: [TopicPartition: Result<PartitionOffset?, KafkaFailure>] = [:]
        for item in list.items {
            let error = code != 0 ? code : item.error
            found[item.partition] = error != 0 ? .failure(KafkaFailure(error)) : .success(item.offset >= 0 ? item : nil)
        }
        return found
    }

    func watermarks(_ partition: TopicPartition, milliseconds: Int32) -> Result<Range<Int64>, KafkaFailure> {
        var (low, high): (Int64, Int64) = (0, 0)
        let code = tkf_query_watermarks(
            pointer, partition.topic, partition.partition, &low, &high, milliseconds)
        guard code == 0, low >= 0, low <= high else { return .failure(KafkaFailure(code)) }
        return .success(low..<high)
    }

    /// First and next offset of each; without those that the brokers do not tell.
    func ends(_ partitions: [TopicPartition], milliseconds: Int32) -> Result<
        [TopicPartition: Range<Int64>], KafkaFailure
    > {
        var found: [[TopicPartition: Int64]] = []
        for logical in [TKF_OFFSET_BEGINNING, TKF_OFFSET_END] {
            let list = PartitionList(partitions.map { PartitionOffset(partition: $0, offset: logical) })
            let code = tkf_offsets_for_times(pointer, list.pointer, milliseconds)
            guard code == 0 else { return .failure(KafkaFailure(code)) }
            let items = list.items.filter { $0.error == 0 && $0.offset >= 0 }
            found.append(Dictionary(items.map { ($0.partition, $0.offset) }) { first, _ in first })
        }
        var ends: [TopicPartition: Range<Int64>] = [:]
        for (partition, low) in found[0] {
            if let high = found[1][partition], low <= high { ends[partition] = low..<high }
        }
        return .success(ends)
    }

    /// Partitions by topic that the client knows of; nil for a topic that does not exist.
    func lookAtCluster(milliseconds: Int32) -> Result<[String: Int?], KafkaFailure> {
        var metadata: UnsafePointer<tkf_metadata>?
        let code = tkf_get_metadata(pointer, 0, nil, &metadata, milliseconds)
        guard code == 0, let metadata else { return .failure(KafkaFailure(code)) }
        defer { tkf_metadata_destroy(metadata) }
        var found: [String: Int?] = [:]
        for index in 0..<Int(metadata.pointee.topic_count) {
            let topic = metadata.pointee.topics[index]
            guard let name = topic.topic.map({ String(cString: $0) }) else { continue }
            found.updateValue(topic.err == 0 ? Int(topic.partition_count) : nil, forKey: name)
        }
        return .success(found)
    }

    /// The end of a partition as of the last answer to a fetch; nil before the first.
    func knownEnd(_ partition: TopicPartition) -> Int64? {
        var (low, high): (Int64, Int64) = (0, 0)
        guard tkf_get_watermarks(pointer, partition.topic, partition.partition, &low, &high) == 0 else { return nil }
        return high >= 0 ? high : nil
    }

    /// Frees everything; blocks for a moment. Nobody may use the client afterwards.
    func destroy() {
        guard !isDestroyed else { return }
        isDestroyed = true
        guard !mustStayOpen else {
            // The library may still call it.
            _ = Unmanaged.passRetained(events)
            return
        }
        topics.forEach(tkf_topic_destroy)
        tkf_queue_destroy(queue)
        tkf_destroy(pointer, TKF_DESTROY_WITHOUT_CLOSE)
    }
}
