internal import TocsinCore

/// How far each file has been read, as of the last batch that went through the router.
struct SourcePositions: Sendable {
    private var files: [String: ReadPosition] = [:]
    /// By source: what it read last.
    private var paths: [UInt16: String] = [:]

    mutating func note(_ position: ReadPosition?, of source: SourceID) {
        guard let position else { return }
        files[position.path] = position
        paths[source.index] = position.path
    }

    /// Another process goes on with the source.
    mutating func remove(_ source: SourceID) {
        if let path = paths.removeValue(forKey: source.index) { files[path] = nil }
    }

    func position(of source: SourceID) -> ReadPosition? { paths[source.index].flatMap { files[$0] } }

    var all: [String: ReadPosition] { files }

    func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(files.count))
        for (_, position) in files.sorted(by: { $0.key < $1.key }) { position.save(to: &writer) }
        writer.write(varint: UInt64(paths.count))
        for (source, path) in paths.sorted(by: { $0.key < $1.key }) {
            writer.write(source)
            writer.write(text: path)
        }
    }

    mutating func restore(from reader: inout StateReader) -> Bool {
        guard let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let position = ReadPosition(restoring: &reader) else { return false }
            files[position.path] = position
        }
        // Earlier versions did not know whose a position is.
        guard !reader.isAtEnd else { return true }
        guard let sources = reader.readCount(of: 3) else { return false }
        for _ in 0..<sources {
            guard let source = reader.read(UInt16.self), let path = reader.readText() else { return false }
            paths[source] = path
        }
        return true
    }
}
