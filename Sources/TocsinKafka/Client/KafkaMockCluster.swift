internal import CKafka
internal import TocsinCore

/// The cluster inside of librdkafka, for tests and measurements where there are no brokers: real TCP, groups, commits and
/// rebalances in this process; no disk and no logins, and of a partition 5 MiB at most: what is older is dropped silently.
///
/// Sendable: the pointers never change, and are used by `init` and `deinit` alone.
public final class KafkaMockCluster: @unchecked Sendable {
    /// Addresses on the loopback interface.
    public let brokers: [String]
    private let client: OpaquePointer
    private let cluster: OpaquePointer

    /// - Parameter topics: partitions by name.
    /// - Throws: `TocsinError` without the library, or where it has no such cluster.
    public init(library: String?, topics: [String: Int]) throws {
        try KafkaLibrary.load(library)
        let configuration = KafkaConfiguration(secrets: KafkaSecrets())
        // It has no brokers but those in itself, and need not warn of that.
        try configuration.set("log_level", "3")
        client = try configuration.makeClient(TKF_PRODUCER, place: "librdkafka")
        guard let cluster = tkf_mock_new(client, 1) else {
            tkf_destroy(client, 0)
            throw TocsinError(
                .kafka, "this librdkafka has no cluster of its own to measure with", place: library ?? "librdkafka",
                remedy: "Give brokers, or another file of librdkafka (1.9 or newer).")
        }
        self.cluster = cluster
        brokers = tkf_mock_addresses(cluster).map { String(cString: $0) }?.split(separator: ",").map(String.init) ?? []
        for (topic, partitions) in topics.sorted(by: { $0.key < $1.key }) {
            let code = tkf_mock_create_topic(cluster, topic, Int32(clamping: partitions))
            guard code == 0 else { throw KafkaFailure(code).error(place: topic) }
        }
    }

    deinit {
        tkf_mock_destroy(cluster)
        tkf_destroy(client, 0)
    }
}
