public import TocsinConfiguration
internal import TocsinConnectors
public import TocsinCore
internal import TocsinDecode

/// `tocsin send`: recordings into a sink, at the pace of their own times.
public struct SendRun: Sendable {
    public struct Options: Sendable {
        /// Times the original pace; 0 = as fast as possible.
        public var speed = 1.0
        /// Messages per second of those without a time.
        public var rate = 1000.0
        /// A longer gap between two messages is cut to this.
        public var longestPause: Span64?
        /// Messages that are passed over at the beginning, as an earlier run has sent them.
        public var skip = 0
        /// 0 = all.
        public var limit = 0
        /// Begins again at the end, for ever.
        public var isLooped = false
        /// Every message gets the time at which it is sent.
        public var isRestamped = false

        public init() {}
    }

    private let paths: [String]
    private let options: Options
    private let decoding: DecoderSettings
    private let sink: any ReadingSink
    private let obeysSignals: Bool
    private let clock: any WallClock

    /// - Throws: `TocsinError` for a sink that cannot be opened or a file that is not there.
    public init(
        configuration: TocsinConfiguration, paths: [String], to sink: SinkSettings, options: Options,
        obeysSignals: Bool = true, clock: any WallClock = SystemClock()
    ) throws {
        let input = configuration.input
        var mapping = InputMapping(
            sensor: input.mapping.sensor, time: input.mapping.time, metric: input.mapping.metric,
            values: input.mapping.value.map { [$0] } ?? [], eventID: input.mapping.eventID, unit: input.mapping.unit,
            ignore: input.mapping.ignore, labelColumn: input.mapping.labelColumn,
            timeFormat: InputMapping.TimeFormat(rawValue: input.mapping.timeFormat.rawValue) ?? .auto)
        mapping.defaultSensor = input.defaultSensor
        // Messages without a time are sent as well: they come marked by a receipt at `SendDelivery.noTime`.
        mapping.timeFromReceipt = true
        decoding = DecoderSettings(
            mapping: mapping, limits: DecodeLimits(maximumMessageBytes: input.maximumMessageBytes))
        var files: [String] = []
        for path in paths { files += try FolderListing.files(at: path) }
        if options.isLooped, files.contains("-") {
            throw TocsinError(
                .usage, "standard input cannot be read twice", remedy: "save it to a file, or leave out --loop")
        }
        self.paths = files
        self.options = options
        self.obeysSignals = obeysSignals
        self.clock = clock
        self.sink = try sink.makeSink()
    }

    /// - Throws: `SendFailure` when a file cannot be read (what came before it is sent), or the receiver refuses.
    public func run(progress: (@Sendable (SendProgress) -> Void)? = nil) async throws -> SendReport {
        let faults = SendFaults()
        let flow = SendFlow(sink: sink, obeysSignals: obeysSignals, progress: progress)
        let summary = try await flow.run { outlet in
            let delivery = SendDelivery(outlet, options: options, faults: faults, clock: clock)
            do {
                repeat { try await sendFiles(delivery) } while options.isLooped && delivery.hasSent
                try await delivery.flush()
            } catch is SendLimitReached {}
        }
        return SendReport(summary: summary, unreadable: faults.count, firstFault: faults.first)
    }

    private func sendFiles(_ delivery: SendDelivery) async throws {
        for path in paths {
            var settings = decoding
            if settings.mapping.defaultSensor == nil { settings.mapping.defaultSensor = FolderListing.stem(of: path) }
            let table = SeriesTable()
            delivery.beginFile(path, mapping: settings.mapping, table: table)
            let source = try FileSource(
                name: "send", paths: [path], follows: false, decoding: settings, table: table, identity: SourceID(1),
                clock: NoTimeClock(), namesOriginByPath: true)
            do {
                try await source.run(delivery: delivery)
            } catch let error as TocsinError {
                // What came before the damage is sent.
                try await delivery.flush()
                throw error
            }
        }
        delivery.endPass()
    }
}

/// What `tocsin send` says at its end.
public struct SendReport: Sendable {
    public var summary: SendSummary
    /// Messages that were not sent because they cannot be read.
    public var unreadable: Int
    public var firstFault: String?
}

/// Gives what is received a mark instead of a time.
struct NoTimeClock: WallClock {
    func now() -> Timestamp { SendDelivery.noTime }
}

struct SendLimitReached: Error {}
