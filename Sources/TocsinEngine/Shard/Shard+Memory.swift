internal import TocsinCore
internal import TocsinDetect
internal import TocsinStream

extension Shard {
    /// Bytes by part, counted by what is in use.
    func memory(_ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]) -> [EngineMemory] {
        let numbering = series.local.count * 4 + series.global.count * 4 + sensorOfSeries.count * 5
        return [
            EngineMemory(part: "bank", bytes: bank.seriesCount * Bank.bytesPerSeries),
            EngineMemory(part: "ensembles", bytes: ensembles.memoryBytes),
            EngineMemory(part: "windows", bytes: windows.memoryBytes),
            EngineMemory(part: "clocks", bytes: sourceOfSensor.count * (MemoryLayout<Int64>.size * 3 + 6)),
            EngineMemory(part: "duplicates", bytes: deduplicator.memoryBytes),
            EngineMemory(part: "live board", bytes: board.count * MemoryLayout<SeriesSnapshot>.stride),
            EngineMemory(part: "numbering", bytes: numbering),
        ]
    }
}
