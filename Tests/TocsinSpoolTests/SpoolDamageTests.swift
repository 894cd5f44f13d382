import Foundation
import Testing
import TocsinCore
import TocsinSpool

/// Files as crashes and bad disks leave them: never a trap, never a wrong payload, the rest is used.
@Suite struct SpoolDamageTests {
    let folder = TemporaryFolder()
    let name = "segment-00000000000000000001.spool"

    /// A closed spool of `count` records.
    private func make(_ count: UInt64, bytes: Int = 20, segmentBytes: Int64 = 64 << 20) async throws {
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test(segmentBytes: segmentBytes))
        for number in 1...count { _ = try spool.append(payload(number, count: bytes)) }
        await spool.close()
    }

    /// Opens a copy with other bytes in the segment; what is read must be what was appended.
    private func recover(
        _ bytes: [UInt8], appended: UInt64, size: Int = 20, restarts: Bool = true
    ) async throws -> (recovery: SpoolRecovery, numbers: [UInt64], problems: [String]) {
        let copy = try folder.copy()
        try copy.write(bytes, name)
        let (spool, recovery) = try Spool.open(folder: copy.path, settings: .test())
        let reader = spool.read(from: 1)
        let records = try reader.all()
        for record in records
        where record.sequence > appended || record.payload != payload(record.sequence, count: size) {
            Issue.record("record \(record.sequence) is not what was appended")
        }
        guard restarts else {
            await spool.close()
            return (recovery, records.map(\.sequence), reader.takeProblems())
        }
        let next = try spool.append([1])
        #expect(next > (records.last?.sequence ?? 0))
        await spool.close()
        let (again, second) = try Spool.open(folder: copy.path, settings: .test())
        #expect(try again.read(from: 1).all() == records + [SpoolRecord(sequence: next, payload: [1])], "second start")
        #expect(second.records == records.count + 1)
        await again.close()
        return (recovery, records.map(\.sequence), reader.takeProblems())
    }

    @Test func aTornTailIsCutOffAtEveryByte() async throws {
        try await make(3)
        let whole = try folder.read(name)
        let second = 40 + 2 * 48
        for length in second..<whole.count {
            let (recovery, numbers, _) = try await recover(Array(whole[..<length]), appended: 3)
            // The last 4 bytes are padding: the record is whole without them.
            let isWhole = length >= whole.count - 4
            #expect(numbers == (isWhole ? [1, 2, 3] : [1, 2]), "cut at \(length)")
            #expect(recovery.problems.count == (length == second || isWhole ? 0 : 1), "cut at \(length)")
        }
    }

    @Test func aTailOfZerosIsCutOff() async throws {
        try await make(2)
        let whole = try folder.read(name)
        let (recovery, numbers, _) = try await recover(whole + Array(repeating: 0, count: 5000), appended: 2)
        #expect(numbers == [1, 2] && recovery.problems.count == 1)
    }

    @Test func everySingleFlippedBitLosesAtMostItsRecord() async throws {
        try await make(4)
        let whole = try folder.read(name)
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let (recovery, numbers, _) = try await recover(bytes, appended: 4, restarts: bit % 8 == 0)
            let place = bit / 8 - 40
            if place < 0 {
                #expect(numbers == [1, 2, 3, 4], "bit \(bit)")
                #expect(!recovery.problems.isEmpty, "bit \(bit)")
            } else if place % 48 >= 44 {
                #expect(numbers == [1, 2, 3, 4] && recovery.problems.isEmpty, "bit \(bit) is padding")
            } else {
                let hit = UInt64(place / 48) + 1
                #expect(numbers == [1, 2, 3, 4].filter { $0 != hit }, "bit \(bit)")
                #expect(recovery.problems.count == 1, "bit \(bit)")
            }
        }
    }

    @Test func randomBytesNeverTrap() async throws {
        try await make(4)
        let whole = try folder.read(name)
        var random = Generator(seed: 5)
        for round in 0..<100 {
            var bytes = whole
            for _ in 0...round % 10 {
                let start = Int.random(in: 0..<bytes.count, using: &random)
                let noise = random.bytes(min(Int.random(in: 1...40, using: &random), bytes.count - start))
                bytes.replaceSubrange(start..<start + noise.count, with: noise)
            }
            _ = try await recover(bytes, appended: 4)
        }
    }

    @Test func aRecordHiddenInAPayloadIsNotTakenForOne() async throws {
        // Another spool's record, sound in itself, inside a payload whose own header is damaged.
        let other = TemporaryFolder()
        let (stranger, _) = try Spool.open(folder: other.path, settings: .test())
        try stranger.skip(through: 1)
        _ = try stranger.append(Array("forged".utf8))
        await stranger.close()
        let forged = Array(try other.read(name)[40...])
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test())
        _ = try spool.append(forged)
        _ = try spool.append(payload(2))
        await spool.close()
        var bytes = try folder.read(name)
        bytes[41] ^= 1
        let (_, numbers, _) = try await recover(bytes, appended: 2)
        #expect(numbers == [2])
    }

    @Test func aLostSegmentIsNamedAndTheRestIsUsed() async throws {
        try await make(30, bytes: 100, segmentBytes: 500)
        let names = folder.names(".spool")
        try folder.remove(names[2])
        let (spool, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(recovery.problems.count == 1 && recovery.problems[0].contains("missing"))
        #expect(recovery.records == 27)
        #expect(try spool.read(from: 1).all().count == 27)
        await spool.close()
    }

    @Test func aDamagedSegmentIsKeptAsEvidenceOnceReleased() async throws {
        try await make(60, bytes: 100, segmentBytes: 500)
        for name in folder.names(".spool").prefix(6) {
            var bytes = try folder.read(name)
            bytes[100] ^= 1
            try folder.write(bytes, name)
        }
        let (spool, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(recovery.problems.count == 6 && recovery.records == 54)
        spool.release(through: 59)
        await spool.close()
        #expect(folder.names(".damaged").count == 4)
        let (again, second) = try Spool.open(folder: folder.path, settings: .test())
        #expect(second.problems == [])
        await again.close()
    }

    @Test func damageThatComesWhileRunningIsFoundByTheReader() async throws {
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test())
        for number in 1...3 as ClosedRange<UInt64> { _ = try spool.append(payload(number)) }
        try await spool.flush()
        var bytes = try folder.read(name)
        bytes[40 + 48 + 30] ^= 4
        try folder.write(bytes, name)
        let reader = spool.read(from: 1)
        #expect(try reader.all().map(\.sequence) == [1, 3])
        #expect(reader.takeProblems().count == 1)
        await spool.close()
    }

    @Test func theIdSurvivesTheLossOfItsFile() async throws {
        try await make(3)
        let (first, _) = try Spool.open(folder: folder.path, settings: .test())
        await first.close()
        try folder.write([1, 2, 3], "spool.id")
        let (spool, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(spool.id == first.id && recovery.problems.count == 1 && recovery.records == 3)
        await spool.close()
    }

    /// A crash between write and sync leaves any prefix: what was durable before is there, and numbers go on.
    @Test func aCrashLeavesAPrefix() async throws {
        try await make(20, bytes: 50)
        let whole = try folder.read(name)
        var random = Generator(seed: 9)
        for _ in 0..<40 {
            let length = Int.random(in: 40...whole.count, using: &random)
            let (_, numbers, _) = try await recover(Array(whole[..<length]), appended: 20, size: 50)
            #expect(numbers == Array(1..<UInt64(numbers.count) + 1))
            #expect(numbers.count >= (length - 40) / 80)
        }
    }
}
