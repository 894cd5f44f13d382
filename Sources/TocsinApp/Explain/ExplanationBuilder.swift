public import TocsinCore

/// Gathers an `Explanation` from a store by its listings alone, so that it works on every store, also beside a running
/// writer.
public struct ExplanationBuilder: Sendable {
    private let store: any Store

    // Bounds of what is read: an explanation takes a moment, whatever the size of the store.
    private static let mostEvents = 20_000
    private static let mostWindows = 20_000
    private static let probe = 240
    private static let listed = 1000
    private static let leastPoints = 20
    private static let longestPad = Span64.days(30)

    public init(store: any Store) { self.store = store }

    public func explain(_ subject: ExplainSearch.Subject) async throws -> Explanation {
        switch subject {
        case .anomaly(let anomaly):
            let alarm = try await alarm(of: anomaly)
            let findings = try await findings(of: alarm)
            return try await explain(anomaly, alarm: alarm, findings: max(1, findings.count))
        case .alarm(let alarm):
            let findings = try await findings(of: alarm)
            guard let first = findings.min(by: { ($0.time, $0.id) < ($1.time, $1.id) }) else {
                throw TocsinError(
                    .usage,
                    "the findings of alarm \(alarm.id) are not in the store any more: \(alarm.sentence.printable)",
                    remedy: "keep them longer with store.retention")
            }
            return try await explain(first, alarm: alarm, findings: findings.count)
        }
    }

    private func explain(_ anomaly: Anomaly, alarm: Alarm?, findings: Int) async throws -> Explanation {
        let extracts = try await extracts(around: anomaly)
        let series = extracts.series
        let view = Self.trimmed(extracts.view, to: series, anomaly)
        var result = Explanation(anomaly: anomaly, view: view)
        result.alarm = alarm
        result.alarmFindings = findings
        if let alarm {
            result.feedback = try await store.feedback(since: alarm.raised).last { $0.alarmID == alarm.id }
        }
        result.model = try await model(of: anomaly)
        result.main = main(of: anomaly, series)
        result.others = series.filter { $0.metric != result.main?.metric }
        if let main = result.main {
            result.stretches = [
                main.stretch(.before, from: view.lowerBound, to: anomaly.start),
                main.stretch(.during, from: anomaly.start, to: anomaly.time),
                main.stretch(.after, from: anomaly.time, to: view.upperBound),
            ].compactMap(\.self)
        }
        result.movements = series.compactMap {
            Movement($0, view: view, start: anomaly.start, end: anomaly.time)
        }.sorted { (abs($0.distance), $1.metric) > (abs($1.distance), $0.metric) }
        result.neighbours = try await neighbours(of: anomaly, metric: result.main?.metric, view: view)
        result.earlier = try await earlier(than: anomaly)
        result.around = try await store.anomalies(
            RecordQuery(
                sensor: anomaly.sensor, start: view.lowerBound, end: Self.after(view.upperBound), limit: Self.listed)
        ).filter { $0.id != anomaly.id }
        return result
    }

    /// `end` of a query is exclusive.
    private static func after(_ time: Timestamp) -> Timestamp { time.advanced(by: .nanoseconds(1)) }

    /// Without the empty ends, where the recording begins or ends near the finding.
    private static func trimmed(
        _ view: ClosedRange<Timestamp>, to series: [SeriesExtract], _ anomaly: Anomaly
    ) -> ClosedRange<Timestamp> {
        let first = series.compactMap { series in
            series.times.first?.advanced(by: .nanoseconds(-series.reach.nanoseconds))
        }
        let last = series.compactMap { series in series.times.last?.advanced(by: series.reach) }
        guard let from = first.min(), let to = last.max() else { return view }
        let start = min(max(from, view.lowerBound), anomaly.start)
        return start...max(start, min(to, view.upperBound), anomaly.time)
    }

    // MARK: Incident and model

    private func alarm(of anomaly: Anomaly) async throws -> Alarm? {
        guard let id = anomaly.alarmID else { return nil }
        return try await store.alarm(id: id)
    }

    private func findings(of alarm: Alarm?) async throws -> [Anomaly] {
        guard let alarm else { return [] }
        return try await store.anomalies(
            RecordQuery(
                sensor: alarm.sensor, start: alarm.raised, end: Self.after(alarm.lastSeen), limit: Self.mostEvents)
        ).filter { $0.alarmID == alarm.id }
    }

