internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
public import TocsinJobs

/// `tocsin forecast`: reads one column of a CSV file and forecasts it.
public struct ForecastFileRun: Sendable {
    public struct Options: Sendable {
        public var path: String
        public var timeColumn: String
        public var valueColumn: String
        /// Column that names the sensor; nil = the file is of one sensor.
        public var groupColumn: String?
        /// The sensor to forecast, by its name in the group column.
        public var group: String?
        public var forecast: ForecastRun.Options

        public init(
            path: String, timeColumn: String, valueColumn: String, groupColumn: String? = nil, group: String? = nil,
            forecast: ForecastRun.Options
        ) {
            self.path = path
            self.timeColumn = timeColumn
            self.valueColumn = valueColumn
            self.groupColumn = groupColumn
            self.group = group
            self.forecast = forecast
        }
    }

    private let options: Options
    private static let chunkBytes = 1 << 20

    public init(_ options: Options) { self.options = options }

    /// - Throws: `TocsinError` when the file cannot be read, holds no readings in the named columns, or too few.
    public func run() throws -> ForecastReport {
        let table = SeriesTable()
        let settings = DecoderSettings(
            format: .csv,
            mapping: InputMapping(
                sensor: options.groupColumn, time: options.timeColumn, values: [options.valueColumn],
                defaultSensor: FolderListing.stem(of: options.path)))
        let file = try OpenFile(path: options.path)
        var assembler = settings.makeAssembler()
        var decoder = settings.makeDecoder()
        var times: [Timestamp] = []
        var values: [Double] = []
        var sensors: [SensorID: String] = [:]
        var problem: String?
        func take(_ runs: [InputRun]) {
            for run in runs {
                let origin = Origin(
                    source: SourceID(0), sourceName: options.path, position: 0, received: Timestamp(nanoseconds: 0))
                let batch = decoder.decode(run, origin: origin, table: table)
                problem = problem ?? batch.rejects.first?.detail
                for event in 0..<batch.eventCount {
                    let sensor = batch.sensors[event]
                    let name = sensors[sensor] ?? table.withIndex { $0.name(sensor) }
                    sensors[sensor] = name
                    guard options.group == nil || options.group == name else { continue }
                    for reading in batch.readings(of: event) {
                        times.append(batch.times[event])
                        values.append(batch.values[reading])
                    }
                }
            }
        }
        while let chunk = try file.read(limit: Self.chunkBytes) { take(assembler.append(chunk)) }
        take(assembler.finish())
        guard !values.isEmpty else {
            throw TocsinError(
                .usage, "no row has a time in '\(options.timeColumn)' and a number in '\(options.valueColumn)'",
                place: options.path, remedy: problem ?? "check the names of the columns, and --sensor where it is given"
            )
        }
        if options.group == nil, sensors.count > 1 {
            throw TocsinError(
                .usage, "the file has \(sensors.count) sensors", place: options.path,
                remedy: "name one with --sensor, such as \(sensors.values.sorted().prefix(3).joined(separator: ", "))")
        }
        return try ForecastRun(options.forecast).run(times: times, values: values)
    }
}
