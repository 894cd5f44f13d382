internal import Synchronization
internal import TocsinChart
internal import TocsinCore
internal import TocsinDetect
internal import TocsinEngine

/// `tocsin replay --plots FOLDER`: one picture for each sensor of its whole recording: readings, the band in which the
/// bank expected them, findings by kind, incidents as shaded stretches.
final class ReplayPictures: Sendable {
    private struct State: Sendable {
        var bank: Bank
        var highWater: Timestamp?
        /// By series.
        var points: [PicturePoints] = []
        var anomalies: [String: [Anomaly]] = [:]
        /// By id, as last heard of.
        var alarms: [String: Alarm] = [:]
        var alarmIDs: [String] = []
    }

    /// The first so many sensors: a person looks at no more.
    static let mostSensors = 100
    private static let mostMetrics = 12
    private static let mostCaptions = 24

    private let state: Mutex<State>
    private let folder: String
    private let table: SeriesTable
    private let detector: String
    private let hasBand: Bool

    /// - Parameter hasBand: whether the bank is among the detectors, so that what it expected tells something.
    /// - Throws: `TocsinError` when the folder cannot be made.
    init(folder: String, settings: EngineSettings, table: SeriesTable, detector: String, hasBand: Bool) throws {
        try DataFolder.create(at: folder)
        self.folder = folder
        self.table = table
        self.detector = detector
        self.hasBand = hasBand
        state = Mutex(State(bank: Bank(settings: settings.bank)))
    }

    /// The bank that draws the band sees what the engine's bank saw, in the same order.
    func add(_ outcome: BatchOutcome) {
        let batch = outcome.batch
        state.withLock { state in
            for event in 0..<batch.eventCount
            where outcome.fates[event] == .stored && batch.sensors[event].index < Self.mostSensors {
                let time = batch.times[event]
                let highWater = max(state.highWater ?? time, time)
                state.highWater = highWater
                for reading in batch.readings(of: event) where outcome.accepted[reading] {
                    let series = batch.series[reading]
                    let value = batch.values[reading]
                    while state.points.count <= Int(series.index) { state.points.append(PicturePoints()) }
                    let assessment =
                        hasBand
                        ? state.bank.assess(series: series, time: time, highWater: highWater, value: value) : nil
                    // What a drift or noise was judged by is no band of readings.
                    let band = assessment?.kind == nil || assessment?.kind == .spike ? assessment : nil
                    state.points[Int(series.index)].add(
                        time, value, low: band?.expectedLow ?? .nan, high: band?.expectedHigh ?? .nan)
                }
            }
            for anomaly in outcome.anomalies { state.anomalies[anomaly.sensor, default: []].append(anomaly) }
            for change in outcome.alarmChanges {
                if state.alarms[change.alarm.id] == nil { state.alarmIDs.append(change.alarm.id) }
                state.alarms[change.alarm.id] = change.alarm
            }
        }
    }

    /// Draws what was added.
    /// - Returns: how many pictures there are.
    func write() throws -> Int {
        let state = state.withLock { $0 }
        let sensors = table.withIndex { index in
            (0..<min(index.sensorCount, Self.mostSensors)).map { number in
                let sensor = SensorID(UInt32(number))
                return (name: index.name(sensor), series: index.series(of: sensor))
            }
        }
        var files: Set<String> = []
        for sensor in sensors {
            let alarms = state.alarmIDs.compactMap { state.alarms[$0] }.filter { $0.sensor == sensor.name }
            let chart = chart(of: sensor.name, sensor.series, state, alarms)
            var file = Self.fileName(sensor.name)
            while !files.insert(file).inserted { file += "_" }
            try PictureFile.write(chart, to: "\(folder)/\(file).svg")
        }
        return sensors.count
    }

