#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCompression
internal import TocsinCore

/// What a look at a file has brought.
enum FileChunk: Sendable {
    case bytes([UInt8])
    /// A pipe or terminal that is silent at the moment.
    case pause
    /// The present end: a file may have grown when it is asked again.
    case end
}

/// An open file, pipe or terminal, unpacked on the way when it is gzip (by its first bytes, not its name).
///
/// Not thread-safe: one reader.
final class GzipFile {
    private enum Form {
        /// Fewer than two bytes have come.
        case unknown
        case plain
        case gzip(Inflater)
    }

    private let descriptor: Int32
    private var form = Form.unknown
    private var head: [UInt8] = []
    /// A terminal tells of its end only once, so it is kept until it is handed on.
    private var hasMetEnd = false
    private var damage: String?
    let path: String
    let status: FileStatus
    /// Bytes taken from the file, as it is stored.
    private(set) var position: Int64

    private static let packedBytes = 256 << 10
    private static let pauseMilliseconds: Int32 = 200
    /// A pipe's small writes are gathered for so long.
    private static let gatherNanoseconds: Int64 = 10_000_000

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - position: where to go on; 0 for pipes.
    init(path: String, position: Int64 = 0) throws(TocsinError) {
        self.path = path
        self.position = position
        // A named pipe that nobody writes to yet must not hold up its opening.
        descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure("cannot open the file", path, errno) }
        guard let status = FileStatus(descriptor: descriptor) else {
            let number = errno
            close(descriptor)
            throw Self.failure("cannot read the file", path, number)
        }
        self.status = status
        // From here on all fields are set, and `deinit` closes.
        if status.isFolder { throw TocsinError(.file, "this is a folder, not a file", place: path) }
        if position > 0, lseek(descriptor, off_t(position), SEEK_SET) < 0 {
            throw Self.failure("cannot read the file", path, errno)
        }
    }

    deinit { close(descriptor) }

    /// The next bytes, at most `limit`. Waits for a pipe, but not longer than a fraction of a second.
    /// - Throws: `TocsinError(.format)` for a damaged gzip file; what came before was delivered.
    func next(limit: Int) throws(TocsinError) -> FileChunk {
        while case .unknown = form {
            guard case .bytes(let bytes) = try read(limit: limit) else { return hasMetEnd ? end() : .pause }
            head += bytes
            if head.first != 0x1f || (head.count > 1 && head[1] != 0x8b) {
                form = .plain
            } else if head.count > 1 {
                guard let inflater = Inflater() else {
                    throw TocsinError(.file, "not enough memory to read the file", place: path)
                }
                inflater.feed(head)
                form = .gzip(inflater)
                head = []
            }
        }
        guard case .gzip(let inflater) = form else {
            if !head.isEmpty {
                defer { head = [] }
                return .bytes(head)
            }
            let chunk = try read(limit: limit)
            if case .end = chunk { return end() }
            return chunk
        }
        return try unpack(inflater, limit)
    }

    /// - Throws: `TocsinError(.format)` where the end came in the midst of a gzip file.
    func checkComplete() throws(TocsinError) {
        switch form {
        case .gzip(let inflater) where !inflater.isComplete: throw damaged("unexpected end of file")
        case .unknown where !head.isEmpty: throw damaged("unexpected end of file")
        default: break
        }
    }

    /// True while nothing but plain bytes was met.
    var isPlain: Bool {
        if case .gzip = form { return false }
        return true
    }

    private func unpack(_ inflater: Inflater, _ limit: Int) throws(TocsinError) -> FileChunk {
        while damage == nil {
            if inflater.needsInput {
                let chunk = try read(limit: Self.packedBytes)
                switch chunk {
                case .bytes(let bytes): inflater.feed(bytes)
                case .pause: return .pause
                case .end: return end()
                }
            }
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                let output = UnsafeMutableBufferPointer(rebasing: buffer.prefix(limit))
                count = inflater.unpack(into: output, damage: &damage)
            }
            if !bytes.isEmpty { return .bytes(bytes) }
        }
        throw damaged(damage ?? "")
    }

    /// The end is told once; then the file is looked at again.
    private func end() -> FileChunk {
        hasMetEnd = false
        return .end
    }

    /// Bytes as they are stored.
    private func read(limit: Int) throws(TocsinError) -> FileChunk {
        if hasMetEnd { return .end }
        if !status.isRegular, !isReadable(within: Self.pauseMilliseconds) { return .pause }
        // A file's last chunk should not hold on to a whole limit's memory.
        let rest = status.isRegular ? (FileStatus(descriptor: descriptor)?.size ?? 0) - position : Int64(limit)
        let capacity = min(limit, max(4 << 10, Int(clamping: rest)))
        var failureNumber: Int32 = 0
        var isEnd = false
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var deadline: Int64?
            while count < capacity {
                let part = systemRead(descriptor, UnsafeMutableBufferPointer(rebasing: buffer[count..<capacity]))
                if part < 0 { failureNumber = errno }
                isEnd = part == 0
                guard part > 0 else { break }
                count += part
                if status.isRegular { continue }
                let now = Self.nanoseconds()
                let last = deadline ?? now + Self.gatherNanoseconds
                deadline = last
                guard now < last, isReadable(within: Int32(clamping: (last - now) / 1_000_000)) else { break }
            }
        }
        position += Int64(bytes.count)
        hasMetEnd = isEnd
        if !bytes.isEmpty { return .bytes(bytes) }
        switch failureNumber {
        case 0: return .end
        case EINTR, EAGAIN: return .pause
        default: throw Self.failure("cannot read the file", path, failureNumber)
        }
    }

    /// True as well at the end, and after a failure: the reading tells.
    private func isReadable(within milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, milliseconds) > 0
    }

    private static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func damaged(_ message: String) -> TocsinError {
        TocsinError(
            .format, "the gzip file is damaged or cut off: \(message)", place: path,
            remedy: "copy or pack it again; everything before the damage was read")
    }

    private static func failure(_ what: String, _ path: String, _ number: Int32) -> TocsinError {
        let remedy: String? =
            switch number {
            case ENOENT: "check the path; it is relative to the folder in which tocsin was started"
            case EACCES: "give this user the right to read it"
            default: nil
            }
        return TocsinError(.file, "\(what): \(String(cString: strerror(number)))", place: path, remedy: remedy)
    }
}

/// `read(2)`, which a method of the same name would hide.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
