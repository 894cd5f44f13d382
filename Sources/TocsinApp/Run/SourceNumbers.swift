#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Synchronization
internal import TocsinCore

/// Ids for parts of sources that come and go, such as partitions: the same after a restart, because watermarks are saved
/// under them. A small file of names in the data folder, a line each.
final class SourceNumbers: Sendable {
    private struct State {
        var ids: [String: UInt16]
        var isFull = false
    }

    private let path: String
    private let state: Mutex<State>
    /// Below are the ids of configured sources.
    private static let first: UInt16 = 1001

    /// - Throws: `TocsinError(.file)` when the file is there and cannot be read.
    init(path: String) throws {
        self.path = path
        var ids: [String: UInt16] = [:]
        if let text = try TextLines.read(path) {
            for (number, line) in text.enumerated() where number < Int(UInt16.max - Self.first) {
                // The first one of a name counts, should it stand there twice.
                if ids[line] == nil { ids[line] = Self.first + UInt16(number) }
            }
        }
        state = Mutex(State(ids: ids))
    }

    func id(of name: String) -> SourceID {
        let id = state.withLock { state in
            if let known = state.ids[name] { return known }
            let next = (state.ids.values.max().map { $0 < .max ? $0 + 1 : .max }) ?? Self.first
            state.ids[name] = next
            // Not written it is given anew after a restart: a partition's windows then begin with no watermark.
            TextLines.append(name, to: path)
            return next
        }
        return SourceID(id)
    }
}

/// Lines of a small text file.
private enum TextLines {
    /// nil where there is no file.
    static func read(_ path: String) throws -> [String]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno != ENOENT else { return nil }
            throw TocsinError(
                .file, "cannot be read: \(String(cString: strerror(errno)))", place: path,
                remedy: "give this user the right to read it, or remove it")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = part.withUnsafeMutableBytes({ Glibc.read(file, $0.baseAddress, $0.count) }), count > 0 {
            bytes += part[..<count]
        }
        return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    static func append(_ line: String, to path: String) {
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { return }
        defer { close(file) }
        let text = line + "\n"
        _ = text.withCString { write(file, $0, strlen($0)) }
    }
}
