#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// Turns what a person names (files, folders, `-`) into the files to read, folders in the order of their names.
public enum FolderListing {
    /// What a folder's file must end with to be taken for input.
    public static let endings = [".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt"]

    /// - Parameter mayBeEmpty: a folder without input is no error: its files come later.
    /// - Throws: `TocsinError(.file)` when a path does not exist or may not be read, or a folder holds no input.
    public static func files(at path: String, mayBeEmpty: Bool = false) throws(TocsinError) -> [String] {
        guard path != "-" else { return [path] }
        guard let status = FileStatus(path: path) else {
            throw TocsinError(
                .file, "no such file or folder: \(String(cString: strerror(errno)))", place: path,
                remedy: "check the path; it is relative to the folder in which tocsin was started")
        }
        guard status.isFolder else { return [path] }
        let files = try list(path)
        guard mayBeEmpty || !files.isEmpty else {
            throw TocsinError(
                .file, "the folder holds no input file", place: path,
                remedy: "files must end in \(endings.joined(separator: ", ")), or one of these and .gz")
        }
        return files
    }

    /// The regular files of a folder that are there at the moment, with their state.
    static func present(in folder: String) throws(TocsinError) -> [(path: String, status: FileStatus)] {
        try list(folder).compactMap { path in
            FileStatus(path: path).flatMap { $0.isRegular ? (path, $0) : nil }
        }
    }

    private static func list(_ path: String) throws(TocsinError) -> [String] {
        guard let folder = opendir(path) else {
            throw TocsinError(
                .file, "cannot list the folder: \(String(cString: strerror(errno)))", place: path,
                remedy: "give this user the right to read it")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
            if !name.hasPrefix("."), endings.contains(where: plain.lowercased().hasSuffix) { names.append(name) }
        }
        return names.sorted().map { path.hasSuffix("/") ? path + $0 : path + "/" + $0 }
    }

    /// Size in bytes; 0 where it cannot be told.
    public static func size(of path: String) -> Int64 {
        FileStatus(path: path)?.size ?? 0
    }

    /// The file's name without folder and endings: the default sensor of files that name none.
    public static func stem(of path: String) -> String {
        let name = path == "-" ? "stdin" : path.split(separator: "/").last.map(String.init) ?? path
        var stem = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
        if let dot = stem.lastIndex(of: "."), dot > stem.startIndex { stem = String(stem[..<dot]) }
        return stem
    }
}
