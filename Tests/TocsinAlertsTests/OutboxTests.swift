import Foundation
import Synchronization
import Testing
import TocsinAlerts
import TocsinCore

@Suite struct OutboxTests {
    private let time = VirtualTime()
    private let folder: String = {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-outbox-\(UUID().uuidString)")
            .path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }()
    private var path: String { folder + "/alerts.told" }

    /// What is on the disk is what a killed process leaves.
    private func copied(_ name: String) throws -> String {
        let copy = "\(folder)/\(name)"
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        return copy
    }

    @Test(arguments: 0...6) func afterAKillWhatWasTakenIsNotToldAgainAndTheRestIs(_ taken: Int) async throws {
        let before = NotingChannel(people: false, clock: time) { _, attempt in attempt <= taken ? nil : .busy }
        let outbox = try OutboxFile(path: path, spool: 7)
        let first = DeliveryBench([(before, LanePolicy(concurrency: 1))], time: time, outbox: outbox)
        let changes = (0..<6).map { Sample.change(.raised, "a\($0)") }
        first.dispatcher.tell(changes, from: AlarmMark(sequence: 41, change: 0))
        first.pass(.seconds(1))
        #expect(before.told.count == taken)
        let left = try OutboxFile(path: try copied("killed"), spool: 7)
        await first.kill()
        #expect(left.lastMark == AlarmMark(sequence: 41, change: 5))
        let after = NotingChannel(people: false, clock: time)
        let second = DeliveryBench([(after, LanePolicy())], time: time, outbox: left)
        #expect(second.dispatcher.toldThrough == AlarmMark(sequence: 41, change: 5))
        // The clearing of what the process before had told belongs here too.
        second.tell(changes.map { Sample.change(.cleared, $0.alarm.id) })
        second.pass(.seconds(1))
        let all = (before.words + after.words).sorted()
        #expect(all == (changes.map { "raised \($0.alarm.id)" } + changes.map { "cleared \($0.alarm.id)" }).sorted())
        await second.end()
    }

    /// A receiver that needs three seconds for each message, and an end that may take five.
    @Test func anEndIsSoonAndWhatIsLeftWaitsForTheNextStart() async throws {
        let time = time
        let policy = LanePolicy(concurrency: 2)
        let slow = NotingChannel(people: false, clock: time) { _, _ in
            try? await time.sleep(.seconds(3))
            return nil
        }
        let first = DeliveryBench([(slow, policy)], time: time, outbox: try OutboxFile(path: path, spool: 7))
        let names = (0..<20).map { "a\($0)" }
        first.tell(names.map { Sample.change(.raised, $0, sensor: $0) })
        first.dispatcher.finish(within: .seconds(5))
        first.pass(.seconds(8))
        await first.end()
        #expect(slow.told.count == 4)
        let next = NotingChannel(people: false, clock: time)
        let second = DeliveryBench(
            [(next, policy)], time: time, outbox: try OutboxFile(path: try copied("next"), spool: 7))
        second.pass(.seconds(1))
        #expect((slow.words + next.words).sorted() == names.map { "raised \($0)" }.sorted())
        await second.end()
    }

