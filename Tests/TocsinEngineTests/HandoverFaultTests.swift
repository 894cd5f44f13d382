import Foundation
import Testing
import TocsinCore
import TocsinEngine
import TocsinSpool
import TocsinTestKit

/// What a handover does with damage, with names that it does not know, and with what people see.
@Suite struct HandoverFaultTests {
    /// An engine that has worked through a part of the stream; the state of two sources.
    private func worked(
        _ seconds: Int, order: EventOrdering = .arrival, listeners: [any AlarmListener] = [],
        adjust: (inout EngineSettings) -> Void = { _ in }
    ) async throws -> HandoverLife {
        let life = try await HandoverLife(nil, shards: 2, order: order, listeners: listeners, adjust: adjust)
        for second in 0..<seconds {
            for source in 0..<2 {
                _ = try await life.engine.enqueue(
                    HandoverStream().batch(source, second: second, number: UInt16(source), table: life.table))
            }
        }
        return life
    }

    private func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let sum = CRC32C.of(bytes.span.extracting(12..<bytes.count))
        for place in 0..<4 { bytes[8 + place] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * place)) }
        return bytes
    }

    @Test(arguments: [EventOrdering.arrival, .event])
    func damageIsRefusedAndNeverTraps(order: EventOrdering) async throws {
        let life = try await worked(215, order: order)
        let transfer = try await life.engine.transfer(of: SourceID(1), isGivenUp: false)
        #expect(transfer.bytes.count > 10_000)
        let other = try await HandoverLife(nil, shards: 2, order: order)
        for place in transfer.bytes.indices {
            var bytes = transfer.bytes
            bytes[place] ^= UInt8(1 << (place % 8))
            await #expect(throws: TocsinError.self) {
                try await other.engine.adopt(SensorTransfer(position: nil, bytes: bytes), as: SourceID(5))
            }
            if place > 2000 { break }
        }
        for count in [0, 1, 11, 12, 13, 1000, transfer.bytes.count - 1] {
            await #expect(throws: TocsinError.self) {
                let bytes = Array(transfer.bytes.prefix(count))
                try await other.engine.adopt(SensorTransfer(position: nil, bytes: bytes), as: SourceID(5))
            }
        }
        // With a checksum that is right nothing is certain, and nothing may trap.
        var random = Mixer(seed: 5)
        var taken = 0
        var second = 0
        for round in 0..<6000 {
            var bytes = transfer.bytes
            if round % 10 == 0 { bytes = Array(bytes.prefix(12 + Int(random.next(below: UInt64(bytes.count - 12))))) }
            for _ in 0...round % 3 where bytes.count > 12 {
                let place = 12 + Int(random.next(below: UInt64(bytes.count - 12)))
                bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            do {
                try await other.engine.adopt(SensorTransfer(position: nil, bytes: sealed(bytes)), as: SourceID(5))
                taken += 1
            } catch { #expect(error is TocsinError) }
            if round % 50 == 49 {
                // They are used as they are.
                let batch = HandoverStream().batch(1, second: 215 + second, number: 5, table: other.table)
                _ = try await other.engine.enqueue(batch)
                second += 1
                _ = try await other.engine.transfer(of: SourceID(5), isGivenUp: round % 100 == 99)
            }
        }
        #expect(taken > 1000)
        try await other.end(isWhole: true)
        try await life.end(isWhole: false)
    }

    @Test func aNewerFormIsNamed() async throws {
        let life = try await worked(30)
        var transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        transfer.bytes[4] = 3
        let error = await #expect(throws: TocsinError.self) {
            try await life.engine.adopt(transfer, as: SourceID(0))
        }
        #expect(error?.code == .format && error?.message.contains("form 3") == true)
        #expect(error?.remedy?.contains("same version") == true)
        try await life.end(isWhole: false)
    }

    @Test func aTableWithoutRoomRefuses() async throws {
        let life = try await worked(30)
        let transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        let small = Engine(
            settings: HandoverStream.settings(shards: 1, order: .arrival), table: SeriesTable(maxSeries: 3),
            store: MemoryStore(), clock: HandClock())
        let error = await #expect(throws: TocsinError.self) { try await small.adopt(transfer, as: SourceID(0)) }
        #expect(error?.code == .configuration && error?.place == "engine.maxSeries")
        try await life.end(isWhole: false)
    }

    @Test func aSourceOfWhichNothingIsKnownMovesToo() async throws {
        let life = try await worked(30)
        let transfer = try await life.engine.transfer(of: SourceID(9), isGivenUp: true)
        #expect(transfer.position == nil)
        try await life.engine.adopt(transfer, as: SourceID(9))
        try await life.engine.forget(SourceID(77))
        #expect(life.engine.directory.sensorCount == 10)
        try await life.end(isWhole: true)
    }

    @Test func openAlarmsMoveToTheOtherScreenAndNobodyIsTold() async throws {
        let life = try await worked(140)
        let other = try await HandoverLife(nil, shards: 1, order: .arrival)
        _ = try await life.engine.transfer(of: SourceID(0), isGivenUp: false)
        let open = life.engine.directory.openAlarms
        #expect(open > 0)
        let told = life.store.alarmChanges.count
        let names = Set(life.engine.directory.alarmedSensors.map { id in life.table.withIndex { $0.name(id) } })

        life.table.withIndex { index in
            if let sensor = index.sensor(named: "sensor 0.2") { index.setZone("hall 3", of: sensor) }
        }
        for source in 0..<2 as Range<UInt16> {
            let transfer = try await life.engine.transfer(of: SourceID(source), isGivenUp: true)
            try await other.engine.adopt(transfer, as: SourceID(source))
        }
        _ = try await other.engine.transfer(of: SourceID(0), isGivenUp: false)
        #expect(life.engine.directory.openAlarms == 0)
        #expect(life.engine.directory.sensorCount == 0)
        #expect(life.engine.directory.seriesCount == 0)
        #expect(life.engine.directory.sensors(search: nil, limit: 100, offset: 0).total == 0)
        #expect(life.store.alarmChanges.count == told)
        #expect(other.engine.directory.openAlarms == open)
        #expect(other.store.alarmChanges.isEmpty)
        let moved = Set(other.engine.directory.alarmedSensors.map { id in other.table.withIndex { $0.name(id) } })
        #expect(moved == names)
        let sensors = other.engine.directory.sensors(search: "0.2", limit: 10, offset: 0).items
        #expect(sensors.map(\.zone) == ["hall 3"])
        #expect(sensors[0].metrics.map(\.name) == ["temperature", "humidity"])
        #expect(sensors[0].lastSeen == HandoverStream.start.advanced(by: .seconds(109)))
        try await life.end(isWhole: true)
        try await other.end(isWhole: true)
    }

    /// Those who tell people learn where an alarm's end will be seen; stores of their own get rows of their own.
    @Test(arguments: [SensorSharing.throughStore, .betweenStores])
    func whoTellsOfAnAlarmLearnsThatItMoves(sharing: SensorSharing) async throws {
        let (told, toldThere) = (HandoverListener(), HandoverListener())
        let life = try await worked(140, listeners: [told]) { $0.sharing = sharing }
        let other = try await HandoverLife(nil, shards: 1, order: .arrival, listeners: [toldThere]) {
            $0.sharing = sharing
        }
        _ = try await life.engine.transfer(of: SourceID(0), isGivenUp: false)
        let before = Dictionary(life.store.alarmChanges.map { ($0.alarm.id, $0.alarm) }) { $1 }
        let open = before.filter { $0.value.state == .open && $0.value.sensor.hasPrefix("sensor 0.") }
        #expect(!open.isEmpty)
        let written = life.store.alarmChanges.count

        let transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        try await other.engine.adopt(transfer, as: SourceID(0))
        _ = try await other.engine.transfer(of: SourceID(0), isGivenUp: false)
        #expect(Set(told.changes.filter { $0.step == .handedOver }.map(\.alarm.id)) == Set(open.keys))
        #expect(Set(toldThere.changes.map(\.alarm.id)) == Set(open.keys))
        #expect(
            Set(toldThere.changes.map(\.step)) == (sharing == .throughStore ? [.takenOver] : [.takenOver, .updated]))

        let left = life.store.alarmChanges.dropFirst(written)
        let come = other.store.alarmChanges
        if sharing == .throughStore {
            #expect(left.isEmpty && come.isEmpty)
        } else {
            #expect(left.allSatisfy { $0.step == .updated && !$0.isTold && $0.alarm.state == .cleared })
            #expect(
                left.allSatisfy { $0.alarm.sentence.hasSuffix("It goes on in the process that reads the sensor next.") }
            )
            #expect(Set(left.map(\.alarm.id)) == Set(open.keys))
            #expect(come.allSatisfy { $0.step == .updated && !$0.isTold && $0.alarm.state == .open })
            #expect(Set(come.map(\.alarm.id)) == Set(open.keys))
        }
        try await life.end(isWhole: true)
        try await other.end(isWhole: true)
    }

    /// What is over and waits to be acknowledged moves as well: the pager that it rang is told of its end from there.
    @Test(arguments: [SensorSharing.throughStore, .betweenStores])
    func aLatchedAlarmIsAcknowledgedWhereItsSensorIs(sharing: SensorSharing) async throws {
        let (told, toldThere) = (HandoverListener(), HandoverListener())
        let adjust = { (settings: inout EngineSettings) in
            settings.sharing = sharing
            settings.alarms.latched = [.spike]
        }
        let life = try await worked(140, listeners: [told], adjust: adjust)
        let other = try await HandoverLife(
            nil, shards: 1, order: .arrival, listeners: [toldThere], adjust: adjust)
        let transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        let latched = try #require(
            life.store.alarmChanges.last { $0.alarm.lifeState == .latched && $0.alarm.sensor == "sensor 0.1" }?.alarm)
        try await other.engine.adopt(transfer, as: SourceID(0))
        let moved = told.changes.filter { $0.step == .handedOver }.map(\.alarm)
        #expect(moved.count { $0.id == latched.id } == 1)
        #expect(moved.map(\.raised) == moved.map(\.raised).sorted())
        if sharing == .betweenStores {
            let row = try #require(life.store.alarmChanges.last { $0.alarm.id == latched.id }?.alarm)
            #expect(row.state == .cleared && row.cleared == latched.cleared)
            #expect(row.sentence.hasSuffix("It is to be acknowledged in the process that reads the sensor next."))
        }
        let action = AlarmAction(
            .acknowledge, on: latched, person: "Ida", given: latched.lastSeen, wallTime: latched.lastSeen)
        _ = try await other.engine.take(action, on: latched).wait()
        try await life.end(isWhole: true)
        try await other.end(isWhole: true)
        let steps = toldThere.changes.filter { $0.alarm.id == latched.id }.map(\.step)
        #expect(steps.filter { $0 != .updated } == [.takenOver, .acknowledged, .cleared])
    }

    /// Of a member of a summary nobody is told singly, wherever it goes on.
    @Test func aMemberOfASummaryStaysOne() async throws {
        let budget = { (settings: inout EngineSettings) in
            settings.rules = AlarmRules(rules: [AlarmRule(sensor: "sensor 0.4", fields: RuleFields(budgetPerDay: 0))])
        }
        let life = try await HandoverLife(nil, shards: 1, order: .arrival, adjust: budget)
        let other = try await HandoverLife(nil, shards: 1, order: .arrival, adjust: budget)
        let stream = HandoverStream(hasLate: false)
        for second in 0..<196 {
            _ = try await life.engine.enqueue(stream.batch(0, second: second, number: 0, table: life.table))
        }
        let transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        let raised = try #require(
            life.store.alarmChanges.last { $0.step == .raised && $0.alarm.sensor == "sensor 0.4" && !$0.isTold })
        try await other.engine.adopt(transfer, as: SourceID(0))
        for second in 196..<240 {
            _ = try await other.engine.enqueue(stream.batch(0, second: second, number: 0, table: other.table))
        }
        try await other.end(isWhole: true)
        let later = other.store.alarmChanges.filter { $0.alarm.id == raised.alarm.id }
        #expect(later.last?.step == .cleared)
        #expect(later.allSatisfy { !$0.isTold && $0.alarm.summary == raised.alarm.summary })
        // The summary has nobody left, and ends with its day.
        try await life.end(isWhole: true)
    }

    /// What left while the store was away is not lost with the call that waited for it.
    @Test func aTransferThatWasGivenUpIsHadAgain() async throws {
        let life = try await worked(100)
        let copy = try await life.engine.transfer(of: SourceID(0), isGivenUp: false)
        life.store.fail(always: TocsinError(.store, "away", isRetriable: true))
        let waiting = Task { try await life.engine.transfer(of: SourceID(0), isGivenUp: true) }
        while life.engine.metrics.snapshot.storeErrors == 0 { try? await Task.sleep(for: .milliseconds(1)) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        life.store.fail(always: nil)
        let again = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        #expect(again.bytes.count == copy.bytes.count)
        #expect(again.position == copy.position)
        let nothing = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        #expect(nothing.bytes.count < 200)
        #expect(nothing.position == nil)
        try await life.end(isWhole: true)
    }

    @Test(arguments: [true, false])
    func whereOthersShareTheStoreItsAlarmsAreTheirs(isAlone: Bool) async throws {
        let first = try await worked(140)
        try await first.end(isWhole: true)
        let open = try await first.store.alarms(RecordQuery(), state: .open)
        #expect(!open.isEmpty)
        let life = try await HandoverLife(nil, shards: 1, order: .arrival, store: MemoryStore(openAlarms: open)) {
            $0.isLive = true
            $0.sharing = isAlone ? .none : .throughStore
        }
        #expect((life.engine.directory.openAlarms > 0) == isAlone)
        try await life.end(isWhole: false)
    }

    /// The places of sensors that have left are used again, and hold nothing of them.
    @Test func placesAreUsedAgain() async throws {
        let life = try await worked(100)
        let before = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        for round in 0..<20 {
            try await life.engine.adopt(before, as: SourceID(0))
            let after = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
            #expect(after.bytes.count == before.bytes.count, "round \(round)")
        }
        let bank = life.engine.memory.first { $0.part == "bank" }?.bytes ?? 0
        #expect(bank <= 2 * 9 * 256)
        try await life.end(isWhole: true)
    }

    /// What waits for its turn goes on where nothing waits.
    @Test func waitingEventsAreJudgedWhereEventsAreJudgedAsTheyCome() async throws {
        let life = try await worked(100, order: .event)
        let other = try await HandoverLife(nil, shards: 2, order: .arrival)
        let transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        try await other.engine.adopt(transfer, as: SourceID(0))
        try await other.end(isWhole: true)
        try await life.end(isWhole: true)
        let (left, came) = (life.engine.metrics.snapshot, other.engine.metrics.snapshot)
        #expect(left.handedOver > 50 && left.handedOver == came.received)
        #expect(came.spooled == 0 && came.stored + came.duplicate + came.late == came.received)
        #expect(came.receivedBySource.values.reduce(0, +) == came.received)
        #expect(left.received == left.stored + left.duplicate + left.late + left.handedOver)
    }

    /// A checkpoint that is under way while sensors leave and others take their places is that of its barrier.
    @Test func aCheckpointUnderWayIsNotMixedUp() async throws {
        let place = try RecoveryPlace()
        let life = try await HandoverLife(place, shards: 2, order: .arrival)
        func feed(_ life: HandoverLife, _ sources: Range<Int>, _ seconds: Range<Int>) async throws {
            for second in seconds {
                for source in sources {
                    var builder = BatchBuilder(
                        table: life.table, received: HandoverStream.start.advanced(by: .days(1)))
                    for sensor in 0..<2000 {
                        builder.add(
                            "sensor \(source) \(sensor)",
                            at: HandoverStream.start.advanced(by: .seconds(Int64(second))),
                            ["temperature": Double((sensor + second * 7) % 13)])
                    }
                    var batch = builder.take()
                    batch.origin.source = SourceID(UInt16(source))
                    _ = try await life.engine.enqueue(batch)
                }
            }
        }
        try await feed(life, 0..<2, 0..<25)
        let before = life.engine.metrics.snapshot.checkpoints
        life.engine.saveNow()
        let transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        try await feed(life, 2..<3, 25..<30)
        try await feed(life, 1..<3, 30..<40)
        while life.engine.metrics.snapshot.checkpoints == before { try? await Task.sleep(for: .milliseconds(1)) }
        try await life.durability?.spool.flush()
        let copy = try place.copy()
        let successor = try await HandoverLife(copy, shards: 3, order: .arrival)
        var (one, two) = (HandoverResults(), HandoverResults())
        for life in [life, successor] {
            try await life.engine.adopt(transfer, as: SourceID(5))
            #expect(life.engine.directory.seriesCount > 0)
            try await life.end(isWhole: true)
        }
        withExtendedLifetime((place, copy)) {}
        one.add(life.store, life.table)
        two.add(successor.store, successor.table)
        #expect(successor.engine.metrics.snapshot.recovered == 25 * 2000)
        #expect(Set(two.windows).isSubset(of: one.windows))
        #expect(two.windows.count > 3 * 2000 && Set(two.windows).count == two.windows.count)
        // What one has beyond the other was closed before the checkpoint: the windows that end at 10 s.
        let early = " 0 \(HandoverStream.start.advanced(by: .seconds(-10))) "
        #expect(Set(one.windows).subtracting(two.windows).allSatisfy { $0.contains(early) })
    }

    @Test func tenThousandSensorsMoveInLessThanASecond() async throws {
        let life = try await HandoverLife(nil, shards: 2, order: .arrival)
        let other = try await HandoverLife(nil, shards: 2, order: .arrival)
        for second in 0..<60 {
            var builder = BatchBuilder(
                table: life.table, received: HandoverStream.start.advanced(by: .days(1)))
            for sensor in 0..<10_000 {
                builder.add(
                    "sensor \(sensor)", at: HandoverStream.start.advanced(by: .seconds(Int64(second))),
                    ["temperature": Double((sensor + second * 7) % 13), "humidity": Double((sensor * second) % 17)])
            }
            _ = try await life.engine.enqueue(builder.take())
        }
        _ = try await life.engine.transfer(of: SourceID(9), isGivenUp: false)
        let clock = ContinuousClock()
        var transfer = SensorTransfer(position: nil, bytes: [])
        let copied = try await clock.measure {
            transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: false)
        }
        let left = try await clock.measure {
            transfer = try await life.engine.transfer(of: SourceID(0), isGivenUp: true)
        }
        let taken = try await clock.measure {
            try await other.engine.adopt(transfer, as: SourceID(0))
            _ = try await other.engine.transfer(of: SourceID(9), isGivenUp: false)
        }
        print("10,000 sensors, \(transfer.bytes.count) bytes: copied \(copied), given up \(left), taken \(taken)")
        #expect(copied < .seconds(60) && left < .seconds(60) && taken < .seconds(60), "a busy machine is given time")
        #expect(other.engine.directory.sensorCount == 10_000)
        try await life.end(isWhole: false)
        try await other.end(isWhole: false)
    }
}
