internal import CZlib
internal import Glibc
internal import TocsinCore

/// Whole files and folders, read at once: recordings for measuring are small.
enum TextFile {
    /// The bytes of a file, unpacked when it is gzip.
    ///
    /// - Throws: `TocsinError(.file)` when it cannot be read, `.format` when it is damaged gzip.
    static func bytes(_ path: String) throws -> [UInt8] {
        // Reads plain files as they are.
        guard let file = unsafe gzopen(path, "rb") else {
            throw TocsinError(
                .file, "cannot open the file: \(unsafe String(cString: strerror(errno)))", place: path,
                remedy: "check that the data folder is complete and may be read")
        }
        defer { unsafe gzclose(file) }
        unsafe gzbuffer(file, 1 << 18)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { memory in
                unsafe gzread(file, memory.baseAddress, UInt32(memory.count))
            }
            guard count >= 0 else {
                throw TocsinError(.format, "the file is damaged gzip", place: path, remedy: "fetch it again")
            }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk.prefix(Int(count)))
        }
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }

    /// The path itself or, where only that exists, the same with `.gz`.
    static func plainOrPacked(_ path: String) -> String {
        !exists(path) && exists(path + ".gz") ? path + ".gz" : path
    }

    /// The names in a folder in order, hidden ones left out; empty when it cannot be listed.
    static func names(in folder: String) -> [String] {
        guard let handle = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
