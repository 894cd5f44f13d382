/// All keys, in the order in which they are listed: the single truth for reading, checking, listing and the reference.
public enum KeyRegistry {
    /// Keys that belong together.
    public struct Section: Sendable {
        public let title: String
        public let summary: String
        public let entries: [KeyEntry]
    }

    public static let sections: [Section] = [
        Section(
            title: "Data", summary: "Where Tocsin keeps what it writes.", entries: DataKeys.all),
        Section(
            title: "Server", summary: "The one port of the API, the dashboard and `POST /ingest`.",
            entries: ServerKeys.all),
        Section(title: "Engine", summary: "Threads, back-pressure and event time.", entries: EngineKeys.all),
        Section(
            title: "Input", summary: "What counts as a good reading, and where its parts stand in a message.",
            entries: InputKeys.all),
        Section(
            title: "Windows",
            summary: "The sliding windows. Without any, there are two: 60 s every 10 s and 5 min every 1 min.",
            entries: WindowKeys.all),
        Section(title: "Detection", summary: "What counts as an anomaly.", entries: DetectionKeys.all),
        Section(title: "Alarms", summary: "How verdicts become incidents.", entries: AlarmKeys.all),
        Section(
            title: "Rules",
            summary:
                "For some sensors or metrics: what differs from `detection` and `alarms`. Later rules win, field by field.",
            entries: RuleKeys.all),
        Section(title: "Classes", summary: "Sensors of one sort, by name, for `rules`.", entries: ClassKeys.all),
        Section(
            title: "Maintenance",
            summary: "Times at which findings are kept as anomalies but raise no alarm.", entries: MaintenanceKeys.all),
        Section(
            title: "Assets",
            summary:
                "Sensors that belong together: budgets count by asset, and first causes are looked for within one. "
                + "Sensors of no asset stand for themselves.", entries: AssetKeys.all),
        Section(title: "Store", summary: "What is kept, where, and for how long.", entries: StoreKeys.all),
        Section(
            title: "Spool and checkpoints",
            summary: "What makes input durable at once, and a restart go on where the last run ended.",
            entries: SpoolKeys.all),
        Section(
            title: "Lake", summary: "Parquet files for analysts, on disk or in S3: bronze, silver and gold.",
            entries: LakeKeys.all),
        Section(
            title: "Sources",
            summary: "Where readings come from, besides `POST /ingest`, which needs no source. "
                + "`path` and `follow` belong to files and folders, `format` to all but the simulator, the keys from "
                + "`profile` to `maxEvents` to the simulator, those from `topics` to `sensorAttributes` to Kafka and "
                + "MQTT, the keys from `group` to "
                + "`messageKey` to Kafka, and those from `url` on to MQTT.",
            entries: SourceKeys.all + [BrokerSourceKeys.topics.entry] + BrokerSourceKeys.forms.all
                + BrokerSourceKeys.kafkaOnly + BrokerSourceKeys.mqttOnly),
        Section(
            title: "Kafka", summary: "What all connections to Kafka have in common, and what is sent there.",
            entries: KafkaKeys.all),
        Section(
            title: "Alerts", summary: "Who is told of alarms, besides the dashboard.",
            entries: AlertKeys.all + ChannelKeys.all),
        Section(title: "Log", summary: "The program's own log, on standard error.", entries: LogKeys.all),
    ]

    public static let entries: [KeyEntry] = sections.flatMap(\.entries)

    static let byName: [String: KeyEntry] = Dictionary(
        entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    /// `windows`, `sources`, `alerts.webhooks`: lists of groups of keys.
    static let groupLists: Set<String> = Set(
        entries.compactMap { entry in entry.name.firstRange(of: "[]").map { String(entry.name[..<$0.lowerBound]) } })

    /// `server`, `server.live`, `sources[]`, `sources[].mapping`: what has keys below it.
    static let groups: Set<String> = Set(
        entries.flatMap { entry in
            entry.name.indices.filter { entry.name[$0] == "." }.map { String(entry.name[..<$0]) }
        })

    /// The names one level below a group ("" is the top).
    static func children(of group: String) -> [String] {
        let prefix = group.isEmpty ? "" : group + "."
        var names: [String] = []
        for entry in entries where entry.name.hasPrefix(prefix) {
            let child = entry.name.dropFirst(prefix.count).prefix { $0 != "." }
            let name = child.hasSuffix("[]") ? String(child.dropLast(2)) : String(child)
            if names.last != name { names.append(name) }
        }
        return names
    }

    /// `sources.0.kind` → `sources[].kind`
    static func pattern(of key: String) -> String {
        var pattern = ""
        for component in key.split(separator: ".", omittingEmptySubsequences: false) {
            if isIndex(component), groupLists.contains(pattern) {
                pattern += "[]"
            } else {
                pattern += (pattern.isEmpty ? "" : ".") + component
            }
        }
        return pattern
    }

    /// The key itself, or for `input.validRanges.temperature` the map it names an entry of.
    static func entry(for key: String) -> (entry: KeyEntry, mapName: String?)? {
        let pattern = pattern(of: key)
        if let entry = byName[pattern] { return (entry, nil) }
        for entry in entries where entry.shape == .map && pattern.hasPrefix(entry.name + ".") {
            return (entry, String(pattern.dropFirst(entry.name.count + 1)))
        }
        return nil
    }

    static func isIndex(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.count <= 3 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// What was perhaps meant by an unknown name in a group, as the remedy of the error.
    static func suggestion(for name: String, in group: String) -> String {
        let siblings = children(of: group)
        if let near = EditDistance.nearest(to: name, in: siblings) {
            return "did you mean `\(near)`?"
        }
        let wanted = name.lowercased()
        let elsewhere = entries.filter { $0.name.lowercased().hasSuffix("." + wanted) }.prefix(3)
        if !elsewhere.isEmpty {
            return "did you mean " + elsewhere.map { "`\($0.name)`" }.joined(separator: " or ") + "?"
        }
        return "known here: " + siblings.joined(separator: ", ")
    }
}
