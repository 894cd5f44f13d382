import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinLake
import TocsinSpool

@Suite(.enabled(if: TestDuckDB.isThere, "\(TestDuckDB.comment)"))
struct BronzeTests {
    var world: BronzeWorld

    init() throws { world = try BronzeWorld() }

    private let sums = "SELECT count(*)::BIGINT, sum(readings['level']), count(DISTINCT payload)::BIGINT FROM BRONZE"
    private func expected(_ records: Int) -> [[DuckDBValue]] {
        let count = records * 100
        return [[.integer(Int64(count)), .double(Double(count * (count - 1) / 2)), .integer(Int64(count))]]
    }

    @Test func aMessageIsThereAsReceived() async throws {
        try world.append([("pump-1", Timestamp(nanoseconds: 1_760_000_000_123_456_789), 2.5)])
        world.table.withIndex { index in
            if let sensor = index.sensor(named: "pump-1") { index.setZone("hall", of: sensor) }
        }
        try await world.write()
        let row = try world.query(
            """
            SELECT sensor, epoch_us(time), time_ns, event_key, source, position, epoch_us(received), zone,
            readings['level'], units['level'], decode(payload), spool_record FROM BRONZE
            """)
        #expect(
            row == [
                [
                    .text("pump-1"), .integer(1_760_000_000_123_456), .integer(1_760_000_000_123_456_789), .integer(0),
                    .text("test"), .integer(1000), .integer(1_760_000_000_000_000), .text("hall"), .double(2.5),
                    .text("m"), .text("pump-1 1760000000 2.5"), .integer(1),
                ]
            ])
        #expect(try await world.files().first?.hasPrefix("bronze/events/date=2025-10-09/hour=08/part-") == true)
    }

    @Test func eachHourHasItsFileSortedBySensorAndTime() async throws {
        try world.appendSome(0..<5)
        let writer = try await world.writer()
        try await writer.flush(world.table)
        #expect(try await world.files().count == 4)
        #expect(writer.figures.files == 4 && writer.figures.events == 500 && writer.figures.readings == 500)
        #expect(writer.figures.position == 5 && writer.figures.lagRecords == 0 && writer.figures.rolls == 1)
        #expect(try world.query(sums) == expected(5))
        let disorder = try world.query(
            """
            SELECT count(*) FROM (SELECT (sensor, time) AS place, hour, date_part('hour', time) AS real,
            lag((sensor, time)) OVER (PARTITION BY filename ORDER BY file_row_number) AS before
            FROM BRONZE) WHERE before > place OR hour <> real
            """.replacingOccurrences(
                of: "BRONZE",
                with: "read_parquet('\(world.storage.location)/\(LakeLayout.pattern(of: .events))', filename=true, "
                    + "file_row_number=true)"))
        #expect(disorder == [[.integer(0)]])
    }

    @Test func theFileSaysItsSchema() async throws {
        try world.appendSome(0..<1)
        try await world.write()
        let rows = try TestDuckDB.connect().rows(
            "SELECT DISTINCT decode(key), decode(value) FROM parquet_kv_metadata('\(world.storage.location)/"
                + "\(LakeLayout.pattern(of: .events))') ORDER BY 1")
        #expect(rows.contains([.text("tocsin_schema"), .text("1")]))
        #expect(rows.contains([.text("tocsin_table"), .text("bronze/events")]))
    }

    @Test mutating func rollsBySizeAndByAge() async throws {
        world.settings.rollEvents = 250
        try world.appendSome(0..<4)
        try await world.spool.flush()
        let writer = try await world.writer()
        while writer.figures.rolls == 0 { _ = try await writer.step(world.table) }
        #expect(writer.figures.events == 300 && writer.figures.position == 3)
        #expect(try await writer.step(world.table) == .gathered)
        #expect(try await writer.step(world.table) == .idle)
        world.clock.advance(.seconds(29))
        #expect(try await writer.step(world.table) == .idle)
        #expect(writer.figures.lagRecords == 1 && writer.figures.lagSeconds == 29)
        world.clock.advance(.seconds(31))
        #expect(try await writer.step(world.table) == .rolled)
        #expect(writer.figures.events == 400 && writer.figures.lagSeconds == 0)
    }

    static let crashes: [LakeRollStep] = [
        .intended, .staged(0), .staged(3), .placed(0), .placed(3), .positioned, .finished,
    ]

    @Test(arguments: crashes)
    mutating func aCrashAnywhereLeavesEachMessageOnce(step: LakeRollStep) async throws {
        try world.appendSome(0..<5)
        let isKilled = try await world.crash(at: step)
        #expect(isKilled)
        try await world.restart()
        // More has come in since: the roll that was begun must not take it along.
        try world.appendSome(5..<7)
        let figures = try await world.write(lastFound: 5)
        #expect(try world.query(sums) == expected(7))
        #expect(figures.position == 7 && figures.skippedRecords == 0)
        let rolls = Set(
            try await world.files().compactMap { LakeFile(path: $0).flatMap { BronzeName($0.name) } }.map(\.last))
        #expect(rolls == [5, 7])
        #expect(world.notes.value.withLock { $0 } == [])
    }

    @Test mutating func aLostPositionIsFoundInTheNamesOfFiles() async throws {
        try world.appendSome(0..<5)
        try await world.write()
        try await world.restart()
        try world.folder.write(Array("nonsense".utf8), to: "state/position")
        try await world.write(lastFound: 5)
        #expect(try world.query(sums) == expected(5))
        #expect(world.notes.value.withLock { $0.contains { $0.isProblem && $0.text.contains("position is damaged") } })
    }

    @Test mutating func anotherSpoolIsReadFromItsFirstRecord() async throws {
        try world.appendSome(0..<3)
        try await world.write()
        await world.spool.close()
        try FileManager.default.removeItem(atPath: world.folder.file("spool"))
        try await world.restart()
        world.table = SeriesTable(seed: 2)
        try world.appendSome(3..<5)
        try await world.write(lastFound: 2)
        #expect(try world.query(sums) == expected(5))
        #expect(world.notes.value.withLock { $0.contains { $0.text.contains("another one") } })
    }

    @Test mutating func inputWhoseNamesAreLostIsDecodedAgain() async throws {
        try world.appendSome(0..<5)
        _ = try world.spool.append([1, 2, 3])
        let isKilled = try await world.crash(at: .intended)
        #expect(isKilled)
        try await world.restart()
        // The next process begins anew and gives other ids to the same names.
        world.table = SeriesTable(seed: 3)
        _ = world.table.withIndex { index in
            for name in ["x", "sensor-9", "y"] { _ = index.sensor(name.utf8.span) }
            return index.metric("other".utf8.span)
        }
        let figures = try await world.write(lastFound: 6)
        #expect(try world.query(sums) == expected(5))
        let names = try world.query(
            "SELECT count(DISTINCT sensor) FROM BRONZE WHERE decode(payload) LIKE sensor || ' %'")
        #expect(names == [[.integer(10)]])
        #expect(figures.skippedRecords == 1)
        #expect(world.notes.value.withLock { $0.contains { $0.text.contains("Record 6 of the spool cannot be read") } })
    }

    @Test func lateMessagesGoIntoTheirOwnHour() async throws {
        let writer = try await world.writer()
        try world.append([("a", Timestamp(seconds: 1_760_000_000), 1)])
        try await writer.flush(world.table)
        try world.append([("a", Timestamp(seconds: 1_750_000_000), 2), ("a", Timestamp(seconds: 1_760_000_001), 3)])
        try await writer.flush(world.table)
        let folders = try await world.files().map { $0.split(separator: "/").dropLast().joined(separator: "/") }
        #expect(
            folders == [
                "bronze/events/date=2025-06-15/hour=15", "bronze/events/date=2025-10-09/hour=08",
                "bronze/events/date=2025-10-09/hour=08",
            ])
    }

    @Test mutating func withoutPayloadsTheColumnIsNull() async throws {
        world.settings.keepsPayload = false
        try world.appendSome(0..<1)
        try await world.write()
        #expect(try world.query("SELECT count(payload), count(*) FROM BRONZE") == [[.integer(0), .integer(100)]])
    }

    @Test func aRowOfCSVKeepsItsHeader() async throws {
        var batch = BronzeWorld.batch(
            [("a", Timestamp(seconds: 1_760_000_000), 1)], world.table, received: world.clock.now())
        batch.header = Array("sensor,time,level\n".utf8)
        var bytes = StateWriter()
        SpoolEntry.encode(batch, names: nil, into: &bytes)
        _ = try world.spool.append(bytes)
        let writer = try await world.writer(lastFound: 0)
        try await writer.flush(world.table)
        #expect(
            try world.query("SELECT decode(payload) FROM BRONZE") == [[.text("sensor,time,level\na 1760000000 1.0")]])
    }

    @Test func aFullQueueHoldsTheWriterBack() async throws {
        let remote = FlakyStorage()
        remote.setAway(true)
        var limits = UploadSettings()
        limits.maximumBytes = 1
        let queue = try UploadQueue(
            folder: world.folder.file("outgoing"), to: remote, settings: limits, clock: world.clock, random: { 1 })
        let writer = try await world.writer(.queue(queue))
        try world.appendSome(0..<1)
        try await writer.flush(world.table)
        try world.appendSome(1..<2)
        try await world.spool.flush()
        #expect(try await writer.step(world.table) == .waitingForRoom)
        #expect(writer.figures.condition == .waitingForRoom && writer.figures.lagRecords == 1)
        remote.setAway(false)
        while try await queue.step() == .sent {}
        try await writer.flush(world.table)
        while try await queue.step() == .sent {}
        #expect(writer.figures.condition == .writing && writer.figures.events == 200)
        let sent = remote.state.withLock { $0.files }
        #expect(sent.count >= 2 && sent.keys.allSatisfy { LakeFile(path: $0)?.table == .events })
        let sizes = try await LakeTableSize.all(of: remote)
        #expect(sizes.filter { $0.layer == .bronze }.map(\.files) == [sent.count])
        #expect(!sizes.contains { $0.layer == .silver })
    }

    @Test func whatIsNotInBronzeStaysInTheSpool() async throws {
        let writer = try await world.writer()
        try world.appendSome(0..<2)
        try await world.spool.flush()
        world.spool.release(through: 2)
        #expect(world.spool.figures.oldestSequence == 1)
        #expect(writer.figures.lagRecords == 2)
        try await writer.flush(world.table)
        #expect(try world.query(sums) == expected(2))
    }
}
