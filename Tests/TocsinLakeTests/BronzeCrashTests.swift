import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinLake
import TocsinSpool

/// What a process that was killed while a roll was being made leaves, and what the next one makes of it.
@Suite(.enabled(if: TestDuckDB.isThere, "\(TestDuckDB.comment)"))
struct BronzeCrashTests {
    var world: BronzeWorld

    init() throws {
        world = try BronzeWorld()
        world.settings.threads = 2
    }

    /// One message each in `hours` hours.
    private func appendHours(_ hours: Int, from first: Int) throws {
        try world.append(
            (0..<hours).map { hour in
                ("s\(hour % 3)", Timestamp(seconds: 1_700_000_000 + Double(hour) * 3600), Double(first + hour))
            })
    }

    private func values() throws -> [[DuckDBValue]] {
        try world.query("SELECT count(*)::BIGINT, count(DISTINCT readings['level'])::BIGINT FROM BRONZE")
    }

    static let steps: [LakeRollStep] = [
        .intended, .staged(0), .staged(1), .staged(57), .staged(119), .placed(0), .placed(1), .placed(60), .placed(118),
        .placed(119), .positioned, .finished,
    ]

    @Test(arguments: steps)
    mutating func aRollOfManyHoursIsMadeAgainWhole(step: LakeRollStep) async throws {
        try appendHours(120, from: 0)
        try appendHours(120, from: 1000)
        let isKilled = try await world.crash(at: step)
        #expect(isKilled)
        try await world.restart()
        // Killed again while the same roll is made again, and more has come in.
        try appendHours(120, from: 2000)
        let again = try await world.crash(at: .placed(30))
        #expect(again)
        try await world.restart()
        try appendHours(120, from: 3000)
        let figures = try await world.write(lastFound: 3)
        #expect(try values() == [[.integer(480), .integer(480)]])
        #expect(figures.position == 4 && figures.skippedRecords == 0)
        #expect(world.notes.value.withLock { $0 } == [])
    }

    @Test mutating func aBegunRollWaitsForItsLastRecord() async throws {
        // So large that it is read in several steps: none of them may end it.
        for record in 0..<3 {
            try world.append(
                (0..<20_000).map {
                    ("s", Timestamp(seconds: 1_700_000_000 + Double($0)), Double(record * 20_000 + $0))
                })
        }
        world.settings.keepsPayload = false
        let isKilled = try await world.crash(at: .intended)
        #expect(isKilled)
        try await world.restart()
        let writer = try await world.writer(lastFound: 3)
        var steps: [LakeWriter.Step] = []
        while steps.last != .rolled, steps.count < 20 { steps.append(try await writer.step(world.table)) }
        #expect(writer.figures.position == 3 && writer.figures.events == 60_000 && writer.figures.rolls == 1)
    }

    /// Leaves the spool its first `count` records only, as a disk does that lied about its cache.
    private mutating func forget(after count: Int, _ rows: (Int) -> [(sensor: String, time: Timestamp, value: Double)])
        async throws
    {
        await world.spool.close()
        let segments = try FileManager.default.contentsOfDirectory(atPath: world.folder.file("spool")).filter {
            $0.hasSuffix(".spool")
        }
        let path = world.folder.file("spool/" + (try #require(segments.sorted().last)))
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        // Cut in the middle of the first record that is to go: its payload holds its first row's text.
        let text = Array("\(rows(count)[0].sensor) \(Int(rows(count)[0].time.seconds)) \(rows(count)[0].value)".utf8)
        let place = try #require(bytes.firstRange(of: text))
        bytes.removeSubrange(place.lowerBound...)
        try Data(bytes).write(to: URL(filePath: path))
        try await world.restart()
        // The next process knows the names of what is left.
        world.table = SeriesTable(seed: 1)
        for record in 0..<count { _ = BronzeWorld.batch(rows(record), world.table, received: world.clock.now()) }
    }

    @Test mutating func numbersOfABegunRollAreNotGivenAgain() async throws {
        func rows(_ record: Int) -> [(sensor: String, time: Timestamp, value: Double)] {
            (0..<10).map { ("r\(record)", Timestamp(seconds: 1_700_000_000 + Double($0)), Double(record * 10 + $0)) }
        }
        for record in 0..<4 { try world.append(rows(record)) }
        let isKilled = try await world.crash(at: .placed(0))
        #expect(isKilled)
        try await forget(after: 2, rows)
        // What comes now must not take the numbers 3 and 4, which the begun roll covers.
        let writer = try await world.writer(lastFound: 2)
        let number = try world.append(rows(7))
        #expect(number > 4)
        try await writer.flush(world.table)
        // The complete file of the first attempt stays; the new record is there.
        let found = try world.query("SELECT count(*)::BIGINT, count(DISTINCT readings['level'])::BIGINT FROM BRONZE")
        #expect(found == [[.integer(50), .integer(50)]])
    }

    @Test mutating func aBegunRollWhoseRecordsAreAllGoneDoesNotHoldUpTheNext() async throws {
        func rows(_ record: Int) -> [(sensor: String, time: Timestamp, value: Double)] {
            [("r\(record)", Timestamp(seconds: 1_700_000_000), Double(record))]
        }
        try world.append(rows(0))
        try await world.write()
        try world.append(rows(1))
        try world.append(rows(2))
        let isKilled = try await world.crash(at: .intended)
        #expect(isKilled)
        try await forget(after: 1, rows)
        let writer = try await world.writer(lastFound: 1)
        try world.append(rows(8))
        try await writer.flush(world.table)
        #expect(try world.query("SELECT readings['level'] FROM BRONZE ORDER BY 1") == [[.double(0)], [.double(8)]])
    }

    @Test mutating func aKillOnTheWayIntoTheQueueLosesAndDoublesNothing() async throws {
        for step in [LakeRollStep.placed(3), .placed(11), .positioned] {
            let remote = FlakyStorage()
            world = try BronzeWorld()
            func queue() throws -> UploadQueue {
                try UploadQueue(folder: world.folder.file("outgoing"), to: remote, clock: world.clock, random: { 1 })
            }
            try appendHours(12, from: 0)
            world.crashAt.value.withLock { $0 = step }
            let first = try queue()
            await #expect(throws: BronzeWorld.Crash.self) {
                try await world.writer(.queue(first)).flush(world.table)
            }
            // Some were sent before the kill.
            _ = try await first.step()
            world.crashAt.value.withLock { $0 = nil }
            try await world.restart()
            let second = try queue()
            try await world.writer(.queue(second), lastFound: 1).flush(world.table)
            while try await second.step() == .sent {}
            let sent = remote.state.withLock { $0.files }
            #expect(sent.count == 12 && sent.keys.allSatisfy { LakeFile(path: $0) != nil })
        }
    }
}
