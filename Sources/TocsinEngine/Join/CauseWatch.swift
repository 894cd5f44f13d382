internal import TocsinCore
internal import TocsinStream

/// Which of an asset's sensors moved first: remembers the onsets of the last minutes and the window means of the series
/// that belong to assets of several sensors or metrics.
///
/// Only series with an alarm lately, and others of the same asset, matter; means are kept for the first `maximumSeries`
/// series of assets, 480 bytes each.
struct CauseWatch: Sendable {
    private struct Onset: Sendable {
        var alarmID: String
        var series: SeriesID?
        var sensor: String
        var metric: String?
        var time: Timestamp
    }

    private static let points = 120
    private static let maximumSeries = 4096
    /// Onsets further apart have different causes.
    private static let reach = Span64.minutes(10)
    private static let keptOnsets = 64

    private let assets: AssetNames
    private let slide: Span64
    private let size: Span64
    private var onsets: [String: [Onset]] = [:]
    /// By series: where its ring of window means is, -1 without one, -2 where it could tell nothing: alone in its asset. The rings stand in one array, `points` means each, one
    /// each slide, oldest overwritten; with the end of the newest.
    private var places: [Int32] = []
    private var means: [Float] = []
    private var ends: [Timestamp] = []
    /// Rings whose series have left.
    private var freeRings: [Int32] = []
    /// By sensor: its only series so far, -1 before the first, -2 with several; for how many series that is known.
    private var onlySeries: [Int32] = []
    private var counted = 0

    init(assets: AssetNames, definitions: [WindowDefinition]) {
        self.assets = assets
        slide = definitions.first?.slide ?? .seconds(10)
        size = definitions.first?.size ?? .seconds(60)
    }

    mutating func observe(_ windows: WindowBatch, names: SeriesNames) {
        count(names)
        for window in 0..<windows.count where windows.definition[window] == 0 {
            let index = windows.series[window].index
            guard Int(index) < Self.maximumSeries, isOfUse(Int(index), names) else { continue }
            note(Float(windows.value(.mean, row: window)), at: windows.start[window].advanced(by: size), of: index)
        }
    }

    private mutating func count(_ names: SeriesNames) {
        let known = min(names.sensorOfSeries.count, Self.maximumSeries)
        if places.count < known { places += repeatElement(-1, count: known - places.count) }
        while counted < known {
            let sensor = Int(names.sensorOfSeries[counted])
            if sensor >= onlySeries.count { onlySeries += repeatElement(-1, count: sensor + 1 - onlySeries.count) }
            let only = onlySeries[sensor]
            onlySeries[sensor] = only == -1 ? Int32(counted) : -2
            // The first one has company now.
            if only >= 0, places[Int(only)] == -2 { places[Int(only)] = -1 }
            counted += 1
        }
    }

    private mutating func isOfUse(_ series: Int, _ names: SeriesNames) -> Bool {
        guard series < places.count, places[series] == -1 else { return series < places.count && places[series] >= 0 }
        let name = names.sensorName(of: SeriesID(UInt32(series)))
        let isAlone = onlySeries[Int(names.sensorOfSeries[series])] >= 0 && assets.asset(of: name) == name
        if isAlone { places[series] = -2 }
        return !isAlone
    }

    private mutating func note(_ mean: Float, at end: Timestamp, of index: UInt32) {
        let series = Int(index)
        if series >= places.count { places += repeatElement(-1, count: series + 1 - places.count) }
        if places[series] < 0 {
            places[series] = freeRings.popLast() ?? Int32(ends.count)
            if Int(places[series]) == ends.count {
                ends.append(end)
                means += repeatElement(.nan, count: Self.points)
            } else {
                ends[Int(places[series])] = end
            }
        }
        let ring = Int(places[series])
        guard end >= ends[ring] else { return }
        // Windows that did not close left gaps.
        let skipped = min(end.since(ends[ring]).nanoseconds / max(slide.nanoseconds, 1), Int64(Self.points))
        for step in stride(from: Int(skipped) - 1, to: 0, by: -1) {
            let gap = place(end.advanced(by: Span64(nanoseconds: -slide.nanoseconds * Int64(step))))
            means[ring * Self.points + gap] = .nan
        }
        means[ring * Self.points + place(end)] = mean
        ends[ring] = end
    }

    private func ring(of series: SeriesID?) -> Int? {
        guard let series, Int(series.index) < places.count, places[Int(series.index)] >= 0 else { return nil }
        return Int(places[Int(series.index)])
    }

    private func place(_ time: Timestamp) -> Int {
        let step = time.nanoseconds / max(slide.nanoseconds, 1)
        return Int((step % Int64(Self.points) + Int64(Self.points)) % Int64(Self.points))
    }

