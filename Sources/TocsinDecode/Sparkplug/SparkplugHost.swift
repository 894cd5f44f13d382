public import TocsinCore

/// A Sparkplug B 3.0 host application, as far as reading goes: births define metrics, data gives readings, deaths make
/// sensors stale, and what is missing is asked for.
///
/// Data behind a gap in the sequence is still decoded, by the definitions of the last birth; an alias that no birth
/// named is rejected. Both ask the edge node for its births, at most once in ten seconds.
///
/// Bounded: where more edge nodes and devices are heard than `SparkplugLimits` allows, the edge nodes that are dead, or
/// whose birth has never come, are forgotten, those quiet longest first.
public struct SparkplugHost: Sendable {
    private static let patience = Span64.seconds(10)

    let limits: SparkplugLimits
    var nodes: [SparkplugNode] = []
    private var nodeByName: [String: Int] = [:]
    private var nodeCount = 0
    /// Places in `nodes` of those that were forgotten.
    private var free: [Int] = []
    /// False while all edge nodes are known to be alive.
    private var mayForget = true
    var metricCount = 0
    private var replies = SparkplugReplies()
    /// Requests kept until they are taken.
    private static let mostReplies = 100_000
    private var topics: [String: SparkplugTopic] = [:]
    private var topicBytes = 0
    private static let mostTopicBytes = 16 << 20
    private static let longestTopic = 1 << 10

    public init(limits: SparkplugLimits = SparkplugLimits()) { self.limits = limits }

    /// The command that asks an edge node for its births: `Node Control/Rebirth` is true (section 6.4.29).
    public static func rebirthPayload(at time: Timestamp) -> [UInt8] {
        let milliseconds = UInt64(max(0, time.nanoseconds / 1_000_000))
        var payload = ProtobufWriter()
        payload.varint(1, milliseconds)
        payload.message(2) { metric in
            metric.text(1, "Node Control/Rebirth")
            metric.varint(3, milliseconds)
            metric.varint(4, UInt64(SparkplugMetric.DataType.boolean.rawValue))
            metric.varint(14, 1)
        }
        return payload.bytes
    }

    public mutating func takeReplies() -> SparkplugReplies {
        defer { replies = SparkplugReplies() }
        return replies
    }

