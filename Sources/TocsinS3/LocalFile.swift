internal import Crypto
internal import Dispatch
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import NIOCore
internal import TocsinCore

/// A file to be sent, open for reading; its parts are read and hashed away from Swift's own threads.
final class LocalFile: Sendable {
    struct Part: Sendable {
        var bytes: ByteBuffer
        /// SHA-256
        var hash: [UInt8]

        init(bytes: ByteBuffer, hash: [UInt8]) {
            self.bytes = bytes
            self.hash = hash
        }

        init(_ bytes: [UInt8]) {
            self.init(bytes: ByteBuffer(bytes: bytes), hash: Array(SHA256.hash(data: bytes)))
        }
    }

    private struct Stamp: Equatable {
        var bytes: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    private static let queue = DispatchQueue(label: "tocsin.s3.files", attributes: .concurrent)
    let path: String
    private let descriptor: CInt
    private let stamp: Stamp
    var bytes: Int64 { stamp.bytes }

    /// Blocks: use `open(_:)` from tasks.
    private init(_ path: String) throws {
        descriptor = Self.openForReading(path)
        self.path = path
        guard descriptor >= 0, let stamp = Self.stamp(of: descriptor) else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw TocsinError(.file, "it cannot be read: \(reason)", place: path)
        }
        self.stamp = stamp
    }

    deinit { close(descriptor) }

    static func open(_ path: String) async throws -> LocalFile { try await away { try LocalFile(path) } }

    /// - Throws: `TocsinError(.file)` where the file has become shorter.
    func part(at offset: Int64, count: Int) async throws -> Part {
        try await Self.away { try self.read(at: offset, count: count) }
    }

    /// - Throws: `TocsinError(.file)` when the file is no longer as it was at the beginning: what was sent is a mixture.
    func checkUnchanged() throws {
        guard Self.stamp(of: descriptor) == stamp else { throw changed }
    }

    private var changed: TocsinError {
        TocsinError(.file, "the file was changed while it was sent", place: path, isRetriable: true)
    }

    private func read(at offset: Int64, count: Int) throws -> Part {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var hasher = SHA256()
        while buffer.readableBytes < count {
            // In pieces that the processor's cache holds: each is hashed while it is there.
            let wanted = min(256 << 10, count - buffer.readableBytes)
            let place = offset + Int64(buffer.readableBytes)
            var got = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { memory in
                got = pread(descriptor, memory.baseAddress, wanted, off_t(place))
                if got > 0 { hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: memory[..<got])) }
                return max(0, got)
            }
            if got == 0 { throw changed }
            guard got > 0 || errno == EINTR else {
                throw TocsinError(.file, "it cannot be read: \(String(cString: strerror(errno)))", place: path)
            }
        }
        return Part(bytes: buffer, hash: Array(hasher.finalize()))
    }

    private static func openForReading(_ path: String) -> CInt {
        #if canImport(Glibc)
        Glibc.open(path, O_RDONLY | O_CLOEXEC)
        #else
        Darwin.open(path, O_RDONLY | O_CLOEXEC)
        #endif
    }

    private static func stamp(of descriptor: CInt) -> Stamp? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else {
            errno = EISDIR
            return nil
        }
        return Stamp(
            bytes: Int64(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }

    private static func away<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
