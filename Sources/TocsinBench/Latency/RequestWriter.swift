internal import TocsinCore
internal import TocsinMeasure

/// Writes whole `POST /ingest` requests: head, load and probes, about 50 ns a reading.
struct RequestWriter {
    private let head: [UInt8]
    private let starts: [[UInt8]]
    private let ends: [[UInt8]]
    private var nextSensor = 0
    private var lastMicroseconds: [Int64]
    private var body: [UInt8] = []
    private var noise = Noise(seed: 5)
    private var time: [UInt8] = []

    init(address: HTTPAddress, sensors: Int, run: Int64) {
        head = Array(
            """
            POST /ingest HTTP/1.1\r\nHost: \(address.authority)\r\nContent-Type: application/x-ndjson\r\n\
            Content-Length: 
            """.utf8)
        let suffix = String(run, radix: 36)
        starts = (0..<sensors).map { Array("{\"sensor_id\":\"load_\($0)_\(suffix)\",\"timestamp\":\"".utf8) }
        ends = (0..<sensors).map { Array(",\"meta\":{\"unit\":\"celsius\",\"location\":\"zone_\($0 % 50)\"}}\n".utf8) }
        lastMicroseconds = Array(repeating: .min, count: sensors)
    }

    /// Replaces `request` by one with `readings` of the load and the given probes.
    /// - Parameter microseconds: event time of the readings, since 1970.
    mutating func write(
        readings: Int, probes: [(name: String, value: Double)], microseconds: Int64, to request: inout [UInt8]
    ) {
        body.removeAll(keepingCapacity: true)
        var written = Int64.min
        for _ in 0..<readings {
            let sensor = nextSensor
            nextSensor = nextSensor + 1 == starts.count ? 0 : nextSensor + 1
            // A sensor that comes again within the microsecond is a reading of its own.
            let moment = max(microseconds, lastMicroseconds[sensor] &+ 1)
            lastMicroseconds[sensor] = moment
            if moment != written {
                setTime(moment)
                written = moment
            }
            body.append(contentsOf: starts[sensor])
            appendReading(25 + noise.next())
            body.append(contentsOf: ends[sensor])
        }
        setTime(microseconds / 1000 * 1000)
        for probe in probes { appendProbe(probe.name, probe.value) }
        finish(&request)
    }

    /// Replaces `request` by one with past readings of a few sensors, a second apart, the last one at `microseconds`.
    mutating func writeHistory(
        _ names: [String], readings: Range<Int>, of count: Int, microseconds: Int64, to request: inout [UInt8]
    ) {
        body.removeAll(keepingCapacity: true)
        for number in readings {
            setTime(microseconds - Int64(count - 1 - number) * 1_000_000)
            for name in names { appendProbe(name, 25 + noise.next()) }
        }
        finish(&request)
    }

    private mutating func appendProbe(_ name: String, _ value: Double) {
        body.append(contentsOf: "{\"sensor_id\":\"\(name)\",\"timestamp\":\"".utf8)
        appendReading(value)
        body.append(contentsOf: "}\n".utf8)
    }

    /// Time, metric and value.
    private mutating func appendReading(_ value: Double) {
        body.append(contentsOf: time)
        body.append(contentsOf: "\",\"metric\":\"temperature\",\"value\":".utf8)
        let thousandths = Int((value.magnitude * 1000).rounded())
        if value < 0 { body.append(UInt8(ascii: "-")) }
        appendNumber(thousandths / 1000)
        body.append(UInt8(ascii: "."))
        for divisor in [100, 10, 1] { body.append(UInt8(ascii: "0") + UInt8(thousandths / divisor % 10)) }
    }

    private mutating func appendNumber(_ number: Int) {
        if number >= 10 { appendNumber(number / 10) }
        body.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    private mutating func setTime(_ microseconds: Int64) {
        time.removeAll(keepingCapacity: true)
        Timestamp(nanoseconds: microseconds * 1000).appendISO8601(to: &time)
    }

    private func finish(_ request: inout [UInt8]) {
        request.removeAll(keepingCapacity: true)
        request.append(contentsOf: head)
        request.append(contentsOf: String(body.count).utf8)
        request.append(contentsOf: "\r\n\r\n".utf8)
        request.append(contentsOf: body)
    }
}
