internal import TocsinCore
internal import TocsinDetect
internal import TocsinStream

/// The states that a checkpoint holds: what is accepted must go on working, and be accepted again when saved.
///
/// An input begins with two bytes that give the length of the saved state; what follows drives the calls on it.
enum StateTarget {
    private static let source = SourceID(0)

    static func bank(_ input: inout Input) {
        var reader = StateReader(input.bytes(input.short()))
        var bank = Bank()
        for series in 0..<3 where !bank.restore(series: SeriesID(UInt32(series)), from: &reader) { break }
        for _ in 0..<64 where !input.isEmpty {
            let series = SeriesID(UInt32(input.byte() % 4))
            let kind = input.byte()
            let time = Timestamp(nanoseconds: kind & 1 == 0 ? input.number() : Int64(input.short()) * 1_000_000_000)
            let value = kind & 2 == 0 ? input.double() : Double(input.short()) / 16
            switch kind >> 4 {
            case 0:
                var overdue: [SeriesID] = []
                bank.overdueSeries(highWater: time, source: source, into: &overdue)
                for one in overdue { _ = bank.silence(of: one, highWater: time) }
            case 1: bank.postpone(by: Span64(nanoseconds: time.nanoseconds))
            case 2: _ = bank.silence(of: series, highWater: time)
            default:
                let found = bank.assess(series: series, time: time, highWater: time, value: value)
                check(found.score >= 0 && found.score <= 1, "a score lies in 0...1, not \(found.score)")
                check(found.surprise >= 0, "surprise is not negative: \(found.surprise)")
            }
            _ = bank.baseline(of: series)
        }
        for series in 0..<bank.seriesCount {
            var writer = StateWriter()
            bank.save(series: SeriesID(UInt32(series)), to: &writer)
            var again = StateReader(writer.bytes)
            var other = Bank()
            check(other.restore(series: SeriesID(0), from: &again), "what was saved is restored: \(writer.bytes)")
        }
    }

    static func windows(_ input: inout Input) {
        var reader = StateReader(input.bytes(input.short()))
        guard var windows = try? WindowOperator(definitions: [.oneMinute, .fiveMinutes]) else { return }
        for series in 0..<2 where !windows.restore(series: SeriesID(UInt32(series)), from: &reader) { break }
        _ = windows.restoreProgress(from: &reader)
        var closed = WindowBatch()
        var time: Int64 = 0
        for _ in 0..<32 where !input.isEmpty {
            let series = SeriesID(UInt32(input.byte() % 3))
            let kind = input.byte()
            time = kind & 1 == 0 ? input.number() : time &+ Int64(input.short()) * 100_000_000
            let moment = Timestamp(nanoseconds: time)
            switch kind >> 5 {
            case 0: windows.close(series: series, watermark: moment, into: &closed)
            case 1: windows.close(series: series, watermark: moment, keepingBacklog: true, into: &closed)
            case 2: _ = windows.holds(series: series, time: moment)
            default:
                let value = kind & 2 == 0 ? input.double() : Double(input.short()) / 100
                _ = windows.add(series: series, sensor: SensorID(series.index), time: moment, value: value)
            }
        }
        for series in 0..<3 {
            var writer = StateWriter()
            windows.save(series: SeriesID(UInt32(series)), to: &writer)
            var again = StateReader(writer.bytes)
            check(
                windows.restore(series: SeriesID(UInt32(series)), from: &again),
                "what was saved is restored: \(writer.bytes)")
        }
        windows.flush(into: &closed)
        check(closed.statistics.count == closed.count * WindowStatistic.columns, "every window has its statistics")
    }

    static func clocks(_ input: inout Input) {
        var reader = StateReader(input.bytes(input.short()))
        var clocks = SensorClocks(allowedLateness: .seconds(Int64(input.byte())))
        for sensor in 0..<3 where !clocks.restore(sensor: SensorID(UInt32(sensor)), from: &reader) { break }
        _ = clocks.restoreSources(from: &reader)
        for _ in 0..<32 where !input.isEmpty {
            let sensor = SensorID(UInt32(input.byte() % 4))
            let source = SourceID(UInt16(input.byte() % 3))
            let time = Timestamp(nanoseconds: input.number())
            clocks.raise(source, to: time)
            _ = clocks.observe(sensor: sensor, time: time, source: source)
            check(
                clocks.watermark(of: sensor) <= clocks.latestWatermark(of: source), "no sensor is before the latest")
        }
    }

