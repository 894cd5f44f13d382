import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinSpool

@Suite struct SpoolTests {
    let folder = TemporaryFolder()

    @Test func givesBackWhatWasAppendedAlsoAfterRestart() async throws {
        let (spool, recovery) = try Spool.open(folder: folder.path)
        #expect(recovery.problems == [] && recovery.records == 0)
        for number in 1...50 as ClosedRange<UInt64> { #expect(try spool.append(payload(number)) == number) }
        try await spool.durable(50)
        #expect(spool.durableSequence == 50)
        await spool.close()

        let (again, found) = try Spool.open(folder: folder.path)
        #expect(found.problems == [])
        #expect(found.records == 50 && found.firstSequence == 1 && found.lastSequence == 50 && found.bytes == 1000)
        #expect(again.id == spool.id)
        #expect(try again.read(from: 1).all() == (1...50).map { SpoolRecord(sequence: $0, payload: payload($0)) })
        #expect(try again.read(from: 48).all().map(\.sequence) == [48, 49, 50])
        #expect(try again.append([1]) == 51)
        await again.close()
    }

    @Test func readsFromMemoryWhatIsNotOnDiskYet() async throws {
        let files = FaultyFiles()
        var settings = SpoolSettings.test()
        settings.isDurable = true
        let (spool, _) = try Spool.open(folder: folder.path, settings: settings, files: files)
        files.play { $0.isHeld = true }
        for number in 1...3 as ClosedRange<UInt64> { _ = try spool.append(payload(number)) }
        let reader = spool.read(from: 1)
        #expect(try reader.all().map(\.sequence) == [1, 2, 3])
        #expect(spool.durableSequence == 0)
        #expect(spool.figures.pendingRecords == 3)
        files.play { $0.isHeld = false }
        try await spool.durable(3)
        #expect(try reader.next() == nil)
        _ = try spool.append(payload(4))
        #expect(try reader.next() == SpoolRecord(sequence: 4, payload: payload(4)))
        await spool.close()
    }

    @Test func readsOverManySegmentsInPortions() async throws {
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test(segmentBytes: 1000))
        for number in 1...200 as ClosedRange<UInt64> { _ = try spool.append(payload(number, count: Int(number))) }
        _ = try spool.append(payload(201, count: 5000))
        try await spool.flush()
        #expect(folder.names(".spool").count > 20)
        let reader = spool.read(from: 7)
        var next: UInt64 = 7
        while case let records = try await reader.nextRecords(limit: 700), !records.isEmpty {
            for record in records {
                #expect(
                    record == SpoolRecord(sequence: next, payload: payload(next, count: next == 201 ? 5000 : Int(next)))
                )
                next += 1
            }
        }
        #expect(next == 202)
        #expect(reader.takeProblems() == [])
        await spool.close()
    }

    @Test func tenThousandTasksShareTheFlushes() async throws {
        var settings = SpoolSettings()
        settings.segmentBytes = 100_000
        let (spool, _) = try Spool.open(folder: folder.path, settings: settings)
        let numbers = try await withThrowingTaskGroup(of: (UInt64, UInt64).self) { group in
            for task in 0..<10_000 as Range<UInt64> {
                group.addTask {
                    let sequence = try spool.append(payload(task, count: 30))
                    try await spool.durable(sequence)
                    #expect(spool.durableSequence >= sequence)
                    return (sequence, task)
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(numbers.count == 10_000)
        #expect(spool.figures.flushes < 5000)
        await spool.close()
        let (again, recovery) = try Spool.open(folder: folder.path)
        #expect(recovery.records == 10_000 && recovery.problems == [])
        for record in try again.read(from: 1).all() {
            #expect(numbers[record.sequence].map { payload($0, count: 30) } == record.payload)
        }
    }

    @Test func whatAReaderHoldsStaysWhateverIsReleased() async throws {
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test(segmentBytes: 1000))
        for number in 1...100 as ClosedRange<UInt64> { _ = try spool.append(payload(number, count: 100)) }
        try await spool.flush()
        spool.hold("lake", after: 40)
        spool.release(through: 90)
        #expect((30...41).contains(spool.figures.oldestSequence))
        #expect(try spool.read(from: 41).all().map(\.sequence) == Array(41...100))
        spool.hold("lake", after: 95)
        #expect((80...91).contains(spool.figures.oldestSequence))
        await spool.close()
    }

    @Test func releaseDeletesSegmentsAndNumbersGoOnAfterRestart() async throws {
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test(segmentBytes: 2000))
        for number in 1...100 as ClosedRange<UInt64> { _ = try spool.append(payload(number, count: 200)) }
        try await spool.flush()
        spool.release(through: 50)
        _ = try await spool.read(from: 1).nextRecords()
        #expect(try spool.read(from: 51).next()?.sequence == 51)
        #expect((45...51).contains(spool.figures.oldestSequence))
        spool.release(through: 100)
        await spool.close()
        let names = folder.names(".spool")
        #expect(
            names == ["segment-00000000000000000101.spool"], "the active segment was full: a new one took its place")

        let (again, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(recovery.records == 0 && recovery.problems == [])
        #expect(again.figures.nextSequence == 101 && again.figures.oldestSequence == 101)
        #expect(try again.append([7]) == 101)
        #expect(try again.read(from: 1).all().map(\.sequence) == [101])
        await again.close()
    }

    @Test func skipGivesNoNumberThatACheckpointCovers() async throws {
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test())
        _ = try spool.append([1])
        try spool.skip(through: 10)
        try spool.skip(through: 4)
        #expect(try spool.append([2]) == 11)
        #expect(try spool.read(from: 1).all().map(\.sequence) == [1, 11])
        await spool.close()
        let (again, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(recovery.problems == [], "a void record is no gap")
        #expect(try again.read(from: 1).all().map(\.sequence) == [1, 11])
        #expect(throws: TocsinError.self) { try again.skip(through: .max) }
        await again.close()
    }

    @Test func onlyOneProcessUsesAFolder() async throws {
        let (spool, _) = try Spool.open(folder: folder.path)
        let failure = #expect(throws: TocsinError.self) { _ = try Spool.open(folder: folder.path) }
        #expect(failure?.code == .spool && failure?.remedy?.isEmpty == false)
        await spool.close()
        let (again, _) = try Spool.open(folder: folder.path)
        await again.close()
    }

    @Test func foreignFilesAreLeftAloneAndNamed() async throws {
        let other = TemporaryFolder()
        let (stranger, _) = try Spool.open(folder: other.path, settings: .test())
        _ = try stranger.append([1, 2, 3])
        await stranger.close()
        let (spool, _) = try Spool.open(folder: folder.path, settings: .test())
        _ = try spool.append([9])
        await spool.close()
        try folder.write([1], "notes.txt")
        let name = "segment-00000000000000000001.spool"
        try folder.write(try other.read(name), "segment-00000000000000000002.spool")
        let alien = try folder.read("segment-00000000000000000002.spool")

        let (again, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(recovery.problems.count == 2)
        #expect(recovery.problems.contains { $0.contains("notes.txt") })
        #expect(recovery.problems.contains { $0.contains("segment-00000000000000000002.spool") })
        #expect(try again.append([8]) == 3, "the foreign segment's name is never needed")
        await again.close()
        #expect(try folder.read("segment-00000000000000000002.spool") == alien)
    }

    @Test func aFullSpoolRefusesUntilReleased() async throws {
        var settings = SpoolSettings.test(segmentBytes: 1000)
        settings.maximumBytes = 5000
        let (spool, _) = try Spool.open(folder: folder.path, settings: settings)
        var last: UInt64 = 0
        let failure = #expect(throws: TocsinError.self) {
            while true { last = try spool.append(payload(1, count: 100)) }
        }
        #expect(failure?.isRetriable == true && failure?.message.contains("full") == true)
        try await spool.flush()
        spool.release(through: last)
        #expect(throws: Never.self) { try spool.append([1]) }
        await spool.close()
        let closed = #expect(throws: TocsinError.self) { try spool.append([1]) }
        #expect(closed?.isRetriable == false)
    }

    @Test func aCancelledWaiterStopsWaiting() async throws {
        let files = FaultyFiles()
        var settings = SpoolSettings.test()
        settings.isDurable = true
        let (spool, _) = try Spool.open(folder: folder.path, settings: settings, files: files)
        files.play { $0.isHeld = true }
        let number = try spool.append([1])
        let waiter = Task { try await spool.durable(number) }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        files.play { $0.isHeld = false }
        try await spool.durable(number)
        await spool.close()
        try await spool.durable(number)
        await #expect(throws: TocsinError.self) { try await spool.durable(number + 1) }
    }
}
