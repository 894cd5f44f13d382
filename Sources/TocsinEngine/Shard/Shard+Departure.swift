internal import TocsinCore
internal import TocsinDetect

/// Sensors that go away by their own or their broker's word: stale, which is no anomaly.
extension Shard {
    /// Nothing is expected of the sensor until it sends again, and a silence that was noticed before is explained.
    mutating func leave(
        _ sensor: SensorID, event: Int, at highWater: Timestamp, _ series: LocalSeries.Mapping,
        _ board: inout [SeriesSnapshot], into result: inout ShardResult
    ) {
        result.turned.append(globalSensor(sensor.index))
        for local in places(of: sensor) {
            willChange(local, series, board)
            bank.withdraw(local)
            let row = Int(local.index)
            board[row].isStale = true
            if isSilent[row] {
                noteReturn(local, event: event, sensor: globalSensor(sensor.index), time: highWater, into: &result)
            }
        }
    }

    /// The sensor is there again, whatever it sends.
    mutating func comeBack(_ sensor: SensorID, _ series: LocalSeries.Mapping, _ board: inout [SeriesSnapshot]) {
        for local in places(of: sensor) {
            willChange(local, series, board)
            board[Int(local.index)].isStale = false
        }
    }

    /// About 0.1 ns a series of the shard.
    private func places(of sensor: SensorID) -> [SeriesID] {
        sensorOfSeries.indices.filter { sensorOfSeries[$0] == sensor.index }.map { SeriesID(UInt32($0)) }
    }
}
