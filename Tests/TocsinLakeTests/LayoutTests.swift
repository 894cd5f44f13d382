import Testing
import TocsinCore
import TocsinLake

@Suite struct LayoutTests {
    @Test(arguments: [
        ("2025-10-01T07:59:59.999Z", "date=2025-10-01/hour=07"), ("2025-10-01T08:00:00Z", "date=2025-10-01/hour=08"),
        ("2024-02-29T23:00:00Z", "date=2024-02-29/hour=23"), ("1970-01-01T00:00:00Z", "date=1970-01-01/hour=00"),
    ])
    func anHourOfATime(text: String, path: String) throws {
        let time = try #require(Timestamp(iso8601: text))
        let partition = LakePartition(hourOf: time)
        #expect(partition.path == path)
        #expect(LakePartition(path: path) == partition)
        #expect(partition.start <= time && time < partition.end)
        #expect(partition.wholeDay.hours.contains(partition))
        #expect(LakePartition(dayOf: time) == partition.wholeDay)
    }

    @Test func timesBefore1970AreInTheHourBefore() {
        #expect(LakePartition(hourOf: Timestamp(nanoseconds: -1)).path == "date=1969-12-31/hour=23")
        #expect(LakePartition(hourOf: Timestamp(nanoseconds: -3_600_000_000_001)).path == "date=1969-12-31/hour=22")
    }

    @Test(arguments: [Int64.min, Int64.min + 1, Int64.max])
    func theEndsOfTimeHaveAnHour(nanoseconds: Int64) {
        let partition = LakePartition(hourOf: Timestamp(nanoseconds: nanoseconds))
        #expect(LakePartition(path: partition.path) == partition)
        #expect(partition.start.nanoseconds <= nanoseconds && nanoseconds <= partition.end.nanoseconds)
    }

    @Test(arguments: [
        "date=2025-10-1/hour=07", "date=2025-02-30", "date=2025-10-01/hour=24", "date=2025-10-01/hour=", "hour=07", "",
        "date=2025-10-01/hour=+7", "date=2025-10-01/", "date=9999-01-01", "date=2025-10-01/hour=07/x",
    ])
    func foldersOfOtherKindsAreNone(path: String) { #expect(LakePartition(path: path) == nil) }

    @Test func sparkWritesHoursWithoutZero() {
        #expect(LakePartition(path: "date=2025-10-01/hour=7") == LakePartition(path: "date=2025-10-01/hour=07"))
    }

    @Test func filesAreFoundByTheirPath() throws {
        let day = try #require(LakePartition(path: "date=2025-10-01"))
        for table in LakeTable.allCases {
            let file = LakeFile(table, table.isHourly ? day.hours[7] : day, name: LakeLayout.partName(hash: "00ff"))
            #expect(LakeFile(path: file.path) == file)
            #expect(file.path.hasPrefix(LakeLayout.prefix(of: table, file.partition)))
            #expect(table.layer.tables.contains(table))
        }
        #expect(LakeFile(path: "bronze/events/date=2025-10-01/hour=07/part-1.parquet.new") == nil)
        #expect(LakeFile(path: "bronze/events/date=2025-10-01/part-1.parquet") == nil)
        #expect(LakeFile(path: "silver/events/date=2025-10-01/hour=07/part-1.parquet") == nil)
    }

    @Test func bronzeNamesSayWhatTheyAreMadeOf() {
        let name = BronzeName(spool: 0xab, first: 7, last: 1_234_567_890_123, part: 3)
        #expect(name.text == "part-00000000000000ab-000000000007-1234567890123-3.parquet")
        #expect(BronzeName(name.text) == name)
        #expect(BronzeName("part-00000000000000ab-000000000007-000000000006-0.parquet") == nil)
        #expect(BronzeName("part-00ff.parquet") == nil)
    }
}
