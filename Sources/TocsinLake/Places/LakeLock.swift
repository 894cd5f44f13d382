#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Synchronization
public import TocsinCore

/// The promise that one process writes to a lake's folder, or to the state of a lake elsewhere: an advisory lock on a file
/// in it that holds the owner's process id. The kernel drops it when the process ends, however it ends.
public final class LakeLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// Makes the folder where it is missing.
    /// - Throws: `TocsinError` naming the owner's process id when another holds the lock; retriable.
    public init(folder: String) throws(TocsinError) {
        try LocalFiles.makeFolder(folder)
        let path = folder + "/.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw LocalFiles.failure("The lock file cannot be opened", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else {
                let failure = LocalFiles.failure("The lock file cannot be locked", path)
                close(descriptor)
                throw failure
            }
            let owner = Self.owner(descriptor).map { "process \($0)" } ?? "another process"
            close(descriptor)
            throw TocsinError(
                .lake, "The lake is being written by \(owner).", place: folder,
                remedy: "Stop \(owner), or give this one a folder of its own.", isRetriable: true)
        }
        // Only a courtesy to whoever is refused: the lock itself does not depend on it.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 { _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) } }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    public func release() {
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