    /// An incident begins: the sentence on who moved first, where others of the asset have begun shortly before.
    mutating func cause(of alarm: Alarm, series: SeriesID?) -> String? {
        let asset = assets.asset(of: alarm.sensor)
        var known = onsets[asset] ?? []
        known.removeAll {
            Span64(nanoseconds: abs(alarm.raised.since($0.time).nanoseconds)) > Self.reach || $0.alarmID == alarm.id
        }
        known.append(
            Onset(
                alarmID: alarm.id, series: series, sensor: alarm.sensor, metric: alarm.metric, time: alarm.raised))
        if known.count > Self.keptOnsets { known.removeFirst(known.count - Self.keptOnsets) }
        onsets[asset] = known
        // Of one series one onset, the first: a jump that becomes a drift has not two causes. Of a sensor as a whole none
        // where one of its metrics is named: it would only say the same again.
        let named = Set(known.filter { $0.metric != nil }.map(\.sensor))
        var seen: Set<String> = []
        let distinct = known.sorted { $0.time < $1.time }.filter { onset in
            (onset.metric != nil || !named.contains(onset.sensor))
                && seen.insert(onset.sensor + "\u{0}" + (onset.metric ?? "")).inserted
        }
        guard distinct.count > 1 else { return nil }
        let end = distinct.compactMap { ring(of: $0.series).map { ends[$0] } }.max()
        let ranked = FirstCause.rank(
            onsets: distinct.map { onset in
                FirstCause.Onset(
                    sensor: onset.sensor, metric: onset.metric, time: onset.time,
                    values: end.map { values(of: onset.series, until: $0) } ?? [])
            }, step: slide)
        return ranked?.sentence
    }

    private func values(of series: SeriesID?, until end: Timestamp) -> [Double] {
        guard let ring = ring(of: series) else { return [] }
        return (0..<Self.points).map { step in
            let time = end.advanced(by: Span64(nanoseconds: -slide.nanoseconds * Int64(Self.points - 1 - step)))
            let age = ends[ring].since(time).nanoseconds
            let isHeld = age >= 0 && age < slide.nanoseconds * Int64(Self.points)
            return isHeld ? Double(means[ring * Self.points + place(time)]) : .nan
        }
    }

    // MARK: Checkpoint

    /// - Parameter selection: whose; nil = all.
    func save(to writer: inout StateWriter, _ selection: SensorSelection? = nil) {
        let rings = places.enumerated().filter { index, place in
            place >= 0 && selection?.containsSeries(UInt32(index)) ?? true
        }
        writer.write(varint: UInt64(rings.count))
        for (index, place) in rings {
            writer.write(UInt32(index))
            writer.write(ends[Int(place)])
            for value in means[Int(place) * Self.points..<(Int(place) + 1) * Self.points] {
                writer.write(value.bitPattern)
            }
        }
        let kept = onsets.mapValues { list in list.filter { selection?.names.contains($0.sensor) ?? true } }
            .filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        writer.write(varint: UInt64(kept.count))
        for (asset, list) in kept {
            writer.write(text: asset)
            writer.write(varint: UInt64(list.count))
            for onset in list {
                writer.write(name: onset.alarmID)
                writer.write(onset.series?.index ?? .max)
                writer.write(text: onset.sensor)
                writer.write(text: onset.metric ?? "")
                writer.write(onset.time)
            }
        }
    }

    mutating func forget(_ selection: SensorSelection) {
        for (index, place) in places.enumerated() where place >= 0 && selection.containsSeries(UInt32(index)) {
            for point in 0..<Self.points { means[Int(place) * Self.points + point] = .nan }
            freeRings.append(place)
            places[index] = -1
        }
        onsets = onsets.mapValues { list in list.filter { !selection.names.contains($0.sensor) } }
            .filter { !$0.value.isEmpty }
    }

    /// - Returns: false for nonsense.
    mutating func restore(from reader: inout StateReader, _ ids: SavedIDs) -> Bool {
        guard let count = reader.readCount(of: 4 + 8 + 4 * Self.points) else { return false }
        for _ in 0..<count {
            guard let series = reader.readSeries(ids), let end = reader.readTimestamp(),
                let raw = reader.readRaw(count: 4 * Self.points)
            else { return false }
            // Elsewhere it may have had an earlier number.
            guard Int(series.index) < Self.maximumSeries else { continue }
            note(.nan, at: end, of: series.index)
            guard let ring = ring(of: series) else { return false }
            ends[ring] = end
            var values = StateReader(raw)
            for point in 0..<Self.points {
                means[ring * Self.points + point] = values.readFloat() ?? .nan
            }
        }
        guard let lists = reader.readCount(of: 2) else { return false }
        for _ in 0..<lists {
            guard let asset = reader.readText(), let length = reader.readCount(of: 14) else { return false }
            for _ in 0..<length {
                guard let id = reader.readName(), let number = reader.read(UInt32.self), let sensor = reader.readText(),
                    let metric = reader.readText(), let time = reader.readTimestamp()
                else { return false }
                let series = number == .max ? nil : ids.series(number)
                guard number == .max || series != nil else { return false }
                onsets[asset, default: []].append(
                    Onset(
                        alarmID: id, series: series, sensor: sensor,
                        metric: metric.isEmpty ? nil : metric, time: time))
            }
        }
        return true
    }
}
