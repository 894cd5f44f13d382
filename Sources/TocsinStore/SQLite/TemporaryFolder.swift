#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCore

/// A folder of its own under the system's temporary folder; gone, with its files, when the value is.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/tocsin-XXXXXX".utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } != nil }
        guard isMade else { throw SQLiteFailure.system(errno, "no temporary folder can be made", base) }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit { remove() }

    /// Harmless when repeated.
    func remove() {
        for suffix in ["", "-wal", "-shm", ".lock"] { unlink("\(path)/tocsin.db\(suffix)") }
        rmdir(path)
    }

    /// Makes the folders on the way to a file.
    static func makeParents(of file: String) throws {
        var folder = file.hasPrefix("/") ? "" : "."
        for part in file.split(separator: "/").dropLast() {
            folder += "/" + part
            guard mkdir(folder, 0o755) != 0, errno != EEXIST else { continue }
            let reason = errno
            // On a read-only file system a folder that exists is refused with EROFS, not EEXIST.
            var status = stat()
            guard stat(folder, &status) != 0 else { continue }
            throw SQLiteFailure.system(reason, "the folder cannot be made", folder)
        }
    }
}
