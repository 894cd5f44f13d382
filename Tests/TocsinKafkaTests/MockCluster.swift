import Foundation
import Testing
import TocsinCore
import TocsinKafka

/// The client library's own cluster in this process: real TCP, groups, commits, rebalances.
final class MockCluster: @unchecked Sendable {
    private typealias Pointer = OpaquePointer
    private typealias New = @convention(c) () -> OpaquePointer?
    private typealias NewClient =
        @convention(c) (Int32, OpaquePointer?, UnsafeMutablePointer<CChar>?, Int) -> OpaquePointer?
    private typealias NewCluster = @convention(c) (OpaquePointer?, Int32) -> OpaquePointer?
    private typealias Text = @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
    private typealias Create = @convention(c) (OpaquePointer?, UnsafePointer<CChar>, Int32, Int32) -> Int32
    private typealias Broker = @convention(c) (OpaquePointer?, Int32) -> Int32
    private typealias Delay = @convention(c) (OpaquePointer?, Int32) -> Void
    private typealias Errors = @convention(c) (OpaquePointer?, Int16, Int, UnsafePointer<Int32>?) -> Void
    private typealias Clear = @convention(c) (OpaquePointer?, Int16) -> Void
    private typealias TopicError = @convention(c) (OpaquePointer?, UnsafePointer<CChar>, Int32) -> Void
    private typealias Drop = @convention(c) (OpaquePointer?) -> Void

    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private let count: Int32

    /// The file of the library: from the environment, the tests' virtual environment, or (nil) the system's.
    static let path: String? = {
        if let named = ProcessInfo.processInfo.environment["TOCSIN_LIBRDKAFKA"] { return named.isEmpty ? nil : named }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let venv = root.appendingPathComponent(".build/venv/lib")
        let files = FileManager.default.enumerator(at: venv, includingPropertiesForKeys: nil)
        while let file = files?.nextObject() as? URL {
            let name = file.lastPathComponent
            if name.hasPrefix("librdkafka-"), name.contains(".so.1") { return file.path }
            if let depth = files?.level, depth > 3, name != "confluent_kafka.libs" { files?.skipDescendants() }
        }
        return nil
    }()

    /// nil without the library: the test is skipped.
    static let version: String? = try? KafkaLibrary.load(path)

    private static func function<Function>(_ name: String, as type: Function.Type) throws -> Function {
        let handle = dlopen(path ?? "librdkafka.so.1", RTLD_NOW | RTLD_LOCAL)
        guard let found = dlsym(handle, "rd_kafka_" + name) else { throw TocsinError(.kafka, "no function \(name)") }
        return unsafeBitCast(found, to: type)
    }

    init(brokers: Int32 = 1) throws {
        let conf = try Self.function("conf_new", as: New.self)()
        client = try #require(try Self.function("new", as: NewClient.self)(0, conf, nil, 0))
        cluster = try #require(try Self.function("mock_cluster_new", as: NewCluster.self)(client, brokers))
        count = brokers
        // Where the library has it: groups of tests need not wait for more members.
        if let call = try? Self.function("mock_group_initial_rebalance_delay_ms", as: Delay.self) { call(cluster, 100) }
    }

    deinit {
        (try? Self.function("mock_cluster_destroy", as: Drop.self))?(cluster)
        (try? Self.function("destroy", as: Drop.self))?(client)
    }

    var brokers: [String] {
        guard let text = try? Self.function("mock_cluster_bootstraps", as: Text.self)(cluster) else { return [] }
        return String(cString: text).split(separator: ",").map(String.init)
    }

    func create(_ topic: String, partitions: Int32) throws {
        #expect(try Self.function("mock_topic_create", as: Create.self)(cluster, topic, partitions, 1) == 0)
    }

    /// Whether it lets the first members of a group in at once; with older libraries they wait for three seconds, in which their
    /// session must not end.
    static let joinsSoon = (try? function("mock_group_initial_rebalance_delay_ms", as: Delay.self)) != nil

    /// For members of its groups. However fast they answer, a change is settled a second before a session's end; and who asks
    /// for its share later than the leader has handed the shares in must join again.
    static let membership = [
        "session.timeout.ms": joinsSoon ? "2500" : "6000", "heartbeat.interval.ms": joinsSoon ? "100" : "300",
    ]

    /// The next requests to join a group are answered with an error: "the group is changing".
    func refuseJoins(_ isRefused: Bool) throws {
        if isRefused {
            try Self.function("mock_push_request_errors_array", as: Errors.self)(
                cluster, 11, 10_000, [Int32](repeating: 27, count: 10_000))
        } else {
            try Self.function("mock_clear_request_errors", as: Clear.self)(cluster, 11)
        }
    }

    /// Producers are told this error of a topic; 0 = none, 29 = they have no right to it.
    func refuse(_ topic: String, _ code: Int32) throws {
        try Self.function("mock_topic_set_error", as: TopicError.self)(cluster, topic, code)
    }

    /// Takes all brokers down, or brings them back.
    func setUp(_ isUp: Bool) throws {
        let call = try Self.function("mock_broker_set_\(isUp ? "up" : "down")", as: Broker.self)
        for id in 1...count { _ = call(cluster, id) }
    }
}

/// Waits for a condition; fails after `seconds`.
func soon(_ what: Comment, within seconds: Double = 90, _ condition: () async -> Bool) async throws {
    let deadline = ContinuousClock.now + .milliseconds(Int64(seconds * 1000))
    while !(await condition()) {
        if ContinuousClock.now > deadline {
            Issue.record("not within \(seconds) s: \(what)")
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
