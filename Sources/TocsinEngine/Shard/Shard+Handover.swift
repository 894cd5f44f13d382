internal import TocsinCore
internal import TocsinDetect
internal import TocsinStream

extension Shard {
    /// Stands in place of a source for sensors that another process has.
    static let elsewhere = UInt16.max
    /// Stands in place of a sensor for places of series that nobody has.
    static let nobody = UInt32.max

    mutating func hand(
        _ handover: Handover, series: inout LocalSeries.Mapping, board: inout [SeriesSnapshot],
        into result: inout ShardResult
    ) {
        switch handover {
        case .leave(let run):
            let sensors = sensors(of: run.source)
            result.handed = sensors.map { globalSensor($0) }
            run.add(sensors: result.handed)
            if run.isWanted { save(sensors, into: run, series, board) }
            if run.isGivenUp {
                remove(sensors, &series, &board)
                remove(run.source)
            }
        case .adopt(let adoption):
            let mine = adoption.sensors.filter { Int($0.index) % count == number }.map { $0.index / UInt32(count) }
            let leaving = Set(sensors(of: adoption.source) + mine).sorted()
            result.handed = leaving.map { globalSensor($0) }
            remove(leaving, &series, &board)
            remove(adoption.source)
            clocks.raise(adoption.source, to: adoption.highWater)
            result.isNonsense = !restore(adoption, mine, &series, &board)
            if result.isNonsense { remove(mine, &series, &board) }
        }
    }

    /// Local numbers of the sensors whose last event came from a source.
    private func sensors(of source: SourceID) -> [UInt32] {
        sourceOfSensor.indices.compactMap { sensor in
            let number = UInt32(sensor)
            guard sourceOfSensor[sensor] == source.index, clocks.source(of: SensorID(number)) != nil else { return nil }
            return number
        }
    }

    private func series(of sensors: [UInt32]) -> [Int] {
        var isWanted = Array(repeating: false, count: sourceOfSensor.count)
        for sensor in sensors where Int(sensor) < isWanted.count { isWanted[Int(sensor)] = true }
        return sensorOfSeries.indices.filter { sensorOfSeries[$0] != Self.nobody && isWanted[Int(sensorOfSeries[$0])] }
    }

    private func save(
        _ sensors: [UInt32], into run: TransferRun, _ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]
    ) {
        var writer = StateWriter()
        writer.write(windows.lastSweep(of: run.source))
        saveSensors(sensors, clocks, sourceOfSensor, to: &writer)
        run.add(.sensors, writer.bytes)
        writer.removeAll()
        var record = StateWriter()
        for local in self.series(of: sensors) {
            record.removeAll()
            write(local, series, board, to: &record)
            writer.write(blob: record.bytes)
        }
        run.add(.series, writer.bytes)
    }

    /// Forgets sensors wholly; their places are free for others.
    private mutating func remove(
        _ sensors: [UInt32], _ series: inout LocalSeries.Mapping, _ board: inout [SeriesSnapshot]
    ) {
        let places = self.series(of: sensors)
        // All of a sensor before any: a checkpoint under way keeps its ensemble with the first of its series.
        for place in places { willChange(SeriesID(UInt32(place)), series, board) }
        for place in places {
            let local = SeriesID(UInt32(place))
            bank.remove(series: local)
            windows.remove(series: local)
            deduplicator.remove(series: local)
            gates.remove(local)
            rules.remove(series: local)
            sensorOfSeries[place] = Self.nobody
            isSilent[place] = false
            board[place] = SeriesSnapshot()
            series.remove(local)
        }
        for sensor in sensors where Int(sensor) < sourceOfSensor.count {
            clocks.remove(sensor: SensorID(sensor))
            ensembles.remove(SensorID(sensor))
            rules.remove(sensor: SensorID(sensor))
            sourceOfSensor[Int(sensor)] = Self.elsewhere
            silentSeries[Int(sensor)] = 0
            series.elsewhere.insert(globalSensor(sensor).index)
        }
    }

    /// Forgets the time of a source of which no sensor is left.
    private mutating func remove(_ source: SourceID) {
        clocks.remove(source: source)
        windows.noteSweep(of: source, at: Timestamp(nanoseconds: .min))
    }

    /// - Returns: false for nonsense; then some of it may have been taken up.
    private mutating func restore(
        _ adoption: Adoption, _ sensors: [UInt32], _ series: inout LocalSeries.Mapping,
        _ board: inout [SeriesSnapshot]
    ) -> Bool {
        for part in adoption.contents.parts(.sensors) {
            var reader = StateReader(part)
            guard let sweep = reader.readTimestamp(),
                restoreSensors(from: &reader, adoption.ids, source: adoption.source, &series)
            else { return false }
            // All shards there looked at the same times.
            if sweep.nanoseconds != .min {
                windows.noteSweep(of: adoption.source, at: sweep.advanced(by: adoption.shift))
            }
        }
        for part in adoption.contents.parts(.series) {
            let isSound = restoreSeries(
                part, adoption.ids, withWindows: adoption.hasWindows, &series, &board)
            guard isSound else { return false }
        }
        for sensor in sensors where Int(sensor) < sourceOfSensor.count {
            clocks.shift(sensor: SensorID(sensor), by: adoption.shift)
            series.elsewhere.remove(globalSensor(sensor).index)
        }
        for place in self.series(of: sensors) {
            let local = SeriesID(UInt32(place))
            bank.setSource(series: local, to: adoption.source)
            bank.shift(series: local, by: adoption.shift)
        }
        return true
    }
}