    @Test func deadLettersSurviveAndCanBeListedFromOutside() async throws {
        let channel = NotingChannel(clock: time) { _, _ in .final }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time, outbox: try OutboxFile(path: path, spool: 7))
        bench.tell([Sample.change(.raised, "a"), Sample.change(.raised, "b")])
        bench.pass(.seconds(1))
        await bench.end()
        #expect(OutboxFile.look(at: path).dead.map(\.item.change.alarm.id) == ["a", "b"])
        let again = try OutboxFile(path: try copied("next"), spool: 8)
        // Another spool: its marks mean nothing, what waits and what is dead does.
        #expect(again.lastMark == .none && again.dead.count == 2)
        #expect(again.open(lanes: ["noting"]) == 0)
        #expect(again.discard([again.dead[0].item.number], in: "noting") == 1)
        #expect(again.requeue(nil, in: "noting", now: time.now()).map(\.change.alarm.id) == ["b"])
        #expect(again.dead.isEmpty && again.waiting(in: "noting").count == 1)
    }

    @Test func whatIsSentAgainWhileNobodyRunsGoesOutWithTheNextStart() async throws {
        let policy = LanePolicy(cooldown: .hours(1), giveUpAfter: .minutes(5))
        let before = NotingChannel(clock: time) { message, _ in message.incident == "b" ? nil : .busy }
        let first = DeliveryBench([(before, policy)], time: time, outbox: try OutboxFile(path: path, spool: 7))
        first.tell([Sample.change(.raised, "a", sensor: "s"), Sample.change(.raised, "b", sensor: "t")])
        first.pass(.minutes(20))
        first.tell([Sample.change(.raised, "c", sensor: "u"), Sample.change(.cleared, "c", sensor: "u")])
        first.pass(.minutes(20))
        await first.kill()
        let copy = try copied("stopped")
        let numbers = OutboxFile.look(at: copy).dead.map(\.item.number)
        #expect(OutboxFile.look(at: copy).dead.map(\.item.change.alarm.id) == ["a", "c", "c"])
        do {
            let stopped = try OutboxFile(existing: copy)
            #expect(stopped.requeue([99], in: "noting", now: time.now()).isEmpty)
            #expect(stopped.requeue(nil, in: "gone", now: time.now()).isEmpty)
            let again = stopped.requeue([numbers[0], numbers[1]], in: "noting", now: time.now())
            #expect(again.map(\.change.alarm.id) == ["a", "c"] && again.allSatisfy(\.isAgain))
            #expect(again.allSatisfy { !numbers.contains($0.number) })
            #expect(stopped.deadCounts == ["noting": 1])
        }
        let outbox = try OutboxFile(path: copy, spool: 7)
        #expect(outbox.lastMark != .none)
        let after = NotingChannel(clock: time)
        let second = DeliveryBench([(after, policy)], time: time, outbox: outbox)
        second.pass(.seconds(1))
        #expect(after.words == ["raised a", "raised c"])
        #expect(after.told.map(\.note) == ["sent again by hand", "sent again by hand; it is over since"])
        // The end of what is open belongs here too; what was over before is not taken for open.
        #expect(outbox.openAlarms(in: "noting").map(\.id) == ["a", "b"])
        second.tell([Sample.change(.cleared, "a", sensor: "s")])
        second.pass(.seconds(1))
        #expect(after.words.last == "cleared a")
        await second.end()
    }

    private static func isFolder(_ descriptor: Int32) -> Bool {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    @Test(arguments: [EINVAL, ENOTSUP, EIO]) func aFolderThatCannotBeForcedIsATroubleOnlyWhereItCould(_ code: Int32)
        async throws
    {
        let outbox = try OutboxFile(path: path, spool: 7) { descriptor in
            errno = code
            return !Self.isFolder(descriptor)
        }
        let file = { try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int }
        let before = try file()
        _ = outbox.put([Sample.change(.raised, "a")], mark: nil, now: time.now())
        if code == EIO {
            await #expect(throws: TocsinError.self) { try await outbox.keep() }
        } else {
            try await outbox.keep()
            #expect(try file() == before)
        }
    }

    @Test func aPowerCutTakesNothingThatWasKept() async throws {
        let onDisk = Mutex(0)
        let works = Mutex(true)
        let outbox = try OutboxFile(path: path, spool: 7) { descriptor in
            guard !Self.isFolder(descriptor) else { return true }
            let size = Int(lseek(descriptor, 0, SEEK_END))
            guard works.withLock({ $0 }) else {
                errno = ENOSPC
                return false
            }
            onDisk.withLock { $0 = size }
            return true
        }
        /// The page cache is lost with the power: what had not been forced to disk is gone.
        func afterPowerCut(_ name: String) throws -> OutboxFile {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(onDisk.withLock { $0 })
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            return try OutboxFile(path: "\(folder)/\(name)", spool: 7)
        }
        _ = outbox.open(lanes: ["noting"])
        let (first, second) = (AlarmMark(sequence: 3, change: 0), AlarmMark(sequence: 4, change: 0))
        _ = outbox.put([Sample.change(.raised, "a")], mark: first, now: time.now())
        #expect(try afterPowerCut("early").lastMark == .none)
        try await outbox.keep()
        _ = outbox.put([Sample.change(.raised, "b")], mark: second, now: time.now())
        let left = try afterPowerCut("kept")
        #expect(left.lastMark == first && left.waiting(in: "noting").map(\.change.alarm.id) == ["a"])
        // A disk that fails: no promise is given, and later nothing is trusted but what is written anew.
        works.withLock { $0 = false }
        let failure = await #expect(throws: TocsinError.self) { try await outbox.keep() }
        #expect(failure?.place == path && failure?.message.hasSuffix(String(cString: strerror(ENOSPC))) == true)
        #expect(failure?.remedy?.contains("open the folder") == true)
        works.withLock { $0 = true }
        try await outbox.keep()
        let whole = try afterPowerCut("whole")
        #expect(whole.lastMark == second && whole.waiting(in: "noting").count == 2)
    }

    @Test func aForeignFileIsNoOutbox() throws {
        try Data("something else".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: TocsinError.self) { try OutboxFile(existing: path) }
        #expect(throws: TocsinError.self) { try OutboxFile(existing: folder + "/nothing") }
        #expect(!FileManager.default.fileExists(atPath: folder + "/nothing"))
    }

    @Test func onlyOneProcessHasIt() throws {
        let first = try OutboxFile(path: path, spool: 1)
        #expect(throws: TocsinError.self) { try OutboxFile(path: path, spool: 1) }
        // Also after it has been written anew.
        _ = first.open(lanes: ["a"])
        for round in 0..<2000 {
            let items = first.put(
                [Sample.change(.raised, "a\(round)", sentence: String(repeating: "x", count: 300))], mark: nil,
                now: time.now())
            first.settle(items.map(\.number), in: "a", as: .passedOver)
        }
        #expect(throws: TocsinError.self) { try OutboxFile(path: path, spool: 1) }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        #expect(size < 400 << 10)
    }

    @Test(arguments: 0..<40) func tornAndFoulFilesGiveWhatIsWhole(_ seed: UInt64) throws {
        let outbox = try OutboxFile(path: path, spool: 1)
        _ = outbox.open(lanes: ["a", "b"])
        for number in 0..<20 {
            _ = outbox.put(
                [Sample.change(.raised, "a\(number)")], mark: AlarmMark(sequence: UInt64(number + 1), change: 0),
                now: time.now())
        }
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var random = SplitMix(seed)
        if seed % 2 == 0 {
            bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
        } else {
            for _ in 0..<3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
        }
        let other = folder + "/foul"
        try Data(bytes).write(to: URL(fileURLWithPath: other))
        let read = try OutboxFile(path: other, spool: 1)
        let waiting = read.waiting(in: "a").map(\.change.alarm.id)
        #expect(waiting == (0..<waiting.count).map { "a\($0)" })
        // It goes on from there.
        _ = read.open(lanes: ["a"])
        _ = read.put([Sample.change(.raised, "next")], mark: nil, now: time.now())
        #expect(OutboxFile.look(at: other).waiting["a"] == waiting.count + 1)
    }

    @Test func aFileOfTheEarlierFormLosesNothingAndDoublesNothing() throws {
        var writer = StateWriter()
        writer.write(UInt64(0x5452_454c_4153_4354))
        writer.write(UInt64(7))
        func record(_ kind: UInt8, _ mark: AlarmMark, _ rest: (inout StateWriter) -> Void) {
            var body = StateWriter()
            body.write(kind)
            body.write(mark.sequence)
            body.write(mark.change)
            rest(&body)
            writer.write(blob: body.bytes)
        }
        record(1, AlarmMark(sequence: 40, change: 0)) { body in
            body.write(varint: 3)
            for id in ["a", "b", "c"] { Sample.change(.raised, id).save(to: &body) }
        }
        record(2, AlarmMark(sequence: 40, change: 2)) { $0.write(text: "console") }
        record(2, AlarmMark(sequence: 40, change: 0)) { $0.write(text: "webhook-1") }
        try Data(writer.bytes).write(to: URL(fileURLWithPath: path))
        let outbox = try OutboxFile(path: path, spool: 7)
        #expect(outbox.lastMark == AlarmMark(sequence: 40, change: 2))
        #expect(outbox.open(lanes: ["console", "webhook-1"]) == 0)
        #expect(outbox.waiting(in: "console").isEmpty)
        #expect(outbox.waiting(in: "webhook-1").map(\.change.alarm.id) == ["b", "c"])
        #expect(outbox.openAlarms(in: "webhook-1").map(\.id) == ["a"])
    }

    @Test func aNewChannelIsToldOfWhatComesAndOneThatIsGoneHoldsNothing() throws {
        let outbox = try OutboxFile(path: path, spool: 1)
        _ = outbox.open(lanes: ["a"])
        _ = outbox.put([Sample.change(.raised, "1")], mark: nil, now: time.now())
        #expect(outbox.open(lanes: ["b"]) == 1)
        #expect(outbox.waiting(in: "b").isEmpty && outbox.waiting(in: "a").isEmpty)
    }

    @Test func marksOfOneInputAreInOrderAndBeforeThoseOfTheNext() {
        let first = AlarmMark(sequence: 3, change: 0)
        #expect(first < first.advanced(by: 1))
        #expect(first.advanced(by: 100) < AlarmMark(sequence: 4, change: 0).predecessor)
        #expect(first.predecessor > AlarmMark(sequence: 2, change: 1_000_000))
        #expect(first.advanced(by: 1).predecessor == first)
        #expect(AlarmMark.none.predecessor == .none)
    }
}