    /// The newest version that was there when the finding was made; nil where its detector saves none.
    private func model(of anomaly: Anomaly) async throws -> Explanation.ModelNote? {
        let records = try await store.models(name: anomaly.model)
        // In a replay event times lie before the making of every version: the newest is the best guess then.
        let known = records.first { $0.created <= anomaly.time } ?? records.first
        return known.map {
            Explanation.ModelNote(name: $0.name, version: $0.version, origin: $0.origin, created: $0.created)
        }
    }

    private func earlier(than anomaly: Anomaly) async throws -> [Anomaly] {
        try await store.anomalies(
            RecordQuery(
                sensor: anomaly.sensor, metric: anomaly.metric, end: anomaly.time, limit: Self.listed)
        ).filter { $0.kind == anomaly.kind && $0.metric == anomaly.metric && $0.id != anomaly.id }
    }

    private func main(of anomaly: Anomaly, _ series: [SeriesExtract]) -> SeriesExtract? {
        let byName = { (name: String) in series.first { $0.metric == name } }
        if let metric = anomaly.metric { return byName(metric) }
        return anomaly.contributions.lazy.compactMap { byName($0.name) }.first ?? series.first
    }

    // MARK: Series

    private func extracts(
        around anomaly: Anomaly
    ) async throws -> (view: ClosedRange<Timestamp>, series: [SeriesExtract]) {
        if let found = try await readings(around: anomaly) { return found }
        return try await windows(around: anomaly)
    }

    /// From the events, where the store keeps them: about 150 readings before and 90 behind.
    private func readings(
        around anomaly: Anomaly
    ) async throws -> (view: ClosedRange<Timestamp>, series: [SeriesExtract])? {
        let before = try await store.events(
            RecordQuery(sensor: anomaly.sensor, end: Self.after(anomaly.start), limit: Self.probe))
        let gaps = zip(before, before.dropFirst()).map { $0.time.since($1.time).nanoseconds }.sorted()
        guard gaps.count >= 8, let newest = before.first else { return nil }
        let interval = max(1, gaps[gaps.count / 2])
        // Events that end long before the finding were deleted, or are of another run.
        let duration = anomaly.time.since(anomaly.start)
        let isSilence = anomaly.kind == .silence
        guard isSilence || anomaly.start.since(newest.time).nanoseconds / 20 <= interval else { return nil }
        let view = Self.view(anomaly, duration: duration, before: interval, 150, after: interval, 90)
        let events = try await store.events(
            RecordQuery(
                sensor: anomaly.sensor, start: view.lowerBound, end: Self.after(view.upperBound), limit: Self.mostEvents
            ))
        guard events.count < Self.mostEvents else { return nil }
        var byMetric: [String: SeriesExtract] = [:]
        for event in events.reversed() {
            for reading in event.readings {
                var series =
                    byMetric[reading.metric]
                    ?? SeriesExtract(metric: reading.metric, unit: reading.unit, origin: .readings)
                series.times.append(event.time)
                series.values.append(reading.value)
                byMetric[reading.metric] = series
            }
        }
        if let metric = anomaly.metric, byMetric[metric] == nil { return nil }
        return (view, byMetric.values.sorted { $0.metric < $1.metric })
    }

    /// From the windows: half an hour around at first, more where there are too few.
    private func windows(
        around anomaly: Anomaly
    ) async throws -> (view: ClosedRange<Timestamp>, series: [SeriesExtract]) {
        var pad = Span64.minutes(30)
        let duration = anomaly.time.since(anomaly.start)
        while true {
            let view = Self.view(anomaly, duration: duration, before: pad.nanoseconds, 1, after: pad.nanoseconds / 2, 1)
            let windows = try await store.windows(
                RecordQuery(
                    sensor: anomaly.sensor, start: view.lowerBound, end: Self.after(view.upperBound),
                    limit: Self.mostWindows))
            let series = Self.series(windows)
            let wanted = anomaly.metric.map { metric in series.filter { $0.metric == metric } } ?? series
            let points = wanted.map(\.times.count).max() ?? 0
            if points >= Self.leastPoints || pad >= Self.longestPad { return (view, series) }
            pad = Span64(nanoseconds: pad.nanoseconds * 6)
        }
    }

