internal import TocsinCore
internal import TocsinSpool

/// Checkpoints. The first byte chooses: the file as it is; a file built of pieces whose checksums hold, with bytes
/// changed afterwards; the states that stand in the pieces.
enum CheckpointTarget {
    private static let spool: UInt64 = 5
    private static let path = "checkpoints/checkpoint-00000000000000000007.tck"

    static func run(_ input: [UInt8]) {
        var input = Input(input)
        switch input.byte() % 8 {
        case 0: read(header + input.all(), expecting: nil)
        case 1:
            let (bytes, pieces) = built(&input)
            read(bytes, expecting: pieces)
        case 2: StateTarget.bank(&input)
        case 3: StateTarget.windows(&input)
        case 4: StateTarget.clocks(&input)
        case 5: StateTarget.duplicates(&input)
        case 6: StateTarget.learner(&input)
        default: StateTarget.names(&input)
        }
    }

    private static func read(_ file: [UInt8], expecting pieces: [CheckpointPiece]?) {
        let files = MemoryFiles([path: file])
        guard let folder = try? CheckpointFolder.open("checkpoints", files: files),
            let (checkpoint, problems) = wait({ await folder.newestUsable(spool: spool) })
        else { return }
        check(checkpoint != nil || !problems.isEmpty, "what is passed over is named")
        var found: [CheckpointPiece] = []
        if let checkpoint {
            do {
                while let piece = try checkpoint.next() { found.append(piece) }
            } catch {
                fatalError("broken promise: a checked file reads twice: \(error)")
            }
            check(found.count == checkpoint.info.pieces, "pieces are counted")
        }
        if let pieces { check(checkpoint != nil && found == pieces, "the pieces are those written") }
    }

    private static var header: [UInt8] {
        var writer = StateWriter()
        writer.write("TOCSINCK")
        writer.write(UInt32(1))
        writer.write(UInt32(1))
        writer.write(spool)
        writer.write(UInt64(7))
        writer.write(Int64(0))
        writer.write(UInt32(0))
        writer.write(CRC32C.of(writer.bytes.span))
        return writer.bytes
    }

    /// Pieces: kind (255 ends), shard, length, content; then the changes, without which the pieces are returned.
    private static func built(_ input: inout Input) -> ([UInt8], [CheckpointPiece]?) {
        var writer = StateWriter()
        writer.write(raw: header)
        var sum = CRC32C.of(writer.bytes.span)
        var pieces: [CheckpointPiece] = []
        var length: UInt64 = 0
        while !input.isEmpty {
            let kind = input.byte()
            if kind == 255 { break }
            let section = CheckpointSection(SectionKind(kind), shard: UInt16(input.byte()))
            let piece = CheckpointPiece(section, input.bytes(Int(input.byte())))
            var head = StateWriter()
            head.write(UInt32(0x4543_5054))
            head.write(kind)
            head.write(UInt8(0))
            head.write(section.shard)
            head.write(UInt32(piece.bytes.count))
            head.write(CRC32C.of(piece.bytes.span))
            head.write(CRC32C.of(head.bytes.span))
            sum = CRC32C.of(head.bytes.span, after: sum)
            writer.write(raw: head.bytes)
            writer.write(raw: piece.bytes)
            pieces.append(piece)
            length += UInt64(piece.bytes.count)
        }
        var footer = StateWriter()
        footer.write(UInt32(0x444e_4554))
        footer.write(UInt32(0))
        footer.write(UInt64(pieces.count))
        footer.write(length)
        footer.write(sum)
        footer.write(CRC32C.of(footer.bytes.span))
        writer.write(raw: footer.bytes)
        var bytes = writer.bytes
        let isChanged = !input.isEmpty
        while !input.isEmpty {
            let place = input.short()
            if place < bytes.count {
                bytes[place] = input.byte()
            } else {
                bytes.removeLast(min(place % 64, bytes.count))
            }
        }
        return (bytes, isChanged ? nil : pieces)
    }

    static var seeds: [[UInt8]] {
        [[0], [1, 4, 0, 3, 1, 2, 3, 9, 1, 0], [1, 4, 0, 3, 1, 2, 3, 255, 50, 0, 1]] + StateTarget.seeds
    }
}
