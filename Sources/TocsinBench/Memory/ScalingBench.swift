public import TocsinCore
public import TocsinMeasure

/// `tocsin bench scaling`: what a reading costs as the number of sensors grows, each number in a process of its own.
public struct ScalingBench: Sendable {
    public struct Row: Sendable {
        public var sensors: Int
        public var readings: Int
        public var cpuNanosecondsPerReading: Double
        public var nanosecondsPerReading: Double
        public var peakResidentBytes: Int64
        public var bytesPerSeries: Double
    }

    private let sensors: [Int]
    private let readings: Int
    private let flags: [String]
    private let progress: ProgressLine?
    private static let leastSeconds = 20

    /// - Parameters:
    ///   - readings: measured for each number of sensors, at least; at least 20 s of event time in any case.
    ///   - flags: further ones of `tocsin bench memory`.
    /// - Throws: `TocsinError(.usage)`.
    public init(sensors: [Int], readings: Int, flags: [String], progress: ProgressLine?) throws(TocsinError) {
        guard !sensors.isEmpty, sensors.allSatisfy({ (1...10_000_000).contains($0) }) else {
            throw TocsinError(.usage, "--sensors takes numbers from 1 to 10,000,000 apart by commas")
        }
        guard readings > 0 else { throw TocsinError(.usage, "--readings must be at least 1") }
        self.sensors = sensors
        self.readings = readings
        self.flags = flags
        self.progress = progress
    }

    /// Reads `10,100,1000`.
    /// - Throws: `TocsinError(.usage)` naming what is no number.
    public static func numbers(_ text: String) throws(TocsinError) -> [Int] {
        var numbers: [Int] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(word.filter { $0 != " " && $0 != "_" }) else {
                throw TocsinError(
                    .usage, "--sensors: '\(word)' is no number", remedy: "give numbers apart by commas: 10,1000,100000")
            }
            numbers.append(number)
        }
        return numbers
    }

    /// - Throws: `TocsinError` when a run fails; what it said stands on standard error.
    public func run() throws(TocsinError) -> ScalingReport {
        var rows: [Row] = []
        for (position, count) in sensors.enumerated() {
            progress?("\(Figure.grouped(count)) sensors (\(position + 1) of \(sensors.count))")
            rows.append(try measure(count))
        }
        return ScalingReport(rows: rows)
    }

    private func measure(_ count: Int) throws(TocsinError) -> Row {
        let seconds = min(10_000_000, max(Self.leastSeconds, readings / count))
        let child = try ChildProcess(
            arguments: ["bench", "memory", "--json", "-", "--sensors", "\(count)", "--seconds", "\(seconds)"] + flags)
        let answer = String(decoding: child.readAll(), as: UTF8.self)
        let status = child.wait().status
        guard status == 0, let cpu = FlatJSON.number("cpu_nanoseconds_per_reading", in: answer) else {
            throw TocsinError(
                .file, "tocsin bench memory ended with \(status)", remedy: "its own message stands above")
        }
        func figure(_ key: String) -> Double { FlatJSON.number(key, in: answer) ?? 0 }
        return Row(
            sensors: count, readings: Int(clampingDouble: figure("readings")), cpuNanosecondsPerReading: cpu,
            nanosecondsPerReading: figure("nanoseconds_per_reading"),
            peakResidentBytes: Int64(Int(clampingDouble: figure("peak_resident_bytes"))),
            bytesPerSeries: figure("bytes_per_series"))
    }
}

/// What `ScalingBench` found.
public struct ScalingReport: Sendable {
    public var rows: [ScalingBench.Row]
    /// With fewer sensors what the program takes anyway hides what a series takes.
    private static let fewest = 1000

    /// Times the cheapest number of sensors.
    private func ratio(_ row: ScalingBench.Row) -> Double {
        let least = rows.map(\.cpuNanosecondsPerReading).min() ?? 0
        return least > 0 ? row.cpuNanosecondsPerReading / least : 0
    }

    /// For people.
    public var text: String {
        var table = TextTable([
            "sensors", "CPU ns/reading", "times the least", "ns/reading", "peak memory", "bytes a series",
        ])
        for row in rows {
            table.add([
                Figure.grouped(row.sensors), Figure.decimal(row.cpuNanosecondsPerReading),
                Figure.decimal(ratio(row), digits: 2), Figure.decimal(row.nanosecondsPerReading),
                Figure.bytes(row.peakResidentBytes),
                row.sensors < Self.fewest ? "-" : Figure.decimal(row.bytesPerSeries, digits: 0),
            ])
        }
        return Machine.current().line + "\n\n" + table.text
    }

    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("scaling", &$0)
            $0.key("rows")
            $0.array { list in
                for row in rows {
                    list.object {
                        $0.field("sensors", row.sensors)
                        $0.field("readings", row.readings)
                        $0.field("cpu_nanoseconds_per_reading", row.cpuNanosecondsPerReading)
                        $0.field("nanoseconds_per_reading", row.nanosecondsPerReading)
                        $0.field("peak_resident_bytes", row.peakResidentBytes)
                        $0.field("bytes_per_series", row.bytesPerSeries)
                    }
                }
            }
        }
        json.newline()
        return json.bytes
    }
}
