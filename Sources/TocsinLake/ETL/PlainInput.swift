public import TocsinCore

/// Decodes plain files for the lake.
public protocol PlainReader: Sendable {
    /// Hands over the batches of one file in order; the same file gives the same batches. Their origin's name is `source`, and
    /// position + offset of an event is its byte in the file (uncompressed).
    /// - Throws: `TocsinError` where the file cannot be read to its end.
    func read(
        _ path: String, source: String, into table: SeriesTable, _ body: @Sendable (Batch) async throws -> Void
    ) async throws
}

/// What an import did.
public struct PlainInputResult: Sendable {
    public var files = 0
    public var messages = 0
    public var readings = 0
    /// Messages and fields that could not be decoded; they are in no file of the lake.
    public var unparsable = 0
    /// The first ten of them.
    public var undecoded: [UndecodedMessage] = []
    /// Files of bronze that were written, and those that were there.
    public var made = 0
    public var unchanged = 0
    /// Files that could not be read to their end; what stands before that is in the lake.
    public var skipped: [SkippedFile] = []

    public init() {}

    mutating func add(_ other: PlainInputResult) {
        files += other.files
        messages += other.messages
        readings += other.readings
        unparsable += other.unparsable
        undecoded += other.undecoded.prefix(max(0, UndecodedMessage.named - undecoded.count))
        made += other.made
        unchanged += other.unchanged
        skipped += other.skipped
    }
}

/// A message, or a field of one, that could not be decoded.
public struct UndecodedMessage: Sendable, Equatable {
    /// So many are named.
    public static let named = 10

    public var file: String
    /// From 1; of a message of several lines the first one.
    public var line: Int
    /// One sentence.
    public var reason: String
}

/// A folder of CSV and NDJSON files, compressed or not, as bronze: `tocsin etl --input folder`.
///
/// A file of bronze is named after its source and its content: importing the same file again changes nothing, and one that
/// was changed takes the place of its former self. `received` is NULL, so nothing imported counts as late.
public struct PlainInput: Sendable {
    public static let endings = ["csv", "ndjson", "jsonl", "json"].flatMap { [".\($0)", ".\($0).gz"] }
    /// Events that are gathered before files are written: the same in every run, since names depend on it.
    static let roll = 1_000_000
    static let rollBytes = 256 << 20

    private let storage: any ObjectStorage
    private let reader: any PlainReader
    private let settings: ETLSettings
    private let keepsPayload: Bool

    public init(
        _ settings: ETLSettings, storage: any ObjectStorage, reader: any PlainReader, keepsPayload: Bool = true
    ) {
        self.settings = settings
        self.storage = storage
        self.reader = reader
        self.keepsPayload = keepsPayload
    }

    /// Imports a file, or all files below a folder whose names have one of the endings, in the order of names.
    public func run(
        _ path: String, into table: SeriesTable = SeriesTable(),
        onProgress: @escaping @Sendable (ETLProgress) -> Void = { _ in }
    ) async throws -> PlainInputResult {
        let folder = settings.workFolder + "/import"
        try LocalFiles.empty(folder)
        defer { try? LocalFiles.empty(folder) }
        let files = try Self.files(path)
        guard !files.isEmpty else {
            throw TocsinError(
                .lake, "There is nothing to import.", place: path,
                remedy: "Name a file or a folder of \(Self.endings.joined(separator: " ")) files.")
        }
        var own = settings
        own.workFolder = folder
        own.workers = 1
        let worker = try ETLWorker(own, number: 0, location: storage.location)
        let there = Set(try await LakePart.list(storage, prefix: Transformation.bronze + "/").map(\.path))
        var result = PlainInputResult()
        for (index, file) in files.enumerated() {
            try Task.checkCancellation()
            onProgress(ETLProgress(fraction: Double(index) / Double(files.count), work: file))
            let importer = PlainFileImport(
                file, storage, table, worker, there: there, keepsPayload: keepsPayload,
                named: UndecodedMessage.named - result.undecoded.count)
            do {
                try await reader.read(file, source: file, into: table) { try await importer.take($0) }
                try await importer.finish()
            } catch let error as TocsinError where !error.isRetriable && error.code != .interrupted {
                try await importer.flush()
                result.skipped.append(SkippedFile(name: file, reason: error.message))
            }
            result.add(await importer.result)
        }
        onProgress(ETLProgress(fraction: 1, work: ""))
        return result
    }

    static func files(_ path: String) throws(TocsinError) -> [String] {
        let entries = try LocalFiles.entries(of: path)
        if entries.isEmpty {
            return LocalFiles.size(path) != nil && endings.contains(where: path.hasSuffix) ? [path] : []
        }
        var found: [String] = []
        for entry in entries.sorted(by: { $0.name < $1.name }) where !entry.name.hasPrefix(".") {
            let inner = (path.hasSuffix("/") ? String(path.dropLast()) : path) + "/" + entry.name
            if entry.isFolder {
                found += try files(inner)
            } else if endings.contains(where: entry.name.hasSuffix) {
                found.append(inner)
            }
        }
        return found
    }
}

