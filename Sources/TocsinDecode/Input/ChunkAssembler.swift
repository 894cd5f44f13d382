/// Cuts a stream of bytes that arrives in arbitrary chunks into runs of whole messages.
///
/// ```swift
/// var assembler = ChunkAssembler()
/// for chunk in chunks { for run in assembler.append(chunk) { deliver(decoder.decode(run, …)) } }
/// for run in assembler.finish() { deliver(decoder.decode(run, …)) }
/// ```
/// The runs hold the same messages however the stream was chunked. Memory is bounded by one chunk and one message of
/// maximum length: a longer one becomes one clipped run, and its rest is skipped. JSON lines cost next to nothing, the
/// other layouts about 1 ns a byte.
public struct ChunkAssembler: Sendable {
    private let format: InputFormat
    private let limits: DecodeLimits

    private var layout: InputLayout?
    private var pending: [UInt8] = []
    /// Where `pending` stands in the source.
    private var position: Int64
    /// The rest of a message that was too long is on its way.
    private var isSkipping = false

    private var framer = JSONFramer()
    /// Bytes of `pending` that the framer has seen.
    private var framed = 0
    /// Where the message under way starts in `pending`.
    private var messageStart: Int?

    private var scanner: CSVRowScanner?

    /// - Parameter position: where the first byte stands in the source.
    public init(format: InputFormat = .auto, limits: DecodeLimits = DecodeLimits(), position: Int64 = 0) {
        self.format = format
        self.limits = limits
        self.position = position
    }

    /// Bytes that wait for the end of their message.
    public var pendingBytes: Int { pending.count }

    /// Takes the next bytes of the stream and returns what has become whole by them.
    public mutating func append(_ bytes: consuming [UInt8]) -> [InputRun] {
        if pending.isEmpty { pending = bytes } else { pending.append(contentsOf: bytes) }
        return cut(isFinal: false)
    }

    /// Ends the stream: what is left is taken as it is.
    public mutating func finish() -> [InputRun] { cut(isFinal: true) }

    private mutating func cut(isFinal: Bool) -> [InputRun] {
        var runs: [InputRun] = []
        guard isFinal || position > 0 || !Text.mayOpenByteOrderMark(pending.span) else { return runs }
        // Gone before anything is cut: behind a border between two runs the same bytes are no mark.
        if position == 0 { drop(Text.skipByteOrderMark(pending.span)) }
        if layout == nil {
            layout = Sniffer.layout(of: pending.span, format: format, isFinal: isFinal, limits: limits)
        }
        switch layout {
        case .lines: cutLines(isFinal, &runs)
        case .documents: cutDocuments(isFinal, &runs)
        case .rows: cutRows(isFinal, &runs)
        case nil: break
        }
        return runs
    }

    private mutating func cutLines(_ isFinal: Bool, _ runs: inout [InputRun]) {
        if isSkipping, !skipLine() { return }
        if isFinal {
            take(pending.count, &runs)
        } else if let end = Text.lastLineFeed(pending.span, from: 0) {
            take(end + 1, &runs)
        }
        if pending.count > limits.maximumMessageBytes { clip(&runs) }
    }

    private mutating func cutDocuments(_ isFinal: Bool, _ runs: inout [InputRun]) {
        while frameMessage() {
            // Stopped in a message that is too long: what stands before it, then its start, then nothing to its end.
            take(messageStart ?? 0, &runs)
            clip(&runs)
        }
        if isSkipping {
            drop(pending.count)
        } else {
            take(isFinal ? pending.count : messageStart ?? pending.count, &runs)
        }
    }

    /// Runs the framer over the pending bytes; true where it stopped because the message under way is too long.
    private mutating func frameMessage() -> Bool {
        var framer = framer
        var start = messageStart
        var skipEnd: Int?
        var position = framed
        var isTooLong = false
        do {
            let bytes = pending.span
            while position < bytes.count, !isTooLong {
                switch framer.consume(bytes[position]) {
                case .nothing: break
                case .begins: start = position
                case .ends:
                    start = nil
                    if isSkipping, skipEnd == nil { skipEnd = position + 1 }
                case .restarts:
                    start = position
                    if isSkipping, skipEnd == nil { skipEnd = position }
                }
                position += 1
                if let start { isTooLong = position - start > limits.maximumMessageBytes }
            }
        }
        self.framer = framer
        framed = position
        messageStart = start
        if let skipEnd {
            isSkipping = false
            drop(skipEnd)
        }
        return isTooLong
    }

    private mutating func cutRows(_ isFinal: Bool, _ runs: inout [InputRun]) {
        if isSkipping, !skipLine() { return }
        var end = 0
        var cells: [CSVRowScanner.Cell] = []
        if scanner == nil { end = findHeader(isFinal) }
        if let scanner, !isFinal {
            // Without a quote every line feed ends a row.
            if !Text.contains(UInt8(ascii: "\""), in: pending.span, from: end) {
                end = Text.lastLineFeed(pending.span, from: end).map { $0 + 1 } ?? end
            }
            while end < pending.count,
                let row = scanner.row(pending.span, from: end, isFinal: false, cells: &cells)
            {
                end = row.next
            }
        }
        take(isFinal ? pending.count : end, &runs)
        if pending.count > limits.maximumMessageBytes { clip(&runs) }
    }

    /// Reads the header as the decoder will, and returns where the rows start; lines that are none are passed on.
    private mutating func findHeader(_ isFinal: Bool) -> Int {
        var unreadable: [CSVDialect.UnreadableLine] = []
        let dialect = CSVDialect.find(
            pending.span, isFinal: isFinal, longest: limits.maximumMessageBytes, unreadable: &unreadable)
        guard let dialect else { return Text.lastLineFeed(pending.span, from: 0).map { $0 + 1 } ?? 0 }
        scanner = CSVRowScanner(
            separator: dialect.separator, columnCount: dialect.columns.count, longest: limits.maximumMessageBytes)
        return dialect.isRowOfValues ? dialect.headerStart : dialect.rowsStart
    }

    /// Drops what is left of a line that was too long; false while its end has not come.
    private mutating func skipLine() -> Bool {
        guard let end = Text.endOfLine(pending.span, from: 0) else {
            drop(pending.count)
            return false
        }
        isSkipping = false
        drop(end + 1)
        return true
    }

    /// Hands out the first `count` pending bytes.
    private mutating func take(_ count: Int, _ runs: inout [InputRun]) {
        guard count > 0, let layout else { return }
        if count == pending.count {
            runs.append(InputRun(bytes: pending, position: position, layout: layout))
        } else {
            runs.append(InputRun(bytes: Array(pending[..<count]), position: position, layout: layout))
        }
        drop(count)
    }

    /// Hands out the start of the message that is too long, and skips what has come of it.
    private mutating func clip(_ runs: inout [InputRun]) {
        guard let layout else { return }
        let kept = Array(pending.prefix(limits.clippedBytes))
        runs.append(InputRun(bytes: kept, position: position, layout: layout, isClipped: true))
        drop(layout == .documents ? framed : pending.count)
        isSkipping = true
    }

    private mutating func drop(_ count: Int) {
        if count == pending.count { pending = [] } else { pending.removeFirst(count) }
        position &+= Int64(count)
        framed = max(0, framed - count)
        messageStart = messageStart.flatMap { $0 >= count ? $0 - count : nil }
    }
}
