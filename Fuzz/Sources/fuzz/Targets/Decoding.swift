internal import TocsinCore
internal import TocsinDecode
internal import TocsinSpool

/// The decoders. The last byte of an input chooses the settings; before it a byte FF, which no text has, is a border
/// between two chunks.
enum Decoding {
    private static let origin = Origin(
        source: SourceID(0), sourceName: "fuzz", position: 0,
        received: Timestamp(nanoseconds: 1_760_000_000_000_000_000))

    private static func settings(_ option: UInt8, _ format: InputFormat) -> DecoderSettings {
        var settings = DecoderSettings(format: format)
        if option & 1 != 0 {
            settings.mapping = InputMapping(
                sensor: "device.id", time: "at", values: ["payload.*", "t"], eventID: "n", ignore: ["x"],
                defaultSensor: "one")
        }
        if option & 2 != 0 {
            settings.limits = DecodeLimits(maximumMessageBytes: 48, clippedBytes: 16, maximumNameBytes: 8)
        }
        settings.mapping.timeFromReceipt = option & 4 != 0
        return settings
    }

    /// The same content must give the same readings however it is cut.
    static func stream(_ input: [UInt8], _ format: InputFormat) {
        var input = input
        guard let option = input.popLast() else { return }
        let format = option & 8 != 0 ? .auto : format
        let chunks = input.split(separator: 0xff, omittingEmptySubsequences: false).map { Array($0) }
        let settings = settings(option, format)
        let cut = Decoded(chunks, settings, origin)
        if chunks.count > 1 {
            let whole = Decoded([chunks.flatMap(\.self)], settings, origin)
            check(cut.lines == whole.lines, "chunks change nothing\ncut   \(cut.lines)\nwhole \(whole.lines)")
        }
    }

    /// A request's body, as a whole; what it gives survives the spool.
    static func body(_ input: [UInt8]) {
        var input = input
        guard let option = input.popLast() else { return }
        let format = InputFormat.allCases[Int(option >> 4) % 3]
        let table = SeriesTable(maxSeries: 500, seed: 1)
        var decoder = settings(option, format).makeDecoder()
        // The same decoder takes the next chunk too.
        for part in input.split(separator: 0xff, omittingEmptySubsequences: false) {
            let batch = decoder.decode(chunk: Array(part), origin: origin, table: table)
            Decoded.examine(batch, table)
            var writer = StateWriter()
            SpoolEntry.encode(batch, names: nil, into: &writer)
            var known = table.withIndex {
                KnownNames(sensors: $0.sensorCount, metrics: $0.metricCount, series: $0.seriesCount)
            }
            guard case .batch(let again, _) = SpoolEntry(decoding: writer.bytes[...], known: &known) else {
                fatalError("broken promise: the spool gives back what it was given")
            }
            check(
                again.values.map(\.bitPattern) == batch.values.map(\.bitPattern) && again.times == batch.times
                    && again.firstReading == batch.firstReading && again.bytes == batch.bytes,
                "the spool changes nothing")
        }
    }
}

/// What a stream was decoded to, in words.
struct Decoded {
    private(set) var lines: [String] = []

    init(_ chunks: [[UInt8]], _ settings: DecoderSettings, _ origin: Origin) {
        let table = SeriesTable(maxSeries: 500, seed: 1)
        var assembler = settings.makeAssembler()
        var decoder = settings.makeDecoder()
        var runs: [InputRun] = []
        for chunk in chunks { runs += assembler.append(chunk) }
        runs += assembler.finish()
        for run in runs {
            let batch = decoder.decode(run, origin: origin, table: table)
            Self.examine(batch, table)
            table.withIndex { describe(batch, $0) }
        }
    }

    /// Every column of a batch fits the others.
    static func examine(_ batch: Batch, _ table: SeriesTable) {
        let events = batch.eventCount
        check(
            batch.times.count == events && batch.eventKeys.count == events && batch.payloads.count == events
                && batch.labels.count == events && batch.firstReading.count == events + 1
                && batch.series.count == batch.values.count, "columns are equally long")
        check(
            batch.firstReading.first == 0 && batch.firstReading.last == UInt32(batch.readingCount)
                && zip(batch.firstReading, batch.firstReading.dropFirst()).allSatisfy { $0 <= $1 }, "readings follow")
        let ranges = batch.payloads + batch.rejects.map(\.payload)
        check(ranges.allSatisfy { $0.range.upperBound <= batch.bytes.count }, "payloads lie in the bytes")
        check(batch.values.allSatisfy(\.isFinite), "values are finite")
        let (sensors, series) = table.withIndex { ($0.sensorCount, $0.seriesCount) }
        check(
            batch.sensors.allSatisfy { $0.index < sensors } && batch.series.allSatisfy { $0.index < series },
            "ids are known")
    }

    private mutating func describe(_ batch: Batch, _ index: SeriesIndex) {
        for event in 0..<batch.eventCount {
            var line = "\(index.name(batch.sensors[event])) \(batch.times[event].nanoseconds) \(batch.eventKeys[event])"
            line += " \(batch.labels[event].rawValue)"
            for reading in batch.readings(of: event) {
                let series = batch.series[reading]
                line += " \(index.name(index.metric(of: series)))=\(batch.values[reading])"
            }
            lines.append(line)
        }
        for reject in batch.rejects { lines.append("rejected: \(reject.reason)") }
        // Rejects stand behind the events of their run, and runs differ: order is not promised across both.
        lines.sort()
    }
}
