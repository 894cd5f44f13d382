public import TocsinCore
public import TocsinDecode

/// Reads files one after the other, plain or gzip, `-` for standard input; in follow mode it then waits for more: of
/// a single file or the last of several, what is appended, also across log rotation; of a folder, what is appended to
/// any of its files, and new files.
///
/// Every file has a decoder of its own, and its name is the sensor of messages that name none. At most `inFlight`
/// batches are on their way at a time; `run` returns when all are durable. After a restart a file goes on where the
/// given positions say; without one it is read from its start again, and what was stored before is recognised.
public struct FileSource: Source {
    public let name: String
    let decoding: DecoderSettings
    let table: SeriesTable
    let progress: (@Sendable (Int) -> Void)?
    let sleep: @Sendable (Duration) async throws -> Void
    let queue = BlockingQueue(label: "tocsin.file")
    private let paths: [String]
    private let folder: String?
    private let follows: Bool
    private let namesOriginByPath: Bool
    let positions: [String: ReadPosition]
    private let identity: SourceID
    private let clock: any WallClock
    private static let chunkBytes = 1 << 20
    private static let inFlight = 16
    static let pollInterval = Duration.milliseconds(250)

    /// - Parameters:
    ///   - paths: files in the order of reading; a single folder stands for its files, and in follow mode for those
    ///     that come later, so that it may be empty at first.
    ///   - namesOriginByPath: batches, and by them dead letters, carry the file's path instead of the source's name.
    ///   - positions: how far an earlier process has come, by path.
    ///   - progress: told of the bytes of each chunk read, packed size for gzip being unknown until the end.
    public init(
        name: String, paths: [String], follows: Bool, decoding: DecoderSettings, table: SeriesTable,
        identity: SourceID, clock: any WallClock, namesOriginByPath: Bool = false,
        positions: [String: ReadPosition] = [:], progress: (@Sendable (Int) -> Void)? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) throws(TocsinError) {
        self.name = name
        var files: [String] = []
        for path in paths {
            files += try FolderListing.files(at: path, mayBeEmpty: follows && paths.count == 1)
        }
        self.paths = files
        folder = paths.count == 1 && files != paths ? paths[0] : nil
        self.follows = follows
        self.decoding = decoding
        self.table = table
        self.identity = identity
        self.clock = clock
        self.namesOriginByPath = namesOriginByPath
        self.positions = positions
        self.progress = progress
        self.sleep = sleep
    }

    public func run(delivery: any BatchDelivery) async throws {
        var pending = PendingReceipts(limit: Self.inFlight)
        if follows, let folder { return try await follow(folder: folder, delivery, &pending) }
        for (number, path) in paths.enumerated() {
            var tail = FileTail(try OpenFile(path: path), decoding: decoding, resume: positions[path])
            do {
                // Of several files only the last can be followed, or the others would never come to their turn.
                if follows, number == paths.count - 1 {
                    try await follow(&tail, delivery, &pending)
                } else {
                    try await readOn(&tail, delivery, &pending)
                }
                try tail.checkComplete()
            } catch let failure as TocsinError {
                // What was read before the damage counts; the damage is reported when it is durable.
                try await finish(&tail, delivery, &pending)
                try await pending.waitForAll()
                throw failure
            }
            try await finish(&tail, delivery, &pending)
        }
        try await pending.waitForAll()
    }

    /// Reads to the present end of the file, to the very end of a pipe.
    func readOn(
        _ tail: inout FileTail, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        while true {
            try Task.checkCancellation()
            guard let reader = try tail.open() else { return }
            switch try await queue.run({ try reader.next(limit: Self.chunkBytes) }) {
            case .bytes(let bytes):
                progress?(bytes.count)
                for run in tail.take(bytes) {
                    try await deliver(tail.decode(run, origin: origin(tail.path), table: table), delivery, &pending)
                }
            case .pause: try await pending.waitForAll()
            case .end: return
            }
        }
    }

    /// Takes what is left at the end of a file as it is.
    func finish(
        _ tail: inout FileTail, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        for run in tail.finish() {
            try await deliver(tail.decode(run, origin: origin(tail.path), table: table), delivery, &pending)
        }
    }

    func deliver(
        _ batch: Batch, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        guard batch.inputCount > 0 else { return }
        try await pending.add(try await delivery.enqueue(batch))
    }

    func origin(_ path: String) -> Origin {
        let place = path == "-" ? "stdin" : path
        return Origin(
            source: identity, sourceName: namesOriginByPath ? place : name, position: 0, received: clock.now())
    }
}
