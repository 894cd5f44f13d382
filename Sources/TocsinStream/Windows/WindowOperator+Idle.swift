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
        let highWater = clocks.highWater(of: source).nanoseconds
        let place = Int(source.index)
        if place >= sweptHighWaters.count {
            sweptHighWaters.append(contentsOf: repeatElement(.min, count: place + 1 - sweptHighWaters.count))
        }
        guard highWater > sweptHighWaters[place],
            highWater.subtractingSaturated(sweptHighWaters[place]) >= plan.paneNanoseconds / 2
        else { return }
        sweptHighWaters[place] = highWater
        let grace = max(grace.nanoseconds, 0)
        let latest = clocks.latestWatermark(of: source).nanoseconds.subtractingSaturated(grace)
        for index in dues.indices where dues[index] <= latest {
            let sensor = SensorID(states[index].sensor)
            guard !states[index].blocks.isEmpty, clocks.source(of: sensor) == source else { continue }
            let watermark = clocks.watermark(of: sensor).nanoseconds.subtractingSaturated(grace)
            if watermark >= dues[index] { series.append(SeriesID(UInt32(index))) }
        }
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
