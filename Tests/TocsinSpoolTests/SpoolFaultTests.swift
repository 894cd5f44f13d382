import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinSpool

/// Disks that are full, broken or slow.
@Suite struct SpoolFaultTests {
    let folder = TemporaryFolder()

    private final class Changes: Sendable {
        let list = Mutex<[SpoolCondition]>([])
        let failing = Signal()
        let working = Signal()
    }

    private func open(
        _ files: FaultyFiles, segmentBytes: Int64 = 64 << 20, pendingBytes: Int = 64 << 20
    ) throws -> (Spool, Changes) {
        var settings = SpoolSettings.test(segmentBytes: segmentBytes)
        settings.isDurable = true
        settings.pendingBytes = pendingBytes
        let changes = Changes()
        let observer = SpoolObserver(onConditionChange: { condition in
            changes.list.withLock { $0.append(condition) }
            if condition == .working { changes.working.fulfil() } else { changes.failing.fulfil() }
        })
        return (
            try Spool.open(folder: folder.path, settings: settings, observer: observer, files: files).spool, changes
        )
    }

    /// Plays a fault under appends, then takes it away: nothing may be lost, and the folder must be clean.
    private func survives(_ fault: (inout FaultyFiles.Faults) -> Void, segmentBytes: Int64 = 64 << 20) async throws {
        let files = FaultyFiles()
        let (spool, changes) = try open(files, segmentBytes: segmentBytes)
        _ = try spool.append(payload(1, count: 500))
        try await spool.durable(1)
        files.play(fault)
        for number in 2...40 as ClosedRange<UInt64> { _ = try spool.append(payload(number, count: 500)) }
        let waiter = Task { try await spool.durable(40) }
        await changes.failing.wait()
        if case .failing(let reason) = spool.figures.condition {
            #expect(!reason.isEmpty)
        } else {
            Issue.record("works")
        }
        #expect(spool.durableSequence < 40)
        #expect(try spool.read(from: 1).all().count == 40, "what waits is readable")
        files.play { $0 = FaultyFiles.Faults() }
        try await waiter.value
        await changes.working.wait()
        #expect(spool.figures.condition == .working)
        #expect(changes.list.withLock { $0.count } == 2, "one call each way")
        await spool.close()
        let (again, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(recovery.problems == [])
        #expect(
            try again.read(from: 1).all()
                == (1...40).map { SpoolRecord(sequence: $0, payload: payload($0, count: 500)) })
        await again.close()
    }

    @Test func aFullDiskIsWaitedOut() async throws { try await survives { $0.write = ENOSPC } }
    @Test func aDiskThatFillsWithinAGroupLeavesNoTornRecord() async throws { try await survives { $0.space = 777 } }
    @Test func aFailingSyncWritesTheGroupAgain() async throws { try await survives { $0.sync = EIO } }

    @Test func aReadOnlyDiskStopsNewSegments() async throws {
        try await survives({ $0.open = EROFS }, segmentBytes: 3000)
    }

    @Test func segmentsThatFillUpWhileTheDiskDoes() async throws {
        try await survives({ $0.space = 5000 }, segmentBytes: 1300)
    }

    @Test func shortWritesAreCompleted() async throws {
        let files = FaultyFiles()
        let (spool, changes) = try open(files)
        files.play { $0.shortWrite = 7 }
        for number in 1...20 as ClosedRange<UInt64> { _ = try spool.append(payload(number)) }
        try await spool.durable(20)
        #expect(changes.list.withLock { $0.isEmpty })
        await spool.close()
        let (_, recovery) = try Spool.open(folder: folder.path, settings: .test())
        #expect(recovery.records == 20 && recovery.problems == [])
    }

    @Test func memoryOfASlowDiskIsBounded() async throws {
        let files = FaultyFiles()
        let (spool, _) = try open(files, pendingBytes: 10_000)
        files.play { $0.isHeld = true }
        var last: UInt64 = 0
        let failure = #expect(throws: TocsinError.self) {
            while true { last = try spool.append(payload(1, count: 1000)) }
        }
        #expect(failure?.isRetriable == true)
        #expect(spool.figures.pendingBytes <= 10_000 && last >= 8)
        files.play { $0.isHeld = false }
        try await spool.durable(last)
        #expect(try spool.append([1]) == last + 1, "a refused record takes no number")
        await spool.close()
    }

    @Test func whatIsAppendedDuringASyncSharesTheNext() async throws {
        let files = FaultyFiles()
        let (spool, _) = try open(files)
        files.play { $0.isHeld = true }
        let before = files.syncs.load(ordering: .relaxed)
        for number in 1...1000 as ClosedRange<UInt64> { _ = try spool.append(payload(number)) }
        files.play { $0.isHeld = false }
        try await spool.durable(1000)
        #expect(files.syncs.load(ordering: .relaxed) - before <= 3)
        await spool.close()
    }

    @Test func closingWithABrokenDiskTellsTheWaiters() async throws {
        let files = FaultyFiles()
        let (spool, changes) = try open(files)
        files.play { $0.write = EIO }
        let number = try spool.append([1])
        let waiter = Task { try await spool.durable(number) }
        await changes.failing.wait()
        await spool.close()
        await #expect(throws: TocsinError.self) { try await waiter.value }
    }

    @Test func anUnusableFolderIsAnErrorForPeople() {
        let files = FaultyFiles()
        files.play { $0.open = EACCES }
        let failure = #expect(throws: TocsinError.self) { _ = try Spool.open(folder: folder.path, files: files) }
        #expect(failure?.place?.contains(folder.path) == true && failure?.remedy != nil)
    }
}