    static func series(_ windows: [StoredWindow]) -> [SeriesExtract] {
        var shortest: [String: Span64] = [:]
        for window in windows {
            let size = window.end.since(window.start)
            shortest[window.metric] = min(shortest[window.metric] ?? size, size)
        }
        var byMetric: [String: SeriesExtract] = [:]
        for window in windows.sorted(by: { $0.start < $1.start }) {
            let size = window.end.since(window.start)
            guard shortest[window.metric] == size, window.statistics.count > WindowStatistic.maximum.rawValue else {
                continue
            }
            var series =
                byMetric[window.metric] ?? SeriesExtract(metric: window.metric, origin: .windows(size))
            series.times.append(window.start.advanced(by: Span64(nanoseconds: size.nanoseconds / 2)))
            series.values.append(window.statistics[WindowStatistic.mean.rawValue])
            series.low.append(window.statistics[WindowStatistic.minimum.rawValue])
            series.high.append(window.statistics[WindowStatistic.maximum.rawValue])
            byMetric[window.metric] = series
        }
        return byMetric.values.sorted { $0.metric < $1.metric }
    }

    /// Some intervals before and after, and a share of the finding's own length.
    private static func view(
        _ anomaly: Anomaly, duration: Span64, before: Int64, _ beforeCount: Int64, after: Int64, _ afterCount: Int64
    ) -> ClosedRange<Timestamp> {
        let bound = longestPad.nanoseconds
        func pad(_ step: Int64, _ count: Int64) -> Int64 {
            let (product, overflow) = step.multipliedReportingOverflow(by: count)
            return max(overflow ? bound : min(product, bound), max(0, duration.nanoseconds) / 2)
        }
        let start = anomaly.start.advanced(by: Span64(nanoseconds: -pad(before, beforeCount)))
        let end = max(anomaly.start, anomaly.time).advanced(by: Span64(nanoseconds: pad(after, afterCount)))
        return min(start, end)...end
    }

    // MARK: Neighbours

    private func neighbours(
        of anomaly: Anomaly, metric: String?, view: ClosedRange<Timestamp>
    ) async throws -> Neighbours? {
        guard let metric, anomaly.kind != .silence else { return nil }
        var result: Neighbours?
        let windows = try await store.windows(
            RecordQuery(
                metric: metric, start: view.lowerBound, end: Self.after(view.upperBound), limit: Self.mostWindows))
        if windows.count < Self.mostWindows {
            result = Neighbours(windows, of: anomaly)
        } else {
            // Too many sensors for the whole view: the time of the finding alone.
            let near = try await store.windows(
                RecordQuery(
                    metric: metric, start: anomaly.time.advanced(by: .minutes(-6)), end: Self.after(anomaly.time),
                    limit: Self.mostWindows))
            result = Neighbours(near, of: anomaly)
        }
        if result == nil { result = try await neighboursByReadings(of: anomaly, metric: metric, view: view) }
        guard result != nil else { return nil }
        let pad = Span64(
            nanoseconds: max(Span64.minutes(1).nanoseconds, view.upperBound.since(view.lowerBound).nanoseconds / 8))
        let found = try await store.anomalies(
            RecordQuery(
                metric: metric, start: anomaly.start.advanced(by: Span64(nanoseconds: -pad.nanoseconds)),
                end: anomaly.time.advanced(by: pad), limit: Self.listed))
        result?.alsoFound = Set(found.map(\.sensor)).subtracting([anomaly.sensor]).sorted()
        return result
    }

    /// The newest reading of each sensor at the time of the finding.
    private func neighboursByReadings(
        of anomaly: Anomaly, metric: String, view: ClosedRange<Timestamp>
    ) async throws -> Neighbours? {
        let pad = Span64(nanoseconds: -view.upperBound.since(view.lowerBound).nanoseconds / 10)
        let events = try await store.events(
            RecordQuery(
                metric: metric, start: anomaly.time.advanced(by: pad), end: Self.after(anomaly.time),
                limit: Self.mostEvents))
        var latest: [String: Double] = [:]
        for event in events where latest[event.sensor] == nil {
            if let reading = event.readings.first(where: { $0.metric == metric }) {
                latest[event.sensor] = reading.value
            }
        }
        guard let own = latest.removeValue(forKey: anomaly.sensor) else { return nil }
        return Neighbours(own: own, others: Array(latest.values))
    }
}
