#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCore

/// An append-only list of records, each with its length and checksum; what follows a torn one is left out. Written anew,
/// and then renamed into its place, when it is long.
final class RecordFile {
    private let path: String
    private var descriptor: Int32
    private var bytes = 0
    private var tidyBytes = 0
    private static let magic: UInt64 = 0x3150_4d45_4449_4f54
    private static let growth = 1 << 20

    /// - Throws: `TocsinError(.file)`
    init(_ path: String) throws(TocsinError) {
        self.path = path
        descriptor = Self.openFile(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND)
        guard descriptor >= 0 else {
            throw TocsinError(
                .file, "cannot open the list of idempotency keys: \(String(cString: strerror(errno)))", place: path,
                remedy: "give this user the right to write there")
        }
    }

    deinit { close(descriptor) }

    /// Whether it is time to write it anew.
    var isLong: Bool { bytes > tidyBytes * 2 + Self.growth }

    /// The bodies of the records, up to the first that is torn.
    func read() -> [ArraySlice<UInt8>] {
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = part.withUnsafeMutableBytes { target in
                pread(descriptor, target.baseAddress, target.count, off_t(content.count))
            }
            guard count > 0 else { break }
            content += part[..<count]
        }
        var reader = StateReader(content)
        guard reader.read(UInt64.self) == Self.magic else { return [] }
        var records: [ArraySlice<UInt8>] = []
        while let count = reader.read(UInt32.self), let check = reader.read(UInt32.self),
            let body = reader.readRaw(count: Int(count)), Self.checksum(body) == check
        {
            records.append(body)
        }
        return records
    }

    static func framed(_ record: [UInt8]) -> [UInt8] {
        var writer = StateWriter()
        writer.write(UInt32(truncatingIfNeeded: record.count))
        writer.write(checksum(record[...]))
        writer.write(raw: record)
        return writer.bytes
    }

    private static func checksum(_ record: ArraySlice<UInt8>) -> UInt32 {
        var hash = StableHash()
        hash.combine(record)
        return UInt32(truncatingIfNeeded: hash.value)
    }

    /// - Parameter isForced: to the disk.
    /// - Returns: false when the disk takes nothing; the file is as it was.
    func append(_ framed: [UInt8], isForced: Bool) -> Bool {
        guard Self.put(descriptor, framed), !isForced || fdatasync(descriptor) == 0 else {
            // Half a record would hide what comes behind it.
            _ = ftruncate(descriptor, off_t(bytes))
            return false
        }
        bytes += framed.count
        return true
    }

    /// - Returns: false when the disk takes nothing; the file is as it was.
    @discardableResult
    func rewrite(_ records: [[UInt8]]) -> Bool {
        var writer = StateWriter()
        writer.write(Self.magic)
        for record in records { writer.write(raw: Self.framed(record)) }
        let next = path + ".new"
        _ = unlink(next)
        let opened = Self.openFile(next, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC)
        guard opened >= 0 else { return false }
        guard Self.put(opened, writer.bytes), fsync(opened) == 0, rename(next, path) == 0 else {
            close(opened)
            _ = unlink(next)
            return false
        }
        close(descriptor)
        descriptor = opened
        bytes = writer.bytes.count
        tidyBytes = bytes
        return true
    }

    private static func put(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { source in
            var written = 0
            while written < source.count {
                let count = write(descriptor, source.baseAddress.map { $0 + written }, source.count - written)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                written += count
            }
            return true
        }
    }

    private static func openFile(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o600) }
}
