public import TocsinCore

/// What one call of `Simulator.next` appended.
public struct SimulatedChunk: Sendable {
    /// Lines, without a header; 0 = nothing is due, or the stream has reached the year 2262.
    public var events = 0
    public var readings = 0
    /// Times of the first and the last line; nil when there is none.
    public var firstTime: Timestamp?
    public var lastTime: Timestamp?
    /// Anomalies that began in this chunk.
    public var episodes: [InjectedEpisode] = []
}

/// Writes the readings of imagined sensors: a pure function of its settings, without clock or I/O.
///
/// ```swift
/// var simulator = try Simulator(SimulatorSettings(profile: .plant))
/// var bytes: [UInt8] = []
/// simulator.next(into: &bytes, maxEvents: 1000)   // 1000 lines of JSON, oldest first over all sensors
/// ```
/// The bytes do not depend on how they are cut into chunks. Cost: no allocation but the output's own growth.
public struct Simulator: Sendable {
    /// No event is later.
    public static let latestTime = Timestamp(nanoseconds: 9_214_646_400_000_000_000)

    public let settings: SimulatorSettings
    /// The CSV header line with its newline, as `next` writes it before the first event; empty for JSON. Put it before
    /// later chunks that must stand alone.
    public var header: [UInt8] { writer.fragments.header }

    private var model: SignalModel
    private var writer: EventWriter
    private let readingsPerLine: Int
    private let linesPerEvent: Int
    private let startMilliseconds: Int64
    private let intervalMilliseconds: Int64
    // The next line: metric `line` of `sensor` at `tick`.
    private var tick: Int64 = 0
    private var sensor = 0
    private var line = 0
    private var tickMilliseconds: Int64
    private var phase = SensorPhase()
    private var hasWrittenHeader = false

    /// Throws what `SimulatorSettings.validate` throws. Cost: proportional to the number of sensors.
    public init(_ settings: SimulatorSettings) throws(TocsinError) {
        try settings.validate()
        self.settings = settings
        model = SignalModel(settings)
        writer = EventWriter(settings)
        let metrics = settings.profile.metrics.count
        linesPerEvent = settings.format == .narrow ? metrics : 1
        readingsPerLine = settings.format == .narrow ? 1 : metrics
        startMilliseconds = settings.start.nanoseconds / 1_000_000
        intervalMilliseconds = settings.interval.nanoseconds / 1_000_000
        tickMilliseconds = startMilliseconds
        model.beginTick(millisecondOfDay: startMilliseconds % 86_400_000)
    }

    /// Time of the next event; it may turn out to be silent. For pacing.
    public var nextTime: Timestamp { Timestamp(nanoseconds: nextMilliseconds * 1_000_000) }

    /// Appends up to `maxEvents` lines, none later than `limit`.
    @discardableResult
    public mutating func next(
        into bytes: inout [UInt8], maxEvents: Int, until limit: Timestamp = Simulator.latestTime
    ) -> SimulatedChunk {
        if !hasWrittenHeader {
            hasWrittenHeader = true
            bytes.append(contentsOf: header)
        }
        let last = min(limit, Self.latestTime).nanoseconds / 1_000_000
        var chunk = SimulatedChunk()
        while chunk.events < maxEvents {
            let milliseconds = nextMilliseconds
            guard milliseconds <= last else { break }
            if line == 0 {
                phase = model.measure(sensor: sensor, tick: tick)
                if !model.begun.isEmpty { chunk.episodes += takeEpisodes() }
                if phase.kind == .silence {
                    line = linesPerEvent
                    advance()
                    continue
                }
            }
            append(milliseconds, to: &bytes)
            if chunk.events == 0 { chunk.firstTime = Timestamp(nanoseconds: milliseconds * 1_000_000) }
            chunk.lastTime = Timestamp(nanoseconds: milliseconds * 1_000_000)
            chunk.events += 1
            line += 1
            advance()
        }
        chunk.readings = chunk.events * readingsPerLine
        return chunk
    }

    @inline(__always)
    private mutating func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let event = UInt64(tick.magnitude) &* UInt64(settings.sensors) &+ UInt64(sensor)
        let row = event &* UInt64(linesPerEvent) &+ UInt64(line)
        let isConcerned = phase.metric < 0 || linesPerEvent == 1 || Int(phase.metric) == line
        let content = EventWriter.Line(
            sensor: sensor, tick: tick, row: row, milliseconds: milliseconds,
            kind: isConcerned ? phase.kind : nil)
        if settings.format == .narrow {
            writer.appendNarrow(content, metric: line, value: model.values[line], to: &bytes)
        } else {
            writer.appendWide(content, values: model.values, to: &bytes)
        }
    }

    /// Moves on when all lines of an event are written.
    @inline(__always)
    private mutating func advance() {
        guard line >= linesPerEvent else { return }
        line = 0
        sensor += 1
        guard sensor >= settings.sensors else { return }
        sensor = 0
        tick += 1
        tickMilliseconds += intervalMilliseconds
        model.beginTick(millisecondOfDay: tickMilliseconds % 86_400_000)
    }

    // Times stay below the year 2262 plus a day, and offsets below a day: no overflow.
    @inline(__always)
    private var nextMilliseconds: Int64 { tickMilliseconds + offsetMilliseconds(of: sensor) }

    @inline(__always)
    private func offsetMilliseconds(of sensor: Int) -> Int64 {
        settings.staggersSensors ? intervalMilliseconds * Int64(sensor) / Int64(settings.sensors) : 0
    }

    private mutating func takeEpisodes() -> [InjectedEpisode] {
        defer { model.begun.removeAll(keepingCapacity: true) }
        return model.begun.compactMap { sensor, phase in
            guard let kind = phase.kind else { return nil }
            return InjectedEpisode(
                sensor: writer.name(of: sensor),
                metric: phase.metric < 0 ? nil : settings.profile.metrics[Int(phase.metric)].name, kind: kind,
                start: time(of: sensor, tick: phase.since), end: time(of: sensor, tick: phase.until - 1),
                amplitude: phase.amplitude)
        }
    }

    /// Saturating: an episode may reach beyond the last event.
    private func time(of sensor: Int, tick: Int64) -> Timestamp {
        let (milliseconds, overflow) = tick.multipliedReportingOverflow(by: intervalMilliseconds)
        let limit = Self.latestTime.nanoseconds / 1_000_000
        guard !overflow, milliseconds < limit else { return Self.latestTime }
        let sum = startMilliseconds + milliseconds + offsetMilliseconds(of: sensor)
        return Timestamp(nanoseconds: min(sum, limit) * 1_000_000)
    }
}
