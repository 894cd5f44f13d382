#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Synchronization
internal import TocsinCore

/// The promise that one process writes to a database: an advisory lock on a file beside it, which holds the owner's
/// process id. The kernel drops it when the process ends, however it ends.
final class FolderLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// - Throws: `TocsinError` naming the owner's process id when another process holds it.
    init(database path: String) throws {
        let lockPath = path + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SQLiteFailure.system(errno, "the lock file cannot be opened", lockPath) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            defer { close(descriptor) }
            guard reason == EWOULDBLOCK else {
                throw SQLiteFailure.system(reason, "the lock file cannot be locked", lockPath)
            }
            let owner = Self.owner(descriptor).map { "process \($0)" } ?? "another process"
            throw TocsinError(
                .store, "the database is in use by \(owner)", place: path,
                remedy: "Stop \(owner), or give this one a folder of its own.")
        }
        ftruncate(descriptor, 0)
        let text = "\(getpid())\n"
        // Only a courtesy to whoever is refused: the lock itself does not depend on it.
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    private static func owner(_ descriptor: Int32) -> Int? {
        var text = [UInt8](repeating: 0, count: 20)
        let count = text.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int(String(decoding: text.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
