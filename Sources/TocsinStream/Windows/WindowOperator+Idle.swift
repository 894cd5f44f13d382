public import TocsinCore

extension WindowOperator {
    /// Appends the series of a source whose next window is due by their sensor's watermark: those that have fallen
    /// silent while the source went on. Ascending; nothing is changed but the note of when this was asked.
    ///
    /// The caller closes each with `close(series:watermark:keepingBacklog: true, into:)` and the sensor's watermark. A
    /// scan over 8 bytes a series, made only when the source's high-water mark has moved by half a pane since the last
    /// one; about 1 ns else.
    /// - Parameter grace: how far the watermark must lie beyond a window's end. With 0 every sensor that reports just
    ///   after the one that moved the source's time on counts as silent: where a million report at one moment, all
    ///   their windows close at once. Half a pane leaves those to the sensors' own readings.
    public mutating func due(
        source: SourceID, clocks: SensorClocks, grace: Span64 = Span64(nanoseconds: 0), into series: inout [SeriesID]
    ) {
        guard isSweepDue(source, clocks) else { return }
        let latest = clocks.latestWatermark(of: source).nanoseconds.subtractingSaturated(max(grace.nanoseconds, 0))
        for index in dues.indices where dues[index] <= latest {
            guard clocks.source(of: SensorID(states[index].sensor)) == source else { continue }
            if isDue(index, clocks, grace) { series.append(SeriesID(UInt32(index))) }
        }
    }

    /// The same where somebody else knows which series belong to the source: the others cost nothing.
    /// - Parameter members: asked for only when there is something to look for; in any order.
    public mutating func due(
        source: SourceID, among members: @autoclosure () -> [SeriesID], clocks: SensorClocks,
        grace: Span64 = Span64(nanoseconds: 0), into series: inout [SeriesID]
    ) {
        guard isSweepDue(source, clocks) else { return }
        let latest = clocks.latestWatermark(of: source).nanoseconds.subtractingSaturated(max(grace.nanoseconds, 0))
        let first = series.count
        var isAscending = true
        for member in members() {
            let index = Int(member.index)
            guard index < dues.count, dues[index] <= latest, isDue(index, clocks, grace) else { continue }
            if series.count > first, series[series.count - 1].index > member.index { isAscending = false }
            series.append(member)
        }
        if !isAscending { series[first...].sort { $0.index < $1.index } }
    }

    /// Whether the source's time has gone on far enough since the last look; if so this is the next one.
    private mutating func isSweepDue(_ source: SourceID, _ clocks: SensorClocks) -> Bool {
        let highWater = clocks.highWater(of: source).nanoseconds
        let place = Int(source.index)
        let swept = place < sweptHighWaters.count ? sweptHighWaters[place] : .min
        guard highWater > swept, highWater.subtractingSaturated(swept) >= plan.paneNanoseconds / 2 else { return false }
        noteSweep(of: source, at: Timestamp(nanoseconds: highWater))
        return true
    }

    private func isDue(_ index: Int, _ clocks: SensorClocks, _ grace: Span64) -> Bool {
        guard !states[index].blocks.isEmpty else { return false }
        let watermark = clocks.watermark(of: SensorID(states[index].sensor)).nanoseconds
        return watermark.subtractingSaturated(max(grace.nanoseconds, 0)) >= dues[index]
    }

    /// The source's high-water mark when `due` last looked; `Timestamp(nanoseconds: .min)` before.
    public func lastSweep(of source: SourceID) -> Timestamp {
        let place = Int(source.index)
        return Timestamp(nanoseconds: place < sweptHighWaters.count ? sweptHighWaters[place] : .min)
    }

    /// The source has come from elsewhere, where `due` last looked at this high-water mark; or it is forgotten, with
    /// `Timestamp(nanoseconds: .min)`.
    public mutating func noteSweep(of source: SourceID, at highWater: Timestamp) {
        let place = Int(source.index)
        if place >= sweptHighWaters.count {
            guard highWater.nanoseconds != .min else { return }
            sweptHighWaters.append(contentsOf: repeatElement(.min, count: place + 1 - sweptHighWaters.count))
        }
        sweptHighWaters[place] = highWater.nanoseconds
    }

    /// Emits the windows of all series that `due` names: call it once per batch.
    public mutating func advance(source: SourceID, clocks: SensorClocks, into batch: inout WindowBatch) {
        var series: [SeriesID] = []
        due(source: source, clocks: clocks, into: &series)
        for series in series {
            let watermark = clocks.watermark(of: SensorID(states[Int(series.index)].sensor))
            close(series: series, watermark: watermark, keepingBacklog: true, into: &batch)
        }
    }
}