/// The import of one file: gathers events and writes them as files of bronze, an hour each.
private actor PlainFileImport {
    private let source: String
    private let storage: any ObjectStorage
    private let table: SeriesTable
    private let worker: ETLWorker
    private let keepsPayload: Bool
    /// `part-import-<hash of the source>-`
    private let prefix: String
    private let there: Set<String>
    private var written: Set<String> = []
    private var columns: BronzeColumns
    private var names = NameBook()
    private var rolls = 0
    /// Undecoded messages that are still to be named, and the lines before the bytes of the next batch.
    private var unnamed: Int
    private var lines = LineCount()
    private(set) var result = PlainInputResult()

    init(
        _ source: String, _ storage: any ObjectStorage, _ table: SeriesTable, _ worker: ETLWorker, there: Set<String>,
        keepsPayload: Bool, named: Int
    ) {
        unnamed = named
        self.source = source
        self.storage = storage
        self.table = table
        self.worker = worker
        self.keepsPayload = keepsPayload
        var hash = StableHash()
        hash.combine(source)
        prefix = "part-import-\(hash.hex)-"
        self.there = there
        columns = BronzeColumns(keepsPayload: keepsPayload)
        result.files = 1
    }

    func take(_ batch: Batch) async throws {
        columns.append(batch, record: 0)
        result.messages += batch.eventCount
        result.readings += batch.readingCount
        result.unparsable += batch.rejects.count
        name(batch)
        if columns.eventCount >= PlainInput.roll || columns.size >= PlainInput.rollBytes { try await flush() }
    }

    /// Finds the lines of what could not be decoded, as long as it is to be named.
    private func name(_ batch: Batch) {
        guard unnamed > 0 else { return }
        let rejects = batch.rejects.sorted { $0.payload.offset < $1.payload.offset }.prefix(unnamed)
        unnamed -= rejects.count
        for reject in rejects {
            let place = batch.place(of: reject.payload, in: batch.origin)
            let line = lines.line(at: place, batch)
            result.undecoded.append(UndecodedMessage(file: source, line: line, reason: reject.detail))
        }
        if unnamed > 0 { lines.pass(batch) }
    }

    /// Writes what is gathered.
    func flush() async throws {
        guard columns.eventCount > 0 else { return }
        let roll = columns
        columns = BronzeColumns(keepsPayload: keepsPayload)
        names.refresh(table, for: roll)
        for part in BronzeOrder(columns: roll, rankOfSensor: names.rankOfSensor).parts(1) {
            try Task.checkCancellation()
            try await write(part, of: roll)
        }
        rolls += 1
    }

    private func write(_ part: BronzePart, of roll: BronzeColumns) async throws {
        let (worker, rows) = (worker, BronzeRows(columnsOfRoll: roll, names: names, rows: part.rows))
        let (path, content) = try await worker.connection.run { connection in
            try connection.register(rows, as: "plain_rows")
            defer { connection.unregister("plain_rows") }
            let file = try worker.write(
                "SELECT * REPLACE (NULL::TIMESTAMP AS received, NULL::BIGINT AS spool_record) FROM plain_rows()",
                table: Transformation.bronze)
            let content = try connection.firstRow(
                "SELECT sum(hash(t)::HUGEINT)::VARCHAR FROM read_parquet(\(DuckDB.literal(file.path)), "
                    + "hive_partitioning = false) AS t")
            return (file.path, content.first?.text ?? "")
        }
        var hash = StableHash()
        hash.combine(content)
        let target = LakeFile(.events, part.partition, name: "\(prefix)\(rolls)-\(hash.hex).parquet").path
        written.insert(target)
        guard !there.contains(target) else {
            result.unchanged += 1
            return
        }
        result.made += 1
        try await storage.put(file: path, as: target)
    }

    /// Writes the rest, and deletes what an earlier content of the file has left.
    func finish() async throws {
        try await flush()
        for path in there where path.contains("/" + prefix) && !written.contains(path) {
            try await storage.delete(path)
        }
    }
}

/// Counts the lines of a file whose bytes come batch by batch.
private struct LineCount {
    /// Line ends before `next`, the place in the file up to which they are counted.
    private var ends = 0
    private var next: Int64 = 0

    /// The line of a place in the batch's bytes.
    mutating func line(at place: Int64, _ batch: Batch) -> Int {
        begin(batch)
        let offset = Int(clamping: place - batch.origin.position)
        return ends + 1 + Self.count(batch.bytes[..<min(max(offset, 0), batch.bytes.count)])
    }

    /// Goes on behind the batch.
    mutating func pass(_ batch: Batch) {
        begin(batch)
        ends += Self.count(batch.bytes[...])
        next = batch.origin.position + Int64(batch.bytes.count)
    }

    /// A header is no part of the bytes behind it.
    private mutating func begin(_ batch: Batch) {
        if batch.origin.position > next { ends += Self.count(batch.header[...]) }
        next = max(next, batch.origin.position)
    }

    private static func count(_ bytes: ArraySlice<UInt8>) -> Int { bytes.count { $0 == UInt8(ascii: "\n") } }
}
