#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCore

/// The operating system's files as the lake needs them: forced to disk, and seen whole or not at all. Every call blocks.
enum LocalFiles {
    /// Makes a folder and those above it; one that is there is no error.
    /// - Returns: whether it is new.
    @discardableResult
    static func makeFolder(_ path: String) throws(TocsinError) -> Bool {
        if mkdir(path, 0o750) == 0 {
            try sync(folder: parent(of: path))
            return true
        }
        switch errno {
        case EEXIST: return false
        case ENOENT where parent(of: path) != path:
            try makeFolder(parent(of: path))
            return try makeFolder(path)
        default: throw failure("The folder cannot be made", path)
        }
    }

    /// Forces a file's content to disk.
    static func sync(file path: String) throws(TocsinError) { try sync(path, O_RDONLY) }

    /// Forces the names in a folder to disk: without it a crash may undo a rename.
    static func sync(folder path: String) throws(TocsinError) { try sync(path, O_RDONLY | O_DIRECTORY) }

    private static func sync(_ path: String, _ flags: Int32) throws(TocsinError) {
        let descriptor = open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("It cannot be opened", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("It cannot be forced to disk", path) }
    }

    /// Puts a new file in the place of an earlier one, or none: after a crash it is wholly the one or the other.
    static func replace(_ path: String, with bytes: [UInt8]) throws(TocsinError) {
        let temporary = path + ".new"
        try write(bytes, to: temporary)
        guard rename(temporary, path) == 0 else { throw failure("It cannot be renamed to \(path)", temporary) }
        try sync(folder: parent(of: path))
    }

    /// Writes a file and forces it to disk.
    static func write(_ bytes: [UInt8], to path: String) throws(TocsinError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("The file cannot be made", path) }
        defer { close(descriptor) }
        try write(bytes, 0..<bytes.count, descriptor, path)
        guard fsync(descriptor) == 0 else { throw failure("It cannot be forced to disk", path) }
    }

    private static func write(
        _ bytes: [UInt8], _ range: Range<Int>, _ descriptor: Int32, _ path: String
    ) throws(TocsinError) {
        var done = range.lowerBound
        while done < range.upperBound {
            let count = bytes.withUnsafeBytes {
                systemWrite(descriptor, $0.baseAddress.map { $0 + done }, range.upperBound - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("It cannot be written", path) }
            done += count
        }
    }

    /// Copies a file and forces the copy to disk; what cannot be completed, on a full disk for one, is removed again.
    static func copy(_ path: String, to target: String) throws(TocsinError) {
        do throws(TocsinError) {
            try copyContent(of: path, to: target)
        } catch {
            unlink(target)
            throw error
        }
    }

    private static func copyContent(of path: String, to target: String) throws(TocsinError) {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw failure("The file cannot be opened", path) }
        defer { close(source) }
        let sink = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard sink >= 0 else { throw failure("The file cannot be made", target) }
        defer { close(sink) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead(source, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("The file cannot be read", path) }
            if count == 0 { break }
            try write(buffer, 0..<count, sink, target)
        }
        guard fsync(sink) == 0 else { throw failure("It cannot be forced to disk", target) }
    }

    /// Renames within a file system, copies and deletes between two. The caller forces the folder.
    static func move(_ path: String, to target: String) throws(TocsinError) {
        if rename(path, target) == 0 { return }
        guard errno == EXDEV else { throw failure("It cannot be moved to \(target)", path) }
        let temporary = target + ".new"
        try copy(path, to: temporary)
        guard rename(temporary, target) == 0 else { throw failure("It cannot be renamed to \(target)", temporary) }
        unlink(path)
    }

    /// The whole content; nil where there is no such file.
    static func read(_ path: String) throws(TocsinError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("The file cannot be opened", path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("The file cannot be read", path) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[0..<count])
        }
    }

    /// Removes a file; none is no error.
    static func remove(_ path: String) throws(TocsinError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("The file cannot be deleted", path) }
    }

    /// Removes everything in a folder, and makes it where it is missing.
    static func empty(_ folder: String) throws(TocsinError) {
        try makeFolder(folder)
        for entry in try entries(of: folder) {
            if entry.isFolder {
                try empty(folder + "/" + entry.name)
                rmdir(folder + "/" + entry.name)
            } else {
                try remove(folder + "/" + entry.name)
            }
        }
    }

    /// Removes a folder with everything in it, as far as that is possible.
    static func removeFolder(_ folder: String) {
        guard size(folder) != nil else { return }
        try? empty(folder)
        rmdir(folder)
    }

    struct Entry {
        var name: String
        var isFolder: Bool
        var bytes: Int64
        var changed: Timestamp
    }

    /// What stands in a folder, in no order, without "." and ".."; neither folder nor plain file is left out. Empty where
    /// there is no such folder.
    static func entries(of folder: String) throws(TocsinError) -> [Entry] {
        guard let handle = opendir(folder) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw failure("The folder cannot be read", folder)
        }
        defer { closedir(handle) }
        var found: [Entry] = []
        while true {
            errno = 0
            guard let next = readdir(handle) else {
                guard errno == 0 else { throw failure("The folder cannot be read", folder) }
                return found
            }
            let name = withUnsafePointer(to: &next.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard name != ".", name != "..", lstat(folder + "/" + name, &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFDIR || kind == S_IFREG else { continue }
            found.append(Entry(name, isFolder: kind == S_IFDIR, status))
        }
    }

    /// Length of a file; nil where there is none.
    static func size(_ path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The system's last error in words; a full or failing disk may be better later.
    static func failure(_ what: String, _ path: String) -> TocsinError {
        let code = errno
        let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
        let isFull = code == ENOSPC || code == EDQUOT
        return TocsinError(
            .lake, "\(what): \(isFull ? "the disk is full (\(reason))" : reason).", place: path,
            remedy: isFull
                ? "Free space on that disk; it goes on by itself then."
                : "Check the folder's permissions and its disk.",
            isRetriable: [ENOSPC, EDQUOT, EIO, EAGAIN, EBUSY, EINTR, EMFILE, ENFILE, ENOMEM, ESTALE].contains(code))
    }
}

extension LocalFiles.Entry {
    fileprivate init(_ name: String, isFolder: Bool, _ status: stat) {
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        let seconds = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        self.init(
            name: name, isFolder: isFolder, bytes: Int64(status.st_size),
            changed: Timestamp(nanoseconds: seconds.overflow ? 0 : seconds.partialValue)
                .advanced(by: .nanoseconds(Int64(time.tv_nsec))))
    }
}

// Within a type that has functions of these names the system's own need others.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
