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
    /// Up to the end of the last sound record; what stands behind it is not of the list.
    private var bytes = 0
    private var tidyBytes = 0
    /// Half a record stands behind the last one, and hides what would come behind it.
    private var isTorn = false
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

    /// The bodies of the records, up to the first that is torn: further ones are written in its place.
    /// - Throws: `TocsinError(.file)`
    func read() throws(TocsinError) -> [ArraySlice<UInt8>] {
        let content = try content()
        var reader = StateReader(content)
        var records: [ArraySlice<UInt8>] = []
        bytes = 0
        if reader.read(UInt64.self) == Self.magic {
            bytes = MemoryLayout<UInt64>.size
            while let count = reader.read(UInt32.self), let check = reader.read(UInt32.self),
                let body = reader.readRaw(count: Int(count)), Self.checksum(body) == check
            {
                records.append(body)
                bytes += Self.frameBytes + body.count
            }
        }
        isTorn = content.count > bytes
        return records
    }

    private func content() throws(TocsinError) -> [UInt8] {
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = part.withUnsafeMutableBytes { target in
                pread(descriptor, target.baseAddress, target.count, off_t(content.count))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw TocsinError(
                    .file, "cannot read the list of idempotency keys: \(String(cString: strerror(errno)))", place: path,
                    remedy: "check the disk; without this file requests that are sent again may be taken twice")
            }
            guard count > 0 else { return content }
            content += part[..<count]
        }
    }

    /// Length and checksum.
    private static let frameBytes = 8

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
        if isTorn, ftruncate(descriptor, off_t(bytes)) != 0 { return false }
        isTorn = false
        let framed = bytes == 0 ? Self.head + framed : framed
        guard Self.put(descriptor, framed), !isForced || fdatasync(descriptor) == 0 else {
            isTorn = ftruncate(descriptor, off_t(bytes)) != 0
            return false
        }
        bytes += framed.count
        return true
    }

    /// What the file begins with.
    private static var head: [UInt8] {
        var writer = StateWriter()
        writer.write(magic)
        return writer.bytes
    }

    /// - Returns: false when the disk takes nothing; the file is as it was, and is not long for a while.
    @discardableResult
    func rewrite(_ records: [[UInt8]]) -> Bool {
        tidyBytes = bytes / 2
        var writer = StateWriter()
        writer.write(raw: Self.head)
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
        isTorn = false
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