    static func duplicates(_ input: inout Input) {
        var reader = StateReader(input.bytes(input.short()))
        var known = Deduplicator()
        for series in 0..<3 where !known.restore(series: SeriesID(UInt32(series)), from: &reader) { break }
        for _ in 0..<200 where !input.isEmpty {
            let series = SeriesID(UInt32(input.byte() % 4))
            let key = UInt64(input.short())
            _ = known.isDuplicate(series: series, eventKey: key)
            check(key == 0 || known.isDuplicate(series: series, eventKey: key), "a second time is a duplicate")
        }
        for series in 0..<4 {
            var writer = StateWriter()
            known.save(series: SeriesID(UInt32(series)), to: &writer)
            var again = StateReader(writer.bytes)
            var other = Deduplicator()
            check(other.restore(series: SeriesID(0), from: &again), "what was saved is restored")
            var second = StateWriter()
            other.save(series: SeriesID(0), to: &second)
            check(second.bytes == writer.bytes, "saving changes nothing")
        }
    }

    /// The state's length gives the part before the forest; the forest's own checksum is made to hold.
    static func learner(_ input: inout Input) {
        var writer = StateWriter()
        writer.write(raw: input.bytes(input.short()))
        let hasForest = input.byte() & 1 == 1
        writer.write(hasForest)
        let rows = (0..<40).map { _ in input.double() }
        if hasForest { writer.write(blob: ModelTarget.sealed(input.all())) }
        var reader = StateReader(writer.bytes)
        let settings = ForestLearner.Settings(firstRows: 16, keptRows: 16, forest: .init(trees: 2, sampleSize: 8))
        guard var learner = ForestLearner(restoring: &reader, names: ["m0"], settings: settings) else { return }
        check(learner.progress >= 0 && learner.progress <= 1, "progress lies in 0...1")
        // Counters near the accepted bound would be beyond it after another row.
        let isYoung = learner.seen < 1 << 50 && learner.generation < 1 << 50
        var scores: [Double] = []
        learner.observe(rows: rows, into: &scores)
        check(scores.allSatisfy { $0.isNaN || ($0 >= 0 && $0 <= 1) }, "a score lies in 0...1: \(scores)")
        var saved = StateWriter()
        learner.save(to: &saved)
        var again = StateReader(saved.bytes)
        check(
            !isYoung || ForestLearner(restoring: &again, names: ["m0"], settings: settings) != nil,
            "what was saved is restored")
    }

    static func names(_ input: inout Input) {
        var reader = StateReader(input.all())
        var index = SeriesIndex(maxSeries: 1000, seed: 1)
        while index.restore(from: &reader), !reader.isAtEnd {}
        for sensor in 0..<index.sensorCount {
            _ = index.zone(of: SensorID(UInt32(sensor)))
            for series in index.series(of: SensorID(UInt32(sensor))) { _ = index.unit(of: series) }
        }
        var cursor = SeriesCursor()
        var writer = StateWriter()
        while index.savePart(after: &cursor, limit: 2, to: &writer) {}
        var again = StateReader(writer.bytes)
        var other = SeriesIndex(maxSeries: 1000, seed: 2)
        while !again.isAtEnd { check(other.restore(from: &again), "what was saved is restored") }
        check(
            other.sensorCount == index.sensorCount && other.metricCount == index.metricCount
                && other.seriesCount == index.seriesCount, "saving changes nothing")
        _ = index.takeNews()
    }
}

extension StateTarget {
    /// Saved states of a little life.
    static var seeds: [[UInt8]] {
        [bankSeed(30), bankSeed(700), windowSeed, clockSeed, duplicateSeed, learnerSeed, nameSeed]
    }

    private static func framed(_ kind: UInt8, _ writer: StateWriter, _ calls: [UInt8]) -> [UInt8] {
        let count = writer.bytes.count
        return [kind, UInt8(count & 255), UInt8(count >> 8)] + writer.bytes + calls
    }

