internal import CKafka

/// One partition of a topic.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32

    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public var description: String { "\(topic)/\(partition)" }

    public static func < (left: Self, right: Self) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// A partition with an offset: where to start, what was committed.
struct PartitionOffset: Sendable {
    var partition: TopicPartition
    var offset: Int64
    /// What stands beside a committed offset.
    var metadata: String?
    var error: Int32 = 0
}

/// A list of partitions in the library's form.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<tkf_list>

    init(_ items: [PartitionOffset]) {
        pointer = tkf_list_new(Int32(clamping: items.count))
        for item in items {
            guard let element = tkf_list_add(pointer, item.partition.topic, item.partition.partition) else { continue }
            element.pointee.offset = item.offset
            if let metadata = item.metadata { _ = tkf_set_metadata(element, metadata, metadata.utf8.count) }
        }
    }

    init(_ partitions: [TopicPartition]) {
        self.init(partitions.map { PartitionOffset(partition: $0, offset: TKF_OFFSET_INVALID) })
    }

    deinit { tkf_list_destroy(pointer) }

    var items: [PartitionOffset] { Self.items(pointer) }

    static func items(_ list: UnsafeMutablePointer<tkf_list>?) -> [PartitionOffset] {
        guard let list else { return [] }
        return (0..<Int(list.pointee.count)).map { index in
            let element = list.pointee.elements[index]
            let bytes = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size)
            return PartitionOffset(
                partition: TopicPartition(element.topic.map { String(cString: $0) } ?? "", element.partition),
                offset: element.offset, metadata: bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self),
                error: element.err)
        }
    }
}
