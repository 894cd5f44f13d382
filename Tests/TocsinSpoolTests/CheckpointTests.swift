import Foundation
import Testing
import TocsinCore
import TocsinSpool

@Suite struct CheckpointTests {
    let folder = TemporaryFolder()
    let time = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    private func open(
        _ change: (inout CheckpointSettings) -> Void = { _ in }, files: any FileOperations = SystemFiles()
    ) throws -> CheckpointFolder {
        var settings = CheckpointSettings()
        settings.isDurable = false
        change(&settings)
        return try CheckpointFolder.open(folder.path, settings: settings, files: files)
    }

    private func pieces(_ sequence: UInt64) -> [CheckpointPiece] {
        (0..<5 as Range<UInt64>).map { index in
            CheckpointPiece(
                CheckpointSection(SectionKind(UInt8(index % 2)), shard: UInt16(index)),
                payload(sequence * 10 + index, count: Int(index) * 7))
        }
    }

    @discardableResult
    private func write(_ sequence: UInt64, spool: UInt64 = 5, _ checkpoints: CheckpointFolder) async throws
        -> CheckpointInfo
    {
        let writer = try await checkpoints.begin(sequence: sequence, spool: spool, createdAt: time)
        for piece in pieces(sequence) { try await writer.append(piece.section, piece.bytes) }
        return try await writer.finish()
    }

    private func all(_ checkpoint: Checkpoint?) async throws -> [CheckpointPiece] {
        var all: [CheckpointPiece] = []
        while let next = try await checkpoint?.nextPieces(limit: 10), !next.isEmpty { all += next }
        return all
    }

    @Test func theNewestComesBackAsItWasWritten() async throws {
        let checkpoints = try open { $0.isDurable = true }
        #expect(await checkpoints.newestUsable(spool: 5).checkpoint == nil)
        try await write(3, checkpoints)
        let info = try await write(12, checkpoints)
        let (checkpoint, problems) = await checkpoints.newestUsable(spool: 5)
        #expect(problems == [] && checkpoint?.info == info)
        #expect(info.sequence == 12 && info.createdAt == time && info.pieces == 5)
        #expect(info.bytes == Int64(try folder.read("checkpoint-00000000000000000012.tck").count))
        #expect(try await all(checkpoint) == pieces(12))
        #expect(try checkpoint?.next() == nil)
    }