    private func chart(of sensor: String, _ series: [SeriesID], _ state: State, _ alarms: [Alarm]) -> Chart {
        let shown = series.prefix(Self.mostMetrics)
        let names = table.withIndex { index in
            shown.map { (metric: index.name(index.metric(of: $0)), unit: index.unit(of: $0)) }
        }
        var panels: [ChartPanel] = []
        for (place, series) in shown.enumerated() {
            let (metric, unit) = names[place]
            var panel = ChartPanel(
                title: unit.map { "\(metric) (\($0))" } ?? metric, height: shown.count == 1 ? 260 : 120)
            let points = Int(series.index) < state.points.count ? state.points[Int(series.index)] : PicturePoints()
            panel.lines = [ChartLine(name: "", times: points.times, values: points.values)]
            if hasBand {
                panel.bands = [Self.band(of: points)]
            }
            // What is of the whole sensor stands in the first panel.
            let isFirst = place == 0
            let known = Set(names.map(\.metric))
            func belongs(_ other: String?) -> Bool {
                other == metric || (isFirst && (other.map { !known.contains($0) } ?? true))
            }
            let own = alarms.filter { belongs($0.metric) }
            panel.ranges = own.map { alarm in
                ChartRange(
                    start: alarm.raised, end: alarm.lastSeen, name: "incident",
                    caption: own.count <= Self.mostCaptions ? alarm.kind.name : nil,
                    colour: ChartMarkStyle.of(alarm.kind).colour)
            }
            panel.marks = (state.anomalies[sensor] ?? []).filter { belongs($0.metric) }.map { anomaly in
                ChartMark(
                    time: anomaly.time, value: Self.value(at: anomaly.time, in: points), name: anomaly.kind.name,
                    style: .of(anomaly.kind))
            }
            panels.append(panel)
        }
        let rest = series.count - shown.count
        return Chart(
            title: sensor.printable, subtitle: subtitle(alarms, state, rest: rest), panels: panels, width: 1200)
    }

    private func subtitle(_ alarms: [Alarm], _ state: State, rest: Int) -> String {
        var counts: [AnomalyKind: Int] = [:]
        for alarm in alarms { counts[alarm.kind, default: 0] += 1 }
        let kinds = AnomalyKind.allCases.compactMap { kind in counts[kind].map { "\($0) \(kind.name)" } }
        let incidents = "\(alarms.count) incident\(alarms.count == 1 ? "" : "s")"
        let list = kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))"
        return "\(incidents)\(list), detector \(detector)" + (rest > 0 ? "; \(rest) further metrics are not drawn" : "")
    }

    /// The reading nearest to a time, where it stands in the picture.
    private static func value(at time: Timestamp, in points: PicturePoints) -> Double? {
        var (low, high) = (0, points.times.count)
        while low < high {
            let middle = (low + high) / 2
            if points.times[middle] < time { low = middle + 1 } else { high = middle }
        }
        let near = [low - 1, low].filter { points.times.indices.contains($0) }.min {
            points.times[$0].since(time).nanoseconds.magnitude < points.times[$1].since(time).nanoseconds.magnitude
        }
        return near.map { points.values[$0] }
    }

    /// The readings are what matters: a band that is wide while it learns does not flatten them.
    private static func band(of points: PicturePoints) -> ChartBand {
        let (least, greatest) = (points.values.min() ?? 0, points.values.max() ?? 0)
        let room = (greatest - least) * 0.25
        return ChartBand(
            name: "expected", times: points.times,
            low: points.low.map { $0.isFinite ? max($0, least - room) : .nan },
            high: points.high.map { $0.isFinite ? min($0, greatest + room) : .nan }, colour: .sky)
    }

    /// Names are from outside: letters, digits and a few signs stay.
    private static func fileName(_ sensor: String) -> String {
        let plain = sensor.unicodeScalars.prefix(80).map { scalar -> Character in
            let isKept = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            return isKept || scalar == "-" || scalar == "_" || scalar == "." ? Character(scalar) : "-"
        }
        let name = String(plain)
        return name.isEmpty || name.hasPrefix(".") ? "_" + name : name
    }
}
