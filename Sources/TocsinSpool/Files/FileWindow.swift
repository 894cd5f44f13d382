/// A part of a file in memory that moves along while the file is read from front to back.
struct FileWindow: Sendable {
    let file: OpenFile
    private(set) var bytes: [UInt8] = []
    private var start: Int64 = 0
    private static let size = 1 << 20

    init(_ file: OpenFile) { self.file = file }

    /// The place in `bytes` of the bytes at `offset`, read anew when they are not all there; nil where the file has
    /// fewer than `count` bytes before `limit`.
    mutating func load(at offset: Int64, count: Int, limit: Int64) throws(FileFailure) -> Int? {
        let place = offset - start
        if place >= 0, place + Int64(count) <= Int64(bytes.count) { return Int(place) }
        guard count >= 0, offset >= 0, offset <= limit, Int64(count) <= limit - offset else { return nil }
        bytes = []
        bytes = try file.read(at: offset, count: Int(min(limit - offset, Int64(max(count, Self.size)))))
        start = offset
        // A file that became shorter under our hands gives fewer bytes than its size promised.
        return bytes.count >= count ? 0 : nil
    }
}
