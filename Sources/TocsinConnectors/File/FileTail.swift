internal import TocsinCore
internal import TocsinDecode

/// A file that is read as it grows, with what its last bytes and its header mean for the next ones.
///
/// Owned by the one task that reads it. The file can be closed between two looks; what is kept then is small.
struct FileTail {
    let path: String
    private let settings: DecoderSettings
    private let identity: FileIdentity
    /// Where an earlier process has stopped reading this very file: what lies before is not delivered again.
    private let resume: Int64
    private let isRegular: Bool
    private var reader: OpenFile?
    private var closedAt: Int64 = 0
    private var assembler: ChunkAssembler
    private var decoder: EventDecoder?
    private var isTable = false
    /// Looks in a row that found nothing new.
    var quietPolls = 0
    /// The rest of it cannot be read.
    var isDamaged = false

    /// - Parameter resume: how far an earlier process has come with the file of this path.
    init(_ opened: OpenFile, decoding: DecoderSettings, resume: ReadPosition? = nil) {
        path = opened.path
        var settings = decoding
        if settings.mapping.defaultSensor == nil { settings.mapping.defaultSensor = FolderListing.stem(of: path) }
        self.settings = settings
        identity = opened.status.identity
        let status = opened.status
        let isSame =
            resume.map { $0.device == status.identity.device && $0.number == status.identity.number } ?? false
        // A plain file that is shorter now has begun anew.
        let isCut = opened.isPlain && status.size < resume?.next ?? 0
        self.resume = isSame && !isCut && status.isRegular ? resume?.next ?? 0 : 0
        isRegular = opened.status.isRegular
        reader = opened
        assembler = settings.makeAssembler()
    }

    var isOpen: Bool { reader != nil }
    /// Bytes taken from the file, as it is stored.
    var position: Int64 { reader?.position ?? closedAt }
    var hasTornEnd: Bool { assembler.pendingBytes > 0 }

    /// Standard input that is a pipe never goes on after its end, and a packed file of its own is whole.
    var canGrow: Bool { (path != "-" || isRegular) && (reader?.isPlain ?? true) }

    /// The file, opened again where it was closed; nil where it has gone or another has taken its name meanwhile.
    mutating func open() throws(TocsinError) -> OpenFile? {
        if reader == nil {
            let opened = try OpenFile.ifPresent(path, position: closedAt)
            guard let opened, !isReplaced(by: opened.status) else { return nil }
            reader = opened
        }
        return reader
    }

    /// Gives back the descriptor; false where a half-written gzip file must stay open to be read on.
    @discardableResult
    mutating func close() -> Bool {
        guard let open = reader else { return true }
        guard isDamaged || (try? open.checkComplete()) != nil else { return false }
        closedAt = open.position
        reader = nil
        return true
    }

    /// - Throws: `TocsinError(.format)` where the end came in the midst of a gzip file.
    func checkComplete() throws(TocsinError) { try reader?.checkComplete() }

    /// Another file has taken its name (log rotation).
    func isReplaced(by status: FileStatus) -> Bool { status.identity != identity }
    /// It was emptied and begins anew.
    func isTruncated(_ status: FileStatus) -> Bool { isRegular && status.size < position }

    mutating func take(_ bytes: consuming [UInt8]) -> [InputRun] { assembler.append(bytes) }

    mutating func finish() -> [InputRun] { hasTornEnd ? assembler.finish() : [] }

    mutating func decode(_ run: InputRun, origin: Origin, table: SeriesTable) -> Batch {
        isTable = run.layout == .rows
        let end = run.position &+ Int64(run.bytes.count)
        var origin = origin
        origin.resume =
            isRegular && path != "-"
            ? ReadPosition(path: path, device: identity.device, number: identity.number, next: end) : nil
        // Of a table the first rows are needed: the header stands there.
        if end <= resume, !isTable || decoder != nil { return Batch(origin: origin) }
        var current = decoder ?? settings.makeDecoder()
        decoder = nil
        var batch = current.decode(run, origin: origin, table: table)
        decoder = current
        if run.position < resume { batch.drop(before: resume &- run.position) }
        return batch
    }

    /// Gives back the memory of a decoder that remembers nothing: of JSON there is no header.
    mutating func rest() {
        if !isTable { decoder = nil }
    }

    /// The end of the file as a message, where it is whole though no line end follows; only JSON can tell.
    mutating func wholeEnd(origin: Origin, table: SeriesTable) -> [Batch] {
        guard hasTornEnd else { return [] }
        var trial = assembler
        let runs = trial.finish()
        guard runs.allSatisfy({ $0.layout != .rows }) else { return [] }
        let batches = runs.map { decode($0, origin: origin, table: table) }
        guard batches.allSatisfy(\.rejects.isEmpty) else { return [] }
        assembler = trial
        return batches
    }
}
