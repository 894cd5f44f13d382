internal import TocsinCore

/// Decodes runs of CSV rows. Keeps the header and the number of the line from run to run.
struct CSVEventDecoder {
    private let plan: FieldPlan
    private let limits: DecodeLimits
    private var header: CSVHeader?
    /// The header line as it stood, with a line end; empty for input without one.
    private var headerLine: [UInt8] = []
    /// Lines before the next run.
    private var line = 0
    private var cells: [CSVRowScanner.Cell] = []
    private var table: SeriesTable?

    init(_ plan: FieldPlan, limits: DecodeLimits) {
        self.plan = plan
        self.limits = limits
    }

    mutating func decode(_ run: consuming InputRun, origin: Origin, table: SeriesTable) -> Batch {
        if self.table !== table {
            self.table = table
            header?.forgetIDs()
        }
        var batch = Batch(origin: origin)
        batch.bytes = run.bytes
        let bytes = run.bytes
        let start = readHeader(bytes.span, &batch)
        batch.header = headerLine
        guard var header else { return batch }
        self.header = nil
        table.withIndex { index in
            var collector = CSVCollector(plan: plan, limits: limits, line: line, batch: batch)
            batch = Batch(origin: origin)
            collector.collect(bytes.span, from: start, &header, &cells, &index)
            line = collector.line
            swap(&batch, &collector.batch)
        }
        self.header = header
        return batch
    }

    /// A message too long to be decoded counts as one line.
    mutating func skipLine() { line += 1 }

    var nextLine: Int { line + 1 }

    var hasHeader: Bool { header != nil }

    /// Where the rows start; the header is read when it is not known yet.
    private mutating func readHeader(_ bytes: Span<UInt8>, _ batch: inout Batch) -> Int {
        guard header == nil else { return 0 }
        var unreadable: [CSVDialect.UnreadableLine] = []
        let dialect = CSVDialect.find(
            bytes, isFinal: true, longest: limits.maximumMessageBytes, unreadable: &unreadable)
        for found in unreadable {
            let range = found.range
            let isTooLong = range.count > limits.maximumMessageBytes
            let fault =
                isTooLong
                ? "is longer than \(limits.maximumMessageBytes) bytes"
                : "stands where the CSV header should be, and is no text: \(Text.excerpt(bytes.extracting(range)))"
            let length = isTooLong ? min(range.count, limits.clippedBytes) : range.count
            let reject = Reject(
                reason: isTooLong ? .tooLong : .malformed, detail: "Line \(line + found.number) \(fault).",
                payload: ByteRange(offset: range.lowerBound, length: length))
            batch.add(reject, most: limits.singleRejects)
        }
        guard let dialect else {
            for position in bytes.indices where bytes[position] == UInt8(ascii: "\n") { line += 1 }
            return bytes.count
        }
        header = CSVHeader(dialect, plan: plan, limits: limits)
        if !dialect.isRowOfValues {
            let line = bytes.extracting(dialect.headerStart..<dialect.rowsStart)
            headerLine = line.indices.map { line[$0] }
            if headerLine.last != UInt8(ascii: "\n") { headerLine.append(UInt8(ascii: "\n")) }
        }
        line += dialect.isRowOfValues ? dialect.lines - 1 : dialect.lines
        return dialect.isRowOfValues ? dialect.headerStart : dialect.rowsStart
    }
}

/// The columns of a CSV input and where the special ones stand.
struct CSVHeader {
    let scanner: CSVRowScanner
    var columns: [CSVColumn]
    let sensor: Int?
    let time: Int?
    let eventID: Int?
    let metricName: Int?
    let value: Int?
    let unit: Int?
    let zone: Int?
    let label: Int?
    let labelKind: Int?
    /// Columns that can hold readings, in order.
    let readings: [Int]
    let isNarrow: Bool
    var cache = SeriesCache()

    init(_ dialect: CSVDialect, plan: FieldPlan, limits: DecodeLimits) {
        let columns = CSVColumn.columns(dialect.columns, hasHeader: !dialect.isRowOfValues, plan: plan)
        func place(_ role: FieldRole) -> Int? { columns.firstIndex { $0.role == role } }
        self.columns = columns
        scanner = CSVRowScanner(
            separator: dialect.separator, columnCount: columns.count, longest: limits.maximumMessageBytes)
        sensor = place(.sensor)
        time = place(.time)
        eventID = place(.eventID)
        metricName = place(.metricName)
        value = place(.value)
        unit = place(.unit)
        zone = place(.zone)
        label = place(.label)
        labelKind = place(.labelKind)
        isNarrow = metricName != nil && value != nil
        // In the narrow form the value is the only reading; in the wide one a column "value" is a metric like others.
        let narrowValue = isNarrow ? value : nil
        readings =
            narrowValue.map { [$0] }
            ?? columns.indices.filter { columns[$0].role == .metric || columns[$0].role == .value }
    }

    mutating func forgetIDs() {
        cache.removeAll()
        for position in columns.indices {
            columns[position].metric = nil
            columns[position].sensor = nil
            columns[position].series = nil
        }
    }
}