    /// The number of values that are no readings.
    mutating func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, topic text: String, now: Timestamp,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        let topic = try topic(text)
        switch topic.kind {
        case .state, .nodeCommand, .deviceCommand: return 0
        default: break
        }
        let payload = try SparkplugPayload(range, bytes)
        let node = try node(topic)
        nodes[node].heard = now
        switch topic.kind {
        case .nodeBirth: return try nodeBirth(payload, node, bytes, now, &columns)
        case .nodeDeath:
            try nodeDeath(payload, node, bytes, now, &columns)
            return 0
        default: break
        }
        if !nodes[node].follow(payload.sequence) || !nodes[node].definitions.isAlive { askForRebirth(node, now) }
        guard let name = topic.device else { return try data(payload, node, nil, bytes, now, &columns) }
        let device = try device(name, of: node, topic)
        switch topic.kind {
        case .deviceBirth: return try deviceBirth(payload, node, device, bytes, now, &columns)
        case .deviceDeath:
            nodes[node].devices[device].definitions.isAlive = false
            leave(nodes[node].devices[device].topic, now, .alone, &columns)
            return 0
        default: return try data(payload, node, device, bytes, now, &columns)
        }
    }

    private mutating func topic(_ text: String) throws(DecodeFault) -> SparkplugTopic {
        if let known = topics[text] { return known }
        guard let topic = SparkplugTopic(text) else {
            throw .malformed("has the topic \"\(Text.excerpt(text.utf8.span))\", which is none of Sparkplug")
        }
        guard topic.sensor.utf8.count <= limits.maximumNameBytes else {
            throw DecodeFault(.tooLong, "names a sensor of more than \(limits.maximumNameBytes) bytes in its topic")
        }
        let size = text.utf8.count
        guard size <= Self.longestTopic else { return topic }
        if topics.count >= limits.maximumNodes * 4 || topicBytes + size > Self.mostTopicBytes {
            topics.removeAll()
            topicBytes = 0
        }
        topics[text] = topic
        topicBytes += size
        return topic
    }

    private mutating func node(_ topic: SparkplugTopic) throws(DecodeFault) -> Int {
        let name = "\(topic.group)/\(topic.edgeNode)"
        if let known = nodeByName[name] { return known }
        try countNode()
        // It is not alive before its birth.
        mayForget = true
        let place = free.popLast() ?? nodes.count
        if place == nodes.count {
            nodes.append(SparkplugNode(topic: topic))
        } else {
            nodes[place] = SparkplugNode(topic: topic)
        }
        nodeByName[name] = place
        return place
    }

    private mutating func device(
        _ name: String, of node: Int, _ topic: SparkplugTopic
    ) throws(DecodeFault) -> Int {
        if let known = nodes[node].deviceByName[name] { return known }
        try countNode(besides: node)
        nodes[node].devices.append(SparkplugNode.Device(topic: topic))
        nodes[node].deviceByName[name] = nodes[node].devices.count - 1
        return nodes[node].devices.count - 1
    }

    private mutating func countNode(besides node: Int? = nil) throws(DecodeFault) {
        if nodeCount >= limits.maximumNodes, mayForget { forgetDead(besides: node) }
        guard nodeCount < limits.maximumNodes else {
            throw DecodeFault(.cardinality, "would be of one more than the \(limits.maximumNodes) edge nodes kept")
        }
        nodeCount += 1
    }

    /// Makes room: a sixteenth at a time, so that looking for them costs little.
    private mutating func forgetDead(besides node: Int?) {
        let dead = nodeByName.values.filter { !nodes[$0].definitions.isAlive }
        mayForget = !dead.isEmpty
        let quietest = dead.filter { $0 != node }.sorted { (nodes[$0].heard, $0) < (nodes[$1].heard, $1) }
        for place in quietest.prefix(max(1, quietest.count / 16)) { forget(place) }
    }

    private mutating func forget(_ place: Int) {
        let gone = nodes[place]
        nodeByName["\(gone.topic.group)/\(gone.topic.edgeNode)"] = nil
        nodeCount -= 1 + gone.devices.count
        metricCount -= gone.devices.reduce(gone.definitions.count) { $0 + $1.definitions.count }
        nodes[place] = SparkplugNode(topic: gone.topic)
        free.append(place)
    }

    private mutating func nodeBirth(
        _ payload: SparkplugPayload, _ node: Int, _ bytes: Span<UInt8>, _ now: Timestamp,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        let topic = nodes[node].topic
        let mark = columns.mark
        let born = try born(payload, replacing: nodes[node].definitions.count, topic, device: nil, bytes, &columns)
        guard let session = try Self.session(payload, bytes) else {
            columns.roll(back: mark)
            throw .malformed("is a birth without the metric bdSeq")
        }
        // The devices of the session before it are gone until their own births come.
        for device in nodes[node].devices.indices {
            metricCount -= nodes[node].devices[device].definitions.count
            nodes[node].devices[device].definitions = SparkplugDefinitions()
        }
        metricCount += born.definitions.count - nodes[node].definitions.count
        nodes[node].definitions = born.definitions
        nodes[node].birthDeathSequence = session
        nodes[node].sequence = payload.sequence.flatMap(UInt8.init(exactly:)) ?? 0
        nodes[node].rebirthAsked = nil
        return born.skipped
    }

    private mutating func deviceBirth(
        _ payload: SparkplugPayload, _ node: Int, _ device: Int, _ bytes: Span<UInt8>, _ now: Timestamp,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) -> Int {
        let known = nodes[node].devices[device]
        let born = try born(
            payload, replacing: known.definitions.count, known.topic, device: known.topic.device, bytes, &columns)
        metricCount += born.definitions.count - known.definitions.count
        nodes[node].devices[device].definitions = born.definitions
        return born.skipped
    }

    private mutating func nodeDeath(
        _ payload: SparkplugPayload, _ node: Int, _ bytes: Span<UInt8>, _ now: Timestamp,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        // The will of a session that is over says nothing of the one that has begun (section 6.4.22).
        if let session = nodes[node].birthDeathSequence, let ended = try Self.session(payload, bytes), session != ended
        {
            return
        }
        // Some of its devices may have been heard by an earlier process only.
        leave(nodes[node].topic.node, now, nodes[node].hasDied ? .alone : .withDevices, &columns)
        nodes[node].hasDied = true
        nodes[node].definitions.isAlive = false
        nodes[node].sequence = nil
        mayForget = true
        // Those too whose births have not come since the last one of their edge node.
        for device in nodes[node].devices.indices {
            nodes[node].devices[device].definitions.isAlive = false
            leave(nodes[node].devices[device].topic, now, .alone, &columns)
        }
    }

    mutating func askForRebirth(_ node: Int, _ now: Timestamp) {
        if let asked = nodes[node].rebirthAsked, now >= asked, now.since(asked) < Self.patience { return }
        let topic = nodes[node].topic.commandTopic
        guard replies.rebirthRequests.count < Self.mostReplies else { return }
        nodes[node].rebirthAsked = now
        replies.rebirthRequests.append(topic)
    }

    /// Its sensor is stale from now on: no reading of it is missed until it is born again.
    private func leave(
        _ topic: SparkplugTopic, _ now: Timestamp, _ departure: MessageColumns.Departure,
        _ columns: inout MessageColumns
    ) {
        let sensor = columns.keep(topic.sensor.utf8)
        columns.leave(sensor: sensor, zone: columns.keep(topic.group.utf8), time: now, departure)
    }
}
