internal import Synchronization
internal import TocsinCore

/// The events of a replay in stream order, for a judge that wants the whole recording: 24 bytes an event, 12 a reading.
final class RecordedRows: Sendable {
    struct Event: Sendable {
        var sensor: SensorID
        var time: Timestamp
        /// Its readings' places.
        var readings: Range<Int>
    }

    struct Rows: Sendable {
        var sensors: [SensorID] = []
        var times: [Timestamp] = []
        var ends: [Int] = []
        var series: [SeriesID] = []
        var values: [Double] = []

        var count: Int { sensors.count }

        subscript(_ event: Int) -> Event {
            Event(
                sensor: sensors[event], time: times[event],
                readings: (event == 0 ? 0 : ends[event - 1])..<ends[event])
        }
    }

    private let state = Mutex(Rows())

    /// Takes up what was stored; late events and repeats are not judged live either.
    func add(_ outcome: BatchOutcome) {
        let batch = outcome.batch
        state.withLock { rows in
            for event in 0..<batch.eventCount where outcome.fates[event] == .stored {
                for reading in batch.readings(of: event) where outcome.accepted[reading] {
                    rows.series.append(batch.series[reading])
                    rows.values.append(batch.values[reading])
                }
                rows.sensors.append(batch.sensors[event])
                rows.times.append(batch.times[event])
                rows.ends.append(rows.values.count)
            }
        }
    }

    /// All of them; they are given away.
    func take() -> Rows {
        state.withLock { rows in
            let taken = rows
            rows = Rows()
            return taken
        }
    }
}
