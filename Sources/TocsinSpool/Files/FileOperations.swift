/// The few calls on files that spool and checkpoints need; `SystemFiles` is the real thing, a test plays a full or
/// broken disk. One dynamic call per group of records, never per reading.
public protocol FileOperations: Sendable {
    /// Opens a file and gives its descriptor.
    func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> Int32
    func close(_ descriptor: Int32)
    /// Length in bytes.
    func size(_ descriptor: Int32) throws(FileFailure) -> Int64
    /// Reads `count` bytes from `offset`; fewer where the file ends before.
    func read(_ descriptor: Int32, at offset: Int64, count: Int) throws(FileFailure) -> [UInt8]
    /// Writes at `offset` and says how many bytes went out; may be fewer than given.
    func write(_ descriptor: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(FileFailure) -> Int
    func truncate(_ descriptor: Int32, to length: Int64) throws(FileFailure)
    /// Forces content and length to disk.
    func sync(_ descriptor: Int32) throws(FileFailure)
    /// Locks the file for this process; false when another holds it.
    func lock(_ descriptor: Int32) throws(FileFailure) -> Bool
    func rename(_ path: String, to target: String) throws(FileFailure)
    func remove(_ path: String) throws(FileFailure)
    /// Makes a folder and those above it; one that exists is no error.
    func createFolder(_ path: String) throws(FileFailure)
    /// Forces new, renamed and removed names of a folder to disk.
    func syncFolder(_ path: String) throws(FileFailure)
    /// Names of the entries of a folder, in no order, without "." and "..".
    func names(in folder: String) throws(FileFailure) -> [String]
}

/// How a file is opened.
public enum FileAccess: Sendable {
    case reading
    /// Must exist.
    case writing
    /// Made when missing, content kept.
    case creating
    /// Made when missing, emptied when not.
    case replacing
}

/// A call on a file that failed, as the operating system put it.
public struct FileFailure: Error, Sendable, CustomStringConvertible {
    /// "write", "open" …
    public var operation: String
    public var path: String
    /// The system's `errno`.
    public var code: Int32
    /// The system's words for `code`.
    public var reason: String

    public init(operation: String, path: String, code: Int32, reason: String) {
        self.operation = operation
        self.path = path
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(operation) \(path): \(reason)" }
}
