internal import TocsinCore
internal import TocsinMeasure

/// What an event on `/live` says of probes: sensor and event time of each reading.
package enum LiveProbes {
    /// `{"sensor_id":"a",…,"points":[[t_ms,value,low,high],…]}`
    package static func readings(_ data: [UInt8]) -> (sensor: String, milliseconds: [Int64])? {
        let text = String(decoding: data, as: UTF8.self)
        guard let sensor = FlatJSON.text("sensor_id", in: text) else { return nil }
        var times: [Int64] = []
        var isStart = false
        var number: Int64?
        for byte in data {
            switch byte {
            case UInt8(ascii: "["):
                isStart = true
                number = nil
            case UInt8(ascii: "0")...UInt8(ascii: "9") where isStart:
                let digit = Int64(byte - UInt8(ascii: "0"))
                let (product, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
                guard !overflow, product <= .max - 9 else { return nil }
                number = product + digit
            default:
                if isStart, let number { times.append(number) }
                isStart = false
            }
        }
        return (sensor, times)
    }

    /// `{…,"sensor_id":"a",…,"time":"2025-10-01T10:00:00Z",…}`
    package static func anomaly(_ data: [UInt8]) -> (sensor: String, milliseconds: Int64)? {
        let text = String(decoding: data, as: UTF8.self)
        guard let sensor = FlatJSON.text("sensor_id", in: text), let word = FlatJSON.text("time", in: text),
            let time = Timestamp(text: word)
        else { return nil }
        return (sensor, time.nanoseconds / 1_000_000)
    }
}
