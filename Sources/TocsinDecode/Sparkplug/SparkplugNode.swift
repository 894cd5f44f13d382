internal import TocsinCore

/// What a birth said of its metrics.
struct SparkplugDefinitions {
    struct Definition {
        var name: Range<Int>
        var type: UInt32?
    }

    private(set) var names: [UInt8] = []
    private(set) var metrics: [Definition] = []
    private var byAlias: [UInt64: Int32] = [:]
    /// By the hash of the name, which is compared before it is believed.
    private var byName: [UInt64: Int32] = [:]
    var isAlive = false

    var count: Int { metrics.count }

    mutating func add(_ metric: SparkplugMetric, _ bytes: Span<UInt8>) {
        let name = bytes.extracting(metric.name)
        let start = names.count
        for position in name.indices { names.append(name[position]) }
        let place = Int32(clamping: metrics.count)
        metrics.append(Definition(name: start..<names.count, type: metric.type))
        if let alias = metric.alias { byAlias[alias] = place }
        byName[Self.hash(name)] = place
    }

    func definition(alias: UInt64) -> Definition? { byAlias[alias].map { metrics[Int($0)] } }

    func definition(named name: Span<UInt8>) -> Definition? {
        guard let place = byName[Self.hash(name)] else { return nil }
        let known = metrics[Int(place)]
        guard known.name.count == name.count else { return nil }
        for position in name.indices where names[known.name.lowerBound + position] != name[position] { return nil }
        return known
    }

    private static func hash(_ name: Span<UInt8>) -> UInt64 {
        var hash = StableHash()
        hash.combine(name)
        return hash.value
    }
}

/// An edge node and its devices, as their messages have shown them.
struct SparkplugNode {
    struct Device {
        let topic: SparkplugTopic
        var definitions = SparkplugDefinitions()
    }

    /// Topic of one of its messages: group and edge node.
    let topic: SparkplugTopic
    var definitions = SparkplugDefinitions()
    var devices: [Device] = []
    var deviceByName: [String: Int] = [:]
    /// Of the session: the number that birth and death share.
    var birthDeathSequence: UInt64?
    /// Of the last message, 0…255.
    var sequence: UInt8?
    var rebirthAsked: Timestamp?
    /// When its last message came.
    var heard = Timestamp(nanoseconds: 0)
    /// Since it is known here.
    var hasDied = false

    /// False where messages of the edge node are missing before this one. A message that comes twice is no gap.
    mutating func follow(_ sequence: UInt64?) -> Bool {
        guard let sequence, let number = UInt8(exactly: sequence) else { return true }
        defer { self.sequence = number }
        guard let last = self.sequence else { return false }
        return number == last &+ 1 || number == last
    }
}
