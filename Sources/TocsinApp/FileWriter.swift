#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCore

/// A file that is written from its beginning, closed when the last user lets go.
final class FileWriter: Sendable {
    static let standardOutput = FileWriter(descriptor: STDOUT_FILENO, path: "standard output")

    private let descriptor: Int32
    private let path: String

    /// Makes the file or empties it.
    init(path: String) throws(TocsinError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot write the file", path, errno) }
    }

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
        // A reader that goes away is an answer of write(), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
    }

    deinit { close(descriptor) }

    /// False when the reader of a pipe has gone.
    @discardableResult
    func write(_ bytes: [UInt8]) throws(TocsinError) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                #if canImport(Glibc)
                return Glibc.write(descriptor, rest.baseAddress, rest.count)
                #else
                return Darwin.write(descriptor, rest.baseAddress, rest.count)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { return false }
                throw Self.failure("cannot write", path, errno)
            }
            offset += count
        }
        return true
    }

    private static func failure(_ what: String, _ path: String, _ number: Int32) -> TocsinError {
        TocsinError(
            .file, "\(what): \(String(cString: strerror(number)))", place: path,
            remedy: "check the folder, its rights and the free space")
    }
}
