public import TocsinCore
internal import TocsinMeasure

/// What `MQTTBench` measures.
public struct MQTTBenchSettings: Sendable {
    /// `mqtt://host:port` of a broker that runs already; nil = Mosquitto is started.
    public var broker: String?
    /// In each run; nil = 500,000 at QoS 0, 200,000 at QoS 1.
    public var messages: Int?
    /// Qualities of service, each measured for itself.
    public var qos = [0, 1]
    /// Runs of either side; the median counts.
    public var repeats = 3
    /// Further ones of `tocsin run`.
    public var flags: [String] = []

    public init() {}

    /// One topic each.
    static let sensors = 1000
    /// Messages of QoS 1 that the publisher has under way.
    static let window = 1000

    func messages(qos: Int) -> Int { messages ?? (qos == 0 ? 500_000 : 200_000) }

    /// Where the broker given listens; nil where Mosquitto is to be started.
    /// - Throws: `TocsinError(.usage)` for an address that is none.
    func address() throws(TocsinError) -> HTTPAddress? {
        guard let broker else { return nil }
        let scheme = "mqtt://"
        guard broker.hasPrefix(scheme), let colon = broker.lastIndex(of: ":"), colon > broker.startIndex,
            broker[colon...].dropFirst().allSatisfy(\.isNumber),
            let address = try? HTTPAddress("http://" + broker.dropFirst(scheme.count))
        else {
            throw TocsinError(
                .usage, "--broker takes mqtt://host:port, not '\(broker)'", remedy: "give it as mqtt://127.0.0.1:1883")
        }
        return address
    }

    /// - Throws: `TocsinError(.usage)` for what cannot be measured.
    public func validate() throws(TocsinError) {
        if let messages, !(10_000...50_000_000).contains(messages) {
            throw TocsinError(.usage, "--messages takes 10,000 to 50,000,000")
        }
        guard !qos.isEmpty, qos.allSatisfy({ (0...1).contains($0) }) else {
            throw TocsinError(.usage, "--qos takes 0, 1 or both")
        }
        guard (1...1000).contains(repeats) else { throw TocsinError(.usage, "--repeat takes 1 to 1000") }
        _ = try address()
    }
}
