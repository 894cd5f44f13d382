public import TocsinCore

extension SensorEnsemble {
    private static let version: UInt8 = 1

    /// Writes everything: a restored ensemble answers as this one would.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.version)
        writer.write(usesNovelty)
        writer.write(UInt16(series.count))
        for metric in series { metric.save(to: &writer) }
        writer.write(chart != nil)
        chart?.save(to: &writer)
        history.save(to: &writer)
        for time in [lastTime, rising, lastEmission] { writer.write(time) }
        writer.write(isAlarm)
    }

    /// nil for bytes that `save` did not write.
    public init?(restoring reader: inout StateReader) {
        guard reader.read(UInt8.self) == Self.version, let usesNovelty = reader.readFlag(),
            let count = reader.read(UInt16.self), count <= Self.mostMetrics, usesNovelty || count == 0
        else { return nil }
        self.init(usesNovelty: usesNovelty)
        for _ in 0..<count {
            guard let metric = PacedNovelty(restoring: &reader) else { return nil }
            series.append(metric)
        }
        guard let hasChart = reader.readFlag() else { return nil }
        if hasChart {
            guard let chart = AdaptiveChart(restoring: &reader), chart.width <= Self.mostMetrics,
                !usesNovelty || chart.width == series.count
            else { return nil }
            self.chart = chart
        } else if series.count > 1 {
            return nil
        }
        guard let history = ScoreHistory(restoring: &reader), let lastTime = reader.read(Int64.self),
            let rising = reader.read(Int64.self), let lastEmission = reader.read(Int64.self),
            let isAlarm = reader.readFlag()
        else { return nil }
        (self.history, self.lastTime, self.rising) = (history, lastTime, rising)
        (self.lastEmission, self.isAlarm) = (lastEmission, isAlarm)
    }
}
