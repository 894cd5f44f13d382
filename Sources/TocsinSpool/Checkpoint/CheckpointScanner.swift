internal import TocsinCore

/// Walks the pieces of a checkpoint file and tests every checksum on the way.
struct CheckpointScanner: Sendable {
    /// Why a checkpoint cannot be used: the second half of a sentence.
    enum Fault: Error {
        case unusable(String)
        case disk(FileFailure)

        var description: String {
            switch self {
            case .unusable(let reason): reason
            case .disk(let failure): "it cannot be read (\(failure))"
            }
        }
    }

    let header: CheckpointHeader
    let size: Int64
    private var window: FileWindow
    private var offset = Int64(CheckpointHeader.size)
    private(set) var seen = CheckpointFooter()

    init(_ file: OpenFile) throws(Fault) {
        window = FileWindow(file)
        do throws(FileFailure) {
            size = try file.size()
            let bytes = try file.read(at: 0, count: CheckpointHeader.size)
            switch CheckpointHeader.decoded(bytes) {
            case .header(let header):
                self.header = header
                seen.sum = CRC32C.of(bytes.span)
                return
            case .format, .damaged: break
            }
        } catch {
            throw .disk(error)
        }
        throw .unusable("its header is damaged, or of a newer program")
    }

    /// The next piece; nil after the last, when the footer agrees with what was seen.
    mutating func next() throws(Fault) -> CheckpointPiece? {
        guard let piece = try step() else { return nil }
        return CheckpointPiece(piece.section, Array(window.bytes[piece.place]))
    }

    /// Reads all of it without keeping anything.
    mutating func validate() throws(Fault) {
        while try step() != nil {}
    }

    private mutating func step() throws(Fault) -> (section: CheckpointSection, place: Range<Int>)? {
        let rest = size - offset
        if rest == Int64(CheckpointFooter.size) {
            let footer = CheckpointFooter(try load(CheckpointFooter.size))
            guard footer == seen else { throw .unusable("its end is damaged") }
            return nil
        }
        guard rest >= Int64(PieceHeader.size + CheckpointFooter.size) else {
            throw .unusable("it is cut off at byte \(size)")
        }
        let raw = try load(PieceHeader.size)
        guard let header = PieceHeader(raw),
            Int64(header.length) <= rest - Int64(PieceHeader.size + CheckpointFooter.size)
        else { throw .unusable("it is damaged or cut off at byte \(offset)") }
        seen.sum = CRC32C.of(raw.span, after: seen.sum)
        let whole = try load(PieceHeader.size + header.length)
        let place = whole.startIndex + PieceHeader.size..<whole.endIndex
        guard CRC32C.of(window.bytes, place) == header.sum else {
            throw .unusable("its content is damaged after byte \(offset)")
        }
        seen.pieces += 1
        seen.bytes += UInt64(header.length)
        offset += Int64(PieceHeader.size + header.length)
        return (header.section, place)
    }

    private mutating func load(_ count: Int) throws(Fault) -> ArraySlice<UInt8> {
        do throws(FileFailure) {
            if let place = try window.load(at: offset, count: count, limit: size) {
                return window.bytes[place..<place + count]
            }
        } catch {
            throw .disk(error)
        }
        throw .unusable("it is cut off at byte \(offset)")
    }
}
