/// The constant parts of a line, made once: what stands between the values.
///
/// JSON and CSV lines have the same skeleton: open, event id, sensor, time, values, labels, close.
struct EventFragments: Sendable {
    private(set) var header: [UInt8] = []
    private(set) var open: [UInt8] = []
    private(set) var afterEventID: [UInt8] = []
    private(set) var afterName: [UInt8] = []
    private(set) var afterTime: [UInt8] = []
    /// One for each metric.
    private(set) var beforeValue: [[UInt8]] = []
    /// Of the narrow form, one for each metric: up to the zone's number.
    private(set) var beforeZone: [[UInt8]] = []
    private(set) var afterZone: [UInt8] = []
    /// Of the smoke profile.
    private(set) var beforeCount: [UInt8] = []
    private(set) var beforeAlarm: [UInt8] = []
    private(set) var normalLabel: [UInt8] = []
    private(set) var beforeKind: [UInt8] = []
    private(set) var afterKind: [UInt8] = []
    private(set) var close: [UInt8] = []

    init(_ settings: SimulatorSettings, includesNames: Bool) {
        switch settings.format {
        case .csv: makeCSV(settings, includesNames: includesNames)
        case .wide, .narrow: makeJSON(settings)
        }
    }

    private mutating func makeJSON(_ settings: SimulatorSettings) {
        let isSmoke = settings.profile == .smoke
        open = Array((settings.includeEventIDs ? #"{"event_id":""# : #"{"sensor_id":""#).utf8)
        afterEventID = Array(#"","sensor_id":""#.utf8)
        afterName = Array((isSmoke ? #"","UTC":"# : #"","timestamp":""#).utf8)
        afterTime = Array((isSmoke ? "" : "\"").utf8)
        for metric in settings.profile.metrics {
            if settings.format == .narrow {
                beforeValue.append(Array(#","metric":"\#(metric.name)","value":"#.utf8))
                beforeZone.append(Array(#","meta":{"unit":"\#(metric.unit)","location":"zone_"#.utf8))
            } else {
                beforeValue.append(Array(#","\#(metric.name)":"#.utf8))
            }
        }
        afterZone = Array(#""}"#.utf8)
        beforeCount = Array(#","CNT":"#.utf8)
        beforeAlarm = Array(#","Fire Alarm":"#.utf8)
        normalLabel = Array(#","anomaly_injected":false"#.utf8)
        beforeKind = Array(#","anomaly_injected":true,"anomaly_type":""#.utf8)
        afterKind = Array("\"".utf8)
        close = Array("}\n".utf8)
    }

    private mutating func makeCSV(_ settings: SimulatorSettings, includesNames: Bool) {
        let isSmoke = settings.profile == .smoke
        var columns = settings.includeEventIDs ? ["event_id"] : []
        if includesNames { columns.append("sensor_id") }
        columns.append(isSmoke ? "UTC" : "timestamp")
        columns += settings.profile.metrics.map(\.name)
        if isSmoke { columns += ["CNT", "Fire Alarm"] }
        if settings.includeLabels { columns += ["anomaly_injected", "anomaly_type"] }
        header = Array((columns.joined(separator: ",") + "\n").utf8)
        let comma = Array(",".utf8)
        afterEventID = comma
        afterName = comma
        beforeValue = settings.profile.metrics.map { _ in comma }
        beforeCount = comma
        beforeAlarm = comma
        normalLabel = Array(",false,".utf8)
        beforeKind = Array(",true,".utf8)
        close = Array("\n".utf8)
    }
}
