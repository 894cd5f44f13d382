internal import Synchronization
public import TocsinCore

/// A file shared between the reading task and its blocking queue, which take turns.
public final class OpenFile: Sendable {
    private let file: Mutex<GzipFile>
    public let path: String
    let status: FileStatus

    /// - Parameter path: `-` is standard input.
    public convenience init(path: String) throws(TocsinError) { try self.init(path: path, position: 0) }

    /// - Parameter position: where to go on, in bytes of the file as it is stored.
    init(path: String, position: Int64) throws(TocsinError) {
        self.path = path
        let opened = try GzipFile(path: path, position: position)
        status = opened.status
        file = Mutex(opened)
    }

    /// nil where the file has vanished since it was listed.
    static func ifPresent(_ path: String, position: Int64 = 0) throws(TocsinError) -> OpenFile? {
        do {
            return try OpenFile(path: path, position: position)
        } catch {
            if FileStatus(path: path) == nil { return nil }
            throw error
        }
    }

    /// A whole file, unpacked: for files of which it is known that they fit into memory, such as models.
    /// - Throws: as `read(limit:)`.
    public static func contents(of path: String) throws -> [UInt8] {
        let file = try OpenFile(path: path)
        var bytes: [UInt8] = []
        while let chunk = try file.read(limit: 1 << 20) { bytes += chunk }
        return bytes
    }

    /// nil at the end of the file. Waits for a pipe that is silent.
    /// - Throws: `TocsinError(.format)` for a damaged or cut-off gzip file; what came before was delivered.
    public func read(limit: Int) throws -> [UInt8]? {
        while true {
            switch try next(limit: limit) {
            case .bytes(let bytes): return bytes
            case .pause: continue
            case .end:
                try checkComplete()
                return nil
            }
        }
    }

    /// What is there, without waiting for a silent pipe longer than a fraction of a second; a cut-off gzip file just
    /// ends, as it may still be written.
    func next(limit: Int) throws(TocsinError) -> FileChunk {
        try file.withLock { file throws(TocsinError) in try file.next(limit: limit) }
    }

    /// - Throws: `TocsinError(.format)` where the end came in the midst of a gzip file.
    func checkComplete() throws(TocsinError) {
        try file.withLock { file throws(TocsinError) in try file.checkComplete() }
    }

    var isPlain: Bool { file.withLock { $0.isPlain } }
    /// Bytes taken from the file, as it is stored.
    var position: Int64 { file.withLock { $0.position } }
}
