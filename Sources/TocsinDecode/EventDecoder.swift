public import TocsinCore

/// Bytes in, columns out: decodes JSON and CSV into batches, finding out by itself which of them it is given.
///
/// ```swift
/// var decoder = EventDecoder()
/// let batch = decoder.decode(chunk: Array(#"{"sensor_id":"s1","timestamp":1759312800,"temperature":21.5}"#.utf8),
///                            origin: origin, table: table)   // one event with one reading
/// ```
/// Every message becomes an event, or a reject, or, when all its values are null or empty, nothing. What cannot be
/// decoded harms nothing around it, and no input traps. One decoder serves one input, one task at a time. About
/// 150 ns for a message of one reading; the series table is locked once per run, after the parsing.
public struct EventDecoder {
    private let format: InputFormat
    private let limits: DecodeLimits
    private let plan: FieldPlan
    private var json: JSONEventDecoder?
    private var csv: CSVEventDecoder?

    public init(
        format: InputFormat = .auto, mapping: InputMapping = InputMapping(), limits: DecodeLimits = DecodeLimits()
    ) {
        self.format = format
        self.limits = limits
        plan = FieldPlan(mapping)
    }

    /// Decodes a run that a `ChunkAssembler` has cut. `origin.position` is replaced by that of the run.
    public mutating func decode(_ run: consuming InputRun, origin: Origin, table: SeriesTable) -> Batch {
        var origin = origin
        origin.position = run.position
        if run.isClipped { return reject(run, origin) }
        if run.layout == .rows {
            var decoder = csv ?? CSVEventDecoder(plan, limits: limits)
            csv = nil
            defer { csv = decoder }
            return decoder.decode(run, origin: origin, table: table)
        }
        var decoder = json ?? JSONEventDecoder(plan, limits: limits)
        json = nil
        defer { json = decoder }
        return decoder.decode(run, origin: origin, table: table)
    }

    /// Decodes bytes that hold whole messages: the body of a request, a message of a broker. CSV in several chunks has
    /// its header in the first.
    public mutating func decode(chunk bytes: consuming [UInt8], origin: Origin, table: SeriesTable) -> Batch {
        let mark = Text.skipByteOrderMark(bytes.span)
        if mark > 0 { bytes.removeFirst(mark) }
        guard Text.skipBlanks(bytes.span, from: 0, throughLines: true) < bytes.count else {
            var batch = Batch(origin: origin)
            batch.bytes = bytes
            return batch
        }
        let format = csv?.hasHeader ?? false ? .csv : format
        let layout = Sniffer.layout(of: bytes.span, format: format, isFinal: true, limits: limits) ?? .lines
        let run = InputRun(bytes: bytes, position: origin.position &+ Int64(mark), layout: layout)
        return decode(run, origin: origin, table: table)
    }

    /// What a `ChunkAssembler` kept of a message that was too long.
    private mutating func reject(_ run: consuming InputRun, _ origin: Origin) -> Batch {
        var batch = Batch(origin: origin)
        let isRow = run.layout == .rows
        let place = isRow ? "Line \(csv?.nextLine ?? 1)" : "The message at byte \(run.position)"
        if isRow {
            if csv == nil { csv = CSVEventDecoder(plan, limits: limits) }
            csv?.skipLine()
        }
        batch.rejects.append(
            Reject(
                reason: .tooLong, detail: "\(place) is longer than \(limits.maximumMessageBytes) bytes.",
                payload: ByteRange(offset: 0, length: min(run.bytes.count, limits.clippedBytes))))
        batch.bytes = run.bytes
        return batch
    }
}

@available(*, unavailable)
extension EventDecoder: Sendable {}