    @Test func largePiecesAreStreamed() async throws {
        let checkpoints = try open()
        let large = payload(1, count: 3 << 20)
        let section = CheckpointSection(SectionKind(9))
        let writer = try await checkpoints.begin(sequence: 1, spool: 5, createdAt: time)
        for _ in 0..<4 { try await writer.append(section, large) }
        try await writer.append(section, [])
        try await writer.finish()
        let (checkpoint, _) = await checkpoints.newestUsable(spool: 5)
        for _ in 0..<4 { #expect(try await checkpoint?.nextPieces(limit: 1) == [CheckpointPiece(section, large)]) }
        #expect(try await checkpoint?.nextPieces(limit: 1) == [CheckpointPiece(section, [])])
        #expect(try await checkpoint?.nextPieces(limit: 1) == [])
    }

    @Test func everyFlippedBitAndEveryCutFallsBackToTheOlder() async throws {
        let checkpoints = try open()
        try await write(1, checkpoints)
        try await write(2, checkpoints)
        let name = "checkpoint-00000000000000000002.tck"
        let whole = try folder.read(name)
        var damaged: [[UInt8]] = (0..<whole.count).map { Array(whole[..<$0]) } + [whole + [0], whole + whole]
        for bit in 0..<whole.count * 8 {
            damaged.append(whole)
            damaged[damaged.count - 1][bit / 8] ^= 1 << UInt8(bit % 8)
        }
        for bytes in damaged {
            try folder.write(bytes, name)
            let (checkpoint, problems) = await checkpoints.newestUsable(spool: 5)
            #expect(checkpoint?.info.sequence == 1)
            #expect(problems.count == 1 && problems[0].contains(name))
        }
        #expect(try await all(await checkpoints.newestUsable(spool: 5).checkpoint) == pieces(1))
    }

    @Test func randomBytesNeverTrap() async throws {
        let checkpoints = try open()
        try await write(1, checkpoints)
        let name = "checkpoint-00000000000000000001.tck"
        let whole = try folder.read(name)
        var random = Generator(seed: 8)
        for round in 0..<200 {
            let noise = random.bytes(Int.random(in: 0...300, using: &random))
            try folder.write(round % 2 == 0 ? noise : Array(whole.prefix(48)) + noise, name)
            #expect(await checkpoints.newestUsable(spool: 5).checkpoint == nil)
        }
    }

    @Test func thatOfAnotherSpoolIsNotUsed() async throws {
        let checkpoints = try open()
        try await write(1, checkpoints)
        try await write(9, spool: 6, checkpoints)
        let (checkpoint, problems) = await checkpoints.newestUsable(spool: 5)
        #expect(checkpoint?.info.sequence == 1)
        #expect(problems.count == 1 && problems[0].contains("another spool"))
    }

    @Test func anUnfinishedOneIsInvisibleAndRemoved() async throws {
        let checkpoints = try open()
        let writer = try await checkpoints.begin(sequence: 4, spool: 5, createdAt: time)
        try await writer.append(CheckpointSection(SectionKind(1)), [1, 2, 3])
        #expect(await checkpoints.newestUsable(spool: 5).checkpoint == nil)
        #expect(folder.names(".tmp").count == 1)
        _ = try open()
        #expect(folder.names() == [])

        let second = try await checkpoints.begin(sequence: 5, spool: 5, createdAt: time)
        await second.cancel()
        #expect(folder.names() == [])
        await #expect(throws: TocsinError.self) { try await second.finish() }
    }

    @Test func aFullDiskLeavesTheOlderOne() async throws {
        let files = FaultyFiles()
        let checkpoints = try open(files: files)
        try await write(1, checkpoints)
        files.play { $0.space = 200 }
        let failure = await #expect(throws: TocsinError.self) { try await write(2, checkpoints) }
        #expect(failure?.isRetriable == true)
        #expect(folder.names() == ["checkpoint-00000000000000000001.tck"])
        files.play { $0.space = nil }
        try await write(2, checkpoints)
        #expect(await checkpoints.newestUsable(spool: 5).checkpoint?.info.sequence == 2)
    }

    @Test func prunesByNumberAndLength() async throws {
        let checkpoints = try open { $0.keptOlder = 2 }
        for sequence in 1...6 as ClosedRange<UInt64> { try await write(sequence, checkpoints) }
        #expect(try await checkpoints.prune() == 3)
        #expect(folder.names().count == 3)
        let tight = try open { $0.maximumBytes = 1 }
        #expect(try await tight.prune() == 2)
        #expect(folder.names() == ["checkpoint-00000000000000000006.tck"])
        #expect(try await tight.sequences() == [6])
    }

    /// Version 2 of a content keeps a counter in 8 bytes where version 1 had 4, and has dropped section 7.
    private var widened: CheckpointConverter {
        CheckpointConverter(from: 1) { piece throws(TocsinError) in
            switch piece.section.kind {
            case SectionKind(7): return []
            case SectionKind(3):
                var reader = StateReader(piece.bytes)
                guard let count = reader.read(UInt32.self), reader.isAtEnd else {
                    throw TocsinError(.checkpoint, "The counter section is not 4 bytes long.")
                }
                var writer = StateWriter()
                writer.write(UInt64(count))
                return [CheckpointPiece(piece.section, writer.bytes)]
            default: return [piece]
            }
        }
    }

    @Test func anOlderVersionIsConverted() async throws {
        let counter = CheckpointSection(SectionKind(3), shard: 1)
        let writer = try await open { $0.version = 1 }.begin(sequence: 1, spool: 5, createdAt: time)
        try await writer.append(CheckpointSection(SectionKind(7)), [9])
        try await writer.append(counter, [1, 2, 0, 0])
        try await writer.append(CheckpointSection(SectionKind(1)), [4])
        try await writer.finish()

        let current = try open {
            $0.version = 2
            $0.converters = [widened]
        }
        let (checkpoint, problems) = await current.newestUsable(spool: 5)
        #expect(problems == [] && checkpoint?.info.version == 1)
        #expect(
            try await all(checkpoint) == [
                CheckpointPiece(counter, [1, 2, 0, 0, 0, 0, 0, 0]),
                CheckpointPiece(CheckpointSection(SectionKind(1)), [4]),
            ])
        let gap = await
            (try open {
                $0.version = 3; $0.converters = [widened]
            }).newestUsable(spool: 5)
        #expect(gap.checkpoint == nil && gap.problems.count == 1)
        try await write(2, current)
        let old = await (try open { $0.version = 1 }).newestUsable(spool: 5)
        #expect(old.checkpoint?.info.sequence == 1 && old.problems.count == 1, "a newer program's is passed over")
    }
}
