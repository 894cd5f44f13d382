/// Owner of one open file: closes it at the end of its life, and names it in every failure.
final class OpenFile: Sendable {
    let path: String
    private let files: any FileOperations
    private let descriptor: Int32

    init(_ path: String, _ access: FileAccess, _ files: any FileOperations) throws(FileFailure) {
        self.path = path
        self.files = files
        descriptor = try files.open(path, access)
    }

    deinit { files.close(descriptor) }

    func size() throws(FileFailure) -> Int64 { try named { () throws(FileFailure) in try files.size(descriptor) } }

    func read(at offset: Int64, count: Int) throws(FileFailure) -> [UInt8] {
        try named { () throws(FileFailure) in try files.read(descriptor, at: offset, count: count) }
    }

    /// Writes all of `bytes[range]`, in as many calls as it takes.
    func write(_ bytes: [UInt8], _ range: Range<Int>, at offset: Int64) throws(FileFailure) {
        var done = 0
        while done < range.count {
            let part = bytes.span.extracting(range.lowerBound + done..<range.upperBound)
            do throws(FileFailure) {
                let written = try files.write(descriptor, part, at: offset + Int64(done))
                // POSIX lets a device take nothing without an error; treat it as one, or this loop never ends.
                guard written > 0 else {
                    throw FileFailure(operation: "write", path: path, code: 0, reason: "nothing was written")
                }
                done += written
            } catch {
                throw error.named(path)
            }
        }
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(FileFailure) {
        try write(bytes, 0..<bytes.count, at: offset)
    }

    func truncate(to length: Int64) throws(FileFailure) {
        try named { () throws(FileFailure) in try files.truncate(descriptor, to: length) }
    }

    func sync() throws(FileFailure) { try named { () throws(FileFailure) in try files.sync(descriptor) } }
    func lock() throws(FileFailure) -> Bool { try named { () throws(FileFailure) in try files.lock(descriptor) } }

    private func named<Result>(_ body: () throws(FileFailure) -> Result) throws(FileFailure) -> Result {
        do throws(FileFailure) { return try body() } catch { throw error.named(path) }
    }
}

extension FileFailure {
    fileprivate func named(_ path: String) -> FileFailure {
        var failure = self
        failure.path = path
        return failure
    }
}
