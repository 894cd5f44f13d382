internal import TocsinCore

/// How far each file has been read, as of the last batch that went through the router.
struct SourcePositions: Sendable {
    private var files: [String: ReadPosition] = [:]

    mutating func note(_ position: ReadPosition) { files[position.path] = position }

    var all: [String: ReadPosition] { files }

    func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(files.count))
        for (_, position) in files.sorted(by: { $0.key < $1.key }) { position.save(to: &writer) }
    }

    mutating func restore(from reader: inout StateReader) -> Bool {
        guard let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let position = ReadPosition(restoring: &reader) else { return false }
            files[position.path] = position
        }
        return true
    }
}