    private static func bankSeed(_ readings: Int) -> [UInt8] {
        var bank = Bank()
        var writer = StateWriter()
        for series in 0..<2 {
            let id = SeriesID(UInt32(series))
            bank.setValidRange(series: id, low: -40, high: 85)
            for reading in 0..<readings {
                let time = Timestamp(nanoseconds: Int64(reading) * 1_000_000_000)
                let value = reading % 97 == 96 ? 60 : 20 + Double(reading * 31 % 17) / 8
                _ = bank.assess(series: id, time: time, highWater: time, value: value)
            }
            bank.save(series: id, to: &writer)
        }
        return framed(2, writer, [0, 0x33, 1, 3, 80, 1, 1, 0x33, 2, 3, 80, 1, 0, 0x03, 200, 20, 1, 1])
    }

    private static var windowSeed: [UInt8] {
        guard var windows = try? WindowOperator(definitions: [.oneMinute, .fiveMinutes]) else { return [] }
        var writer = StateWriter()
        for series in 0..<2 {
            let id = SeriesID(UInt32(series))
            for reading in 0..<70 {
                let value = series == 0 ? 20 + Double(reading % 9) / 10 : Double(reading).squareRoot()
                let time = Timestamp(nanoseconds: Int64(reading) * 1_000_000_000 + Int64(series * reading))
                _ = windows.add(series: id, sensor: SensorID(0), time: time, value: value)
            }
            windows.save(series: id, to: &writer)
        }
        windows.saveProgress(to: &writer)
        return framed(3, writer, [0, 0x63, 250, 3, 7, 0, 0, 0x01, 250, 3, 1, 0x63, 2, 0, 7, 0])
    }

    private static var clockSeed: [UInt8] {
        var clocks = SensorClocks(allowedLateness: .seconds(5))
        var writer = StateWriter()
        for sensor in 0..<3 {
            clocks.raise(source, to: Timestamp(nanoseconds: 1000))
            _ = clocks.observe(
                sensor: SensorID(UInt32(sensor)), time: Timestamp(nanoseconds: Int64(sensor) * 600), source: source)
            clocks.save(sensor: SensorID(UInt32(sensor)), to: &writer)
        }
        clocks.saveSources(to: &writer)
        return framed(4, writer, [5, 1, 0, 232, 3, 0, 0, 0, 0, 0, 0])
    }

    private static var duplicateSeed: [UInt8] {
        var known = Deduplicator()
        var writer = StateWriter()
        for series in 0..<2 {
            for key in 1..<7 * (series + 1) {
                _ = known.isDuplicate(series: SeriesID(UInt32(series)), eventKey: UInt64(key))
            }
            known.save(series: SeriesID(UInt32(series)), to: &writer)
        }
        return framed(5, writer, [0, 3, 0, 1, 90, 0])
    }

    private static var learnerSeed: [UInt8] {
        var writer = StateWriter()
        let settings = ForestLearner.Settings(firstRows: 16, keptRows: 16, forest: .init(trees: 2, sampleSize: 8))
        ForestLearner(names: ["m0"], settings: settings).save(to: &writer)
        let head = Array(writer.bytes.dropLast())
        let rows = [UInt8](repeating: 64, count: 320)
        return [6, UInt8(head.count & 255), UInt8(head.count >> 8)] + head + [1] + rows
            + ModelTarget.trained(trees: 1, width: 1)
    }

    private static var nameSeed: [UInt8] {
        var index = SeriesIndex(maxSeries: 1000, seed: 1)
        for name in ["a", "bb", "ccc"] {
            guard let sensor = index.sensor(Array(name.utf8).span), let metric = index.metric(Array("t".utf8).span),
                let series = index.series(sensor, metric)
            else { continue }
            index.setUnit("C", of: series)
            index.setZone("hall", of: sensor)
        }
        var writer = StateWriter()
        var cursor = SeriesCursor()
        while index.savePart(after: &cursor, limit: 2, to: &writer) {}
        return [7] + writer.bytes
    }
}
