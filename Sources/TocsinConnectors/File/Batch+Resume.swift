internal import TocsinCore

extension Batch {
    /// Leaves out the messages that begin before `offset` in its bytes: they were delivered before.
    mutating func drop(before offset: Int64) {
        var kept = Batch(origin: origin)
        kept.bytes = bytes
        kept.header = header
        kept.rejects = rejects.filter { Int64($0.payload.offset) >= offset }
        for event in 0..<eventCount where Int64(payloads[event].offset) >= offset {
            for reading in readings(of: event) {
                kept.series.append(series[reading])
                kept.values.append(values[reading])
            }
            kept.appendEvent(
                sensor: sensors[event], time: times[event], key: eventKeys[event], payload: payloads[event],
                label: labels[event])
        }
        self = kept
    }
}
