internal import TocsinCore
internal import TocsinDetect
internal import TocsinStream

/// A shard's part of a checkpoint: the state as it was at the barrier, saved series by series while the shard works on.
///
/// Series are saved in order, some after each batch; one that is about to change before its turn is saved at once
/// (copy on update). So no stage waits for the whole, and the state is that of one moment.
struct ShardSweep: Sendable {
    let run: CheckpointRun
    /// Series that existed at the barrier, and how many of them, in order, are done.
    let seriesCount: Int
    var next = 0
    /// One bit a series: saved out of turn.
    private var isSaved: [UInt64]
    /// As at the barrier: copied when the shard first changes them.
    let clocks: SensorClocks
    let sourceOfSensor: [UInt16]
    /// What belongs to no series and no sensor.
    let progress: [UInt8]
    var nextSensor = 0
    var writer = StateWriter()
    var record = StateWriter()

    init(
        run: CheckpointRun, seriesCount: Int, clocks: SensorClocks, sourceOfSensor: [UInt16], progress: [UInt8]
    ) {
        self.run = run
        self.seriesCount = seriesCount
        self.clocks = clocks
        self.sourceOfSensor = sourceOfSensor
        self.progress = progress
        isSaved = Array(repeating: 0, count: (seriesCount + 63) / 64)
    }

    @inline(__always)
    func isPending(_ series: Int) -> Bool {
        series >= next && series < seriesCount && isSaved[series >> 6] >> UInt64(series & 63) & 1 == 0
    }

    mutating func markSaved(_ series: Int) {
        if series < seriesCount { isSaved[series >> 6] |= 1 << UInt64(series & 63) }
    }
}

extension Shard {
    private static let partBytes = 1 << 20
    /// Series saved between two looks at the clock.
    private static let seriesPerLook = 64
    private static let sensorsPerPart = 1024
    /// No clock of a source, and no look at one for windows.
    private static let noProgress: [UInt8] = [0, 0]

    mutating func beginSweep(_ run: CheckpointRun) {
        let started = ContinuousClock.now
        var progress = StateWriter()
        clocks.saveSources(to: &progress)
        windows.saveProgress(to: &progress)
        sweep = ShardSweep(
            run: run, seriesCount: sensorOfSeries.count, clocks: clocks, sourceOfSensor: sourceOfSensor,
            progress: progress.bytes)
        run.notePause((ContinuousClock.now - started).inSeconds)
    }

    /// To be called before a series changes.
    @inline(__always)
    mutating func willChange(_ local: SeriesID, _ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]) {
        if sweep != nil { saveBeforeChange(Int(local.index), series, board) }
    }

    private mutating func saveBeforeChange(_ local: Int, _ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]) {
        guard sweep?.isPending(local) == true else { return }
        save(local, series, board)
        sweep?.markSaved(local)
        handInIfFull()
    }

    /// Saves what fits into the time; true when there is more to do.
    mutating func stepSweep(_ series: LocalSeries.Mapping, _ board: [SeriesSnapshot], for time: Duration) -> Bool {
        guard let run = sweep?.run else { return false }
        if run.isCancelled {
            sweep = nil
            return false
        }
        if run.isCrowded { return true }
        let started = ContinuousClock.now
        defer { run.notePause((ContinuousClock.now - started).inSeconds) }
        while ContinuousClock.now - started < time {
            if !saveSome(series, board) { return false }
        }
        return true
    }

    /// The stream ends: what is left of the sweep at once.
    mutating func finishSweep(_ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]) {
        while sweep != nil, saveSome(series, board) {}
    }

    private mutating func saveSome(_ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]) -> Bool {
        guard let before = sweep else { return false }
        if before.next < before.seriesCount {
            let end = min(before.next + Self.seriesPerLook, before.seriesCount)
            for local in before.next..<end where before.isPending(local) && sensorOfSeries[local] != Self.nobody {
                save(local, series, board)
            }
            sweep?.next = end
            handInIfFull()
            return true
        }
        handIn(.series)
        let end = min(before.nextSensor + Self.sensorsPerPart, before.sourceOfSensor.count)
        saveSensors(before, before.nextSensor..<end)
        handIn(.sensors)
        sweep?.nextSensor = end
        guard end == before.sourceOfSensor.count else { return true }
        sweep = nil
        before.run.finishStage()
        return false
    }

    private mutating func handInIfFull() {
        if let bytes = sweep?.writer.bytes.count, bytes >= Self.partBytes { handIn(.series) }
    }

    private mutating func handIn(_ section: EngineSection) {
        guard let run = sweep?.run, let bytes = sweep?.writer.bytes, !bytes.isEmpty else { return }
        run.add(section, bytes)
        sweep?.writer = StateWriter()
    }

    /// Global ids, so that another number of shards can take it up.
    private mutating func save(_ local: Int, _ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]) {
        guard var record = sweep?.record else { return }
        sweep?.record = StateWriter()
        record.removeAll()
        write(local, series, board, to: &record)
        sweep?.writer.write(blob: record.bytes)
        sweep?.record = record
    }

    func write(
        _ local: Int, _ series: LocalSeries.Mapping, _ board: [SeriesSnapshot], to record: inout StateWriter
    ) {
        let id = SeriesID(UInt32(local))
        record.write(series.global[local].index)
        let last = board[local]
        record.write(UInt8((isSilent[local] ? 1 : 0) + (last.isStale ? 2 : 0)))
        record.write(last.time)
        record.write(last.value)
        record.write(last.low)
        record.write(last.high)
        record.write(last.isLearning)
        bank.save(series: id, to: &record)
        deduplicator.save(series: id, to: &record)
        ensembles.save(keeper: series.global[local], of: SensorID(sensorOfSeries[local]), to: &record)
        gates.save(id, to: &record)
        windows.save(series: id, to: &record)
    }

    private mutating func saveSensors(_ sweep: ShardSweep, _ range: Range<Int>) {
        var writer = StateWriter()
        // Once is enough: in the other parts there are no sources.
        writer.write(raw: range.lowerBound == 0 ? sweep.progress : Self.noProgress)
        saveSensors(range.map { UInt32($0) }, sweep.clocks, sweep.sourceOfSensor, to: &writer)
        self.sweep?.writer = writer
    }

    /// One record a sensor; local numbers.
    func saveSensors(
        _ sensors: [UInt32], _ clocks: SensorClocks, _ sources: [UInt16], to writer: inout StateWriter
    ) {
        writer.write(varint: UInt64(sensors.count))
        var record = StateWriter()
        for sensor in sensors {
            writer.write(globalSensor(sensor).index)
            writer.write(sources[Int(sensor)])
            record.removeAll()
            clocks.save(sensor: SensorID(sensor), to: &record)
            writer.write(blob: record.bytes)
        }
    }
}

