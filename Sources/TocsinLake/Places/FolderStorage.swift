#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Synchronization
public import TocsinCore

/// A lake in a folder of this machine. A file appears under its name when all of it is on disk, by a rename.
///
/// ```swift
/// let storage = try FolderStorage("/var/lib/tocsin/lake")
/// try await storage.put(file: "staged.parquet", as: "bronze/events/date=2025-10-01/hour=07/part-1.parquet")
/// ```
/// What is being written stands in `.incoming`; names that begin with a dot are not part of the lake, for any reader.
public final class FolderStorage: ObjectStorage {
    public let location: String
    private let queue = BlockingQueue("tocsin.lake.folder")
    private let incoming: String
    private let number = Atomic<Int>(0)
    private let mark = UInt32.random(in: 0 ... .max)

    /// Makes the folder where it is missing and clears away what a crash left half written; so take the lake's lock
    /// first.
    /// - Parameter isOwner: false leaves alone what another process is writing: for those who come beside it. What has been
    ///   left there for a day, nobody is writing.
    public init(_ folder: String, isOwner: Bool = true) throws(TocsinError) {
        location = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        guard !location.isEmpty else { throw TocsinError(.lake, "The lake's folder has no name.") }
        incoming = location + "/.incoming"
        try LocalFiles.makeFolder(location)
        if isOwner { try LocalFiles.empty(incoming) } else { try Self.tidy(incoming) }
    }

    private static func tidy(_ incoming: String) throws(TocsinError) {
        try LocalFiles.makeFolder(incoming)
        let dayAgo = SystemClock().now().advanced(by: .days(-1))
        for entry in try LocalFiles.entries(of: incoming) where !entry.isFolder && entry.changed < dayAgo {
            try? LocalFiles.remove(incoming + "/" + entry.name)
        }
    }

    public func put(file path: String, as name: String) async throws {
        try await put(as: name) { temporary throws(TocsinError) in try LocalFiles.copy(path, to: temporary) }
    }

    public func put(_ bytes: [UInt8], as name: String) async throws {
        try await put(as: name) { temporary throws(TocsinError) in try LocalFiles.write(bytes, to: temporary) }
    }

    private func put(as name: String, _ write: @escaping @Sendable (String) throws(TocsinError) -> Void) async throws {
        let target = try self.path(of: name)
        let temporary = temporaryPath()
        try await queue.run {
            do {
                try write(temporary)
                try Self.settle(temporary, target)
            } catch {
                unlink(temporary)
                throw error
            }
        }
    }

    /// As `put`, but the file at `path`, which must already be forced to disk, is gone afterwards: a rename where it is
    /// on the lake's own file system, and a copy elsewhere.
    public func move(file path: String, as name: String) async throws {
        let target = try self.path(of: name)
        let temporary = temporaryPath()
        try await queue.run {
            // Straight to its name, so that a failure leaves the file where it was, to be tried again.
            if try Self.settle(path, target) { return }
            try LocalFiles.copy(path, to: temporary)
            try Self.settle(temporary, target)
            unlink(path)
        }
    }

    public func get(_ name: String) async throws -> [UInt8] {
        let path = try path(of: name)
        return try await queue.run {
            guard let bytes = try LocalFiles.read(path) else {
                throw TocsinError(.lake, "There is no such file in the lake.", place: path)
            }
            return bytes
        }
    }

    public func list(prefix: String) async throws -> [StoredObject] {
        // Only the folder that the prefix names is walked.
        let folder = prefix.lastIndex(of: "/").map { String(prefix[..<$0]) } ?? ""
        if !folder.isEmpty { _ = try path(of: folder) }
        return try await queue.run { [location] in
            var found: [StoredObject] = []
            try Self.walk(location, folder, prefix, &found)
            return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        }
    }

    /// Removes the file, and the partition's folders where they are empty then.
    public func delete(_ name: String) async throws {
        let path = try path(of: name)
        try await queue.run { [location] in
            try LocalFiles.remove(path)
            var folder = LocalFiles.parent(of: path)
            while folder.utf8.count > location.utf8.count, rmdir(folder) == 0 { folder = LocalFiles.parent(of: folder) }
            if LocalFiles.size(folder) != nil { try LocalFiles.sync(folder: folder) }
        }
    }

    /// The path of a name; refuses one that is none of the lake's.
    func path(of name: String) throws(TocsinError) -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isSound = parts.allSatisfy {
            !$0.isEmpty && !$0.hasPrefix(".") && $0.utf8.count <= 255 && !$0.utf8.contains(0)
        }
        guard isSound else {
            throw TocsinError(
                .lake, "'\(name.printable)' is no name of a file in the lake.", place: location,
                remedy: "Names are parts with slashes between them; no part is empty or begins with a dot.")
        }
        return location + "/" + name
    }

    private func temporaryPath() -> String {
        // Processes of several machines, or of several containers, may share the folder: their numbers can be the same.
        "\(incoming)/\(mark)-\(getpid())-\(number.wrappingAdd(1, ordering: .relaxed).newValue)"
    }

    /// Gives a complete file its name.
    /// - Returns: false when it is on another file system.
    @discardableResult
    private static func settle(_ temporary: String, _ target: String) throws(TocsinError) -> Bool {
        let folder = LocalFiles.parent(of: target)
        // A folder that was empty may be removed between making it and renaming into it.
        for attempt in 1... {
            try LocalFiles.makeFolder(folder)
            if rename(temporary, target) == 0 { break }
            if errno == EXDEV { return false }
            guard errno == ENOENT, attempt < 5 else {
                throw LocalFiles.failure("The file cannot be given its name", target)
            }
        }
        try LocalFiles.sync(folder: folder)
        return true
    }

    private static func walk(
        _ location: String, _ folder: String, _ prefix: String, _ found: inout [StoredObject]
    ) throws(TocsinError) {
        let path = folder.isEmpty ? location : location + "/" + folder
        for entry in try LocalFiles.entries(of: path) where !entry.name.hasPrefix(".") {
            let name = folder.isEmpty ? entry.name : folder + "/" + entry.name
            if entry.isFolder {
                if name.hasPrefix(prefix) || prefix.hasPrefix(name + "/") { try walk(location, name, prefix, &found) }
            } else if name.hasPrefix(prefix) {
                found.append(StoredObject(name: name, bytes: entry.bytes, changed: entry.changed))
            }
        }
    }
}
