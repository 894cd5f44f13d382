internal import TocsinCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Reads small files whole.
enum TextFile {
    /// The bytes of a file, pipe or device; never more than `maximumBytes`.
    /// - Throws: `TocsinError` of code `file`, without a place, where the file cannot be read or is longer.
    static func read(_ path: String, maximumBytes: Int) throws(TocsinError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno) }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe systemRead(descriptor, buffer)
            }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(errno)
            }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > maximumBytes {
                throw TocsinError(
                    .file, "the file is longer than \(Quantity.text(bytes: Int64(maximumBytes)))",
                    remedy: "check the path")
            }
        }
    }

    private static func failure(_ number: Int32) -> TocsinError {
        switch number {
        case ENOENT: TocsinError(.file, "there is no such file", remedy: "check the path, or create the file")
        case EACCES, EPERM:
            TocsinError(.file, "the file may not be read", remedy: "give this user the right to read it")
        case EISDIR: TocsinError(.file, "this is a folder, not a file", remedy: "name the file inside it")
        default: TocsinError(.file, "the file cannot be read: \(unsafe String(cString: strerror(number)))")
        }
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe read(descriptor, buffer.baseAddress, buffer.count)
}