// MARK: Restoring

extension Shard {
    /// What belongs to no sensor: stands before the sensors in each part of a checkpoint.
    mutating func restoreProgress(from reader: inout StateReader) -> Bool {
        clocks.restoreSources(from: &reader) && windows.restoreProgress(from: &reader)
    }

    /// Takes up the shard's own of the sensors that any shard saved.
    /// - Parameter own: the number of their source here; nil: as saved.
    mutating func restoreSensors(
        from reader: inout StateReader, _ ids: SavedIDs, source own: SourceID? = nil,
        _ series: inout LocalSeries.Mapping
    ) -> Bool {
        guard let count = reader.readCount(of: 7) else { return false }
        for _ in 0..<count {
            guard let sensor = reader.readSensor(ids), let saved = reader.read(UInt16.self),
                let bytes = reader.readBlob()
            else { return false }
            guard Int(sensor.index) % self.count == number else { continue }
            let local = SensorID(sensor.index / UInt32(self.count))
            var record = StateReader(bytes)
            guard clocks.restore(sensor: local, source: own, from: &record) else { return false }
            makeRoom(forSensor: local)
            let source = own?.index ?? saved
            sourceOfSensor[Int(local.index)] = source
            if source == Self.elsewhere { series.elsewhere.insert(sensor.index) }
        }
        return true
    }

    /// Takes up the shard's own of the series in one part of a checkpoint.
    /// - Parameter withWindows: false where the windows are defined otherwise now: those begin anew.
    mutating func restoreSeries(
        _ part: ArraySlice<UInt8>, _ ids: SavedIDs, withWindows: Bool, _ series: inout LocalSeries.Mapping,
        _ board: inout [SeriesSnapshot]
    ) -> Bool {
        rules.catchUp()
        var reader = StateReader(part)
        while !reader.isAtEnd {
            guard let bytes = reader.readBlob() else { return false }
            var record = StateReader(bytes)
            guard let global = record.readSeries(ids) else { return false }
            let sensor = ids.sensor(of: global)
            guard Int(sensor) % count == number else { continue }
            let local = local(global, sensor: SensorID(sensor / UInt32(count)), &series, &board)
            guard restore(local, from: &record, ids, withWindows: withWindows, &board) else { return false }
            applyRules(to: global, local: Int(local.index))
        }
        return true
    }

    private mutating func restore(
        _ local: SeriesID, from record: inout StateReader, _ ids: SavedIDs, withWindows: Bool,
        _ board: inout [SeriesSnapshot]
    ) -> Bool {
        let index = Int(local.index)
        guard let marks = record.read(UInt8.self), marks < 4, let time = record.readTimestamp(),
            let value = record.readDouble(),
            let low = record.readDouble(), let high = record.readDouble(), let isLearning = record.readFlag(),
            bank.restore(series: local, from: &record), deduplicator.restore(series: local, from: &record),
            ensembles.restore(SensorID(sensorOfSeries[index]), from: &record, ids), gates.restore(local, from: &record)
        else { return false }
        let isSilent = marks & 1 != 0
        if isSilent, !self.isSilent[index] { silentSeries[Int(sensorOfSeries[index])] += 1 }
        self.isSilent[index] = isSilent
        board[index] = SeriesSnapshot(
            time: time, value: value, low: low, high: high, isLearning: isLearning, isStale: marks & 2 != 0)
        let sensor = SensorID(sensorOfSeries[index])
        return withWindows ? windows.restore(series: local, sensor: sensor, from: &record) : true
    }
}
