#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// The folder that holds everything of one installation.
public enum DataFolder {
    /// Makes the folder and its parents where they are missing.
    /// - Throws: `TocsinError(.file)` when it cannot be made or not be written to.
    public static func create(at path: String) throws(TocsinError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made == "/" ? String(part) : "/" + part
            guard mkdir(made, 0o750) != 0, errno != EEXIST else { continue }
            throw failure("cannot make the data folder", made, errno)
        }
        guard access(path, W_OK | X_OK) == 0 else { throw failure("cannot write to the data folder", path, errno) }
    }

    /// A new, empty folder for one run.
    /// - Parameter folder: where it is made; nil = the system's folder for temporary files.
    public static func temporary(in folder: String? = nil) throws(TocsinError) -> String {
        let base = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/tocsin-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw failure("cannot make a temporary folder", base, errno) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Deletes a folder made by `temporary` with everything in it.
    public static func removeTemporary(_ path: String) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            if unlink("\(path)/\(name)") != 0 { removeTemporary("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }

    fileprivate static func failure(_ what: String, _ path: String, _ number: Int32) -> TocsinError {
        TocsinError(
            .file, "\(what): \(String(cString: strerror(number)))", place: path,
            remedy: "choose another folder (--data-dir, data.directory) or give this user the right to write there")
    }
}

/// The promise that one `tocsin run` works in a data folder, whatever its store and with or without a spool: an advisory
/// lock on a file in it that holds the owner's process id. The kernel drops it when the process ends, however it ends.
final class DataFolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `TocsinError` naming the owner's process id when another holds the lock.
    init(_ folder: String) throws(TocsinError) {
        let path = folder + "/run.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw DataFolder.failure("cannot open the lock file", path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            defer { close(descriptor) }
            guard reason == EWOULDBLOCK else {
                throw DataFolder.failure("cannot lock the lock file", path, reason)
            }
            let owner = Self.owner(descriptor).map { "process \($0)" } ?? "another process"
            throw TocsinError(
                .file, "\(Self.inUse) by \(owner)", place: folder,
                remedy: "stop \(owner), or give this one a folder of its own (--data-dir, data.directory)")
        }
        // Only a courtesy to whoever is refused: the lock itself does not depend on it.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 { _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) } }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// How its error begins where another process has the folder.
    static let inUse = "the data folder is in use"

    private static func owner(_ descriptor: Int32) -> Int? {
        var text = [UInt8](repeating: 0, count: 20)
        let count = text.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int(String(decoding: text.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}

/// How many processors this process may use.
enum Processors {
    static var count: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
