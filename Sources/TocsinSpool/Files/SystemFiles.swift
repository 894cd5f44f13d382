#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The operating system's files. Every call blocks.
public struct SystemFiles: FileOperations {
    public init() {}

    /// A failure with the system's words for its code: `SystemFiles.failure("write", path, ENOSPC)`.
    public static func failure(_ operation: String, _ path: String, _ code: Int32) -> FileFailure {
        let said = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        let reason = code == ENOSPC ? "the disk is full (\(said))" : said
        return FileFailure(operation: operation, path: path, code: code, reason: reason)
    }

    public func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> Int32 {
        let flags: Int32 =
            switch access {
            case .reading: O_RDONLY
            case .writing: O_RDWR
            case .creating: O_RDWR | O_CREAT
            case .replacing: O_RDWR | O_CREAT | O_TRUNC
            }
        let descriptor = Self.repeated { globalOpen(path, flags | O_CLOEXEC, 0o640) }
        guard descriptor >= 0 else { throw Self.failure("open", path, errno) }
        return descriptor
    }

    public func close(_ descriptor: Int32) { _ = globalClose(descriptor) }

    public func size(_ descriptor: Int32) throws(FileFailure) -> Int64 {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Self.failure("stat", "", errno) }
        return Int64(status.st_size)
    }

    public func read(_ descriptor: Int32, at offset: Int64, count: Int) throws(FileFailure) -> [UInt8] {
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let part = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let done = unsafe pread(descriptor, part.baseAddress, part.count, off_t(offset) + off_t(filled))
                if done < 0, errno == EINTR { continue }
                if done < 0 { code = errno }
                if done <= 0 { break }
                filled += done
            }
        }
        guard code == 0 else { throw Self.failure("read", "", code) }
        return bytes
    }

    public func write(_ descriptor: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(FileFailure) -> Int {
        let written = unsafe bytes.withUnsafeBytes { source in
            Self.repeated { unsafe pwrite(descriptor, source.baseAddress, source.count, off_t(offset)) }
        }
        guard written >= 0 else { throw Self.failure("write", "", errno) }
        return written
    }

    public func truncate(_ descriptor: Int32, to length: Int64) throws(FileFailure) {
        guard Self.repeated({ ftruncate(descriptor, off_t(length)) }) == 0 else {
            throw Self.failure("truncate", "", errno)
        }
    }

    public func sync(_ descriptor: Int32) throws(FileFailure) {
        #if canImport(Darwin)
        let result = fcntl(descriptor, F_FULLFSYNC)
        #else
        let result = Self.repeated { fdatasync(descriptor) }
        #endif
        guard result >= 0 else { throw Self.failure("sync", "", errno) }
        #if canImport(Glibc)
        // Seldom read again. Its pages take the next group, instead of pushing others out of the cache: fresh pages cost
        // a virtual machine up to ten times the writing.
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        #endif
    }

    public func lock(_ descriptor: Int32) throws(FileFailure) -> Bool {
        if Self.repeated({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw Self.failure("lock", "", errno) }
        return false
    }

    public func rename(_ path: String, to target: String) throws(FileFailure) {
        guard globalRename(path, target) == 0 else { throw Self.failure("rename", path, errno) }
    }

    public func remove(_ path: String) throws(FileFailure) {
        guard unsafe unlink(path) == 0 else { throw Self.failure("remove", path, errno) }
    }

    public func createFolder(_ path: String) throws(FileFailure) {
        if unsafe mkdir(path, 0o750) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Self.failure("make folder", path, errno)
        }
        try createFolder(String(path[..<slash]))
        guard unsafe mkdir(path, 0o750) == 0 || errno == EEXIST else { throw Self.failure("make folder", path, errno) }
    }

    public func syncFolder(_ path: String) throws(FileFailure) {
        let descriptor = try open(path, .reading)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.failure("sync folder", path, errno) }
    }

    public func names(in folder: String) throws(FileFailure) -> [String] {
        guard let entries = unsafe opendir(folder) else { throw Self.failure("list", folder, errno) }
        defer { unsafe closedir(entries) }
        var names: [String] = []
        while let entry = unsafe readdir(entries) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// A call that a signal interrupted is made again.
    private static func repeated<Number: SignedInteger>(_ call: () -> Number) -> Number {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}

// Inside the type the methods of the same name hide the system's functions.
private func globalOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }
private func globalClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func globalRename(_ path: String, _ target: String) -> Int32 { unsafe rename(path, target) }
