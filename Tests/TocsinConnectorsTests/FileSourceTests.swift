import Foundation
import Testing
import TocsinConnectors
import TocsinCore
import TocsinDecode
import TocsinTestKit

@Suite struct FileSourceTests {
    private let folder: TestFolder
    private let table = SeriesTable(seed: 1)
    private let delivery = CollectingDelivery()

    init() throws { folder = try TestFolder() }

    @Test func readsFilesInOrderAndNamesTheSensorAfterTheFile() async throws {
        let first = try folder.write("a.csv", "timestamp,value\n1760000000,1\n1760000001,2\n")
        let second = try folder.write("b.json", lines(3..<5))
        try await fileSource([first, second], table: table).run(delivery: delivery)
        #expect(delivery.values == [1, 2, 3, 4])
        #expect(table.withIndex { $0.sensor(named: "a") } != nil)
    }

    @Test func aFolderStandsForItsInputFilesInNameOrder() async throws {
        try folder.write("2.json", lines(2..<3))
        try folder.write("1.json", lines(1..<2))
        try folder.write("notes.md", "nothing")
        try await fileSource([folder.path]).run(delivery: delivery)
        #expect(delivery.values == [1, 2])
    }

    @Test func aMissingFileAndAnEmptyFolderAreClearErrors() throws {
        #expect(throws: TocsinError.self) { try fileSource([folder.path + "/none.csv"]) }
        let error = #expect(throws: TocsinError.self) { try fileSource([folder.path]) }
        #expect(error?.description.contains("holds no input file") == true)
    }

    @Test func batchesCarryTheNameOfTheSourceOrThePathOnDemand() async throws {
        let path = try folder.write("a.json", lines(0..<1))
        try await fileSource([path]).run(delivery: delivery)
        try await FileSource(
            name: "replay", paths: [path], follows: false, decoding: DecoderSettings(), table: table,
            identity: SourceID(1), clock: HandClock(), namesOriginByPath: true
        ).run(delivery: delivery)
        #expect(delivery.batches.map(\.origin.sourceName) == ["test", path])
    }

    @Test func gzipIsUnpackedAndACutOffFileIsReportedAfterItsGoodPart() async throws {
        let packed = try folder.packed(lines(0..<20_000))
        let whole = folder.url.appendingPathComponent("whole.json.gz")
        try packed.write(to: whole)
        try await fileSource([whole.path]).run(delivery: delivery)
        #expect(delivery.values.count == 20_000)

        let cut = folder.url.appendingPathComponent("cut.json.gz")
        try packed.prefix(packed.count / 2).write(to: cut)
        let part = CollectingDelivery()
        let error = await #expect(throws: TocsinError.self) { try await fileSource([cut.path]).run(delivery: part) }
        #expect(error?.description.contains("damaged or cut off") == true)
        #expect(part.values.count > 5_000)
        #expect(part.values.count < 20_000)
    }

    @Test func gzipMembersFollowEachOtherAndDamageInTheMidstIsReported() async throws {
        let packed = try folder.packed(lines(0..<2_000))
        let twice = folder.url.appendingPathComponent("twice.json.gz")
        try (packed + packed + Data(repeating: 0, count: 512)).write(to: twice)
        try await fileSource([twice.path]).run(delivery: delivery)
        #expect(delivery.values.count == 4_000)

        var broken = packed
        broken.replaceSubrange(packed.count / 2..<packed.count / 2 + 64, with: Data(repeating: 0xff, count: 64))
        let path = folder.url.appendingPathComponent("broken.json.gz")
        try broken.write(to: path)
        let part = CollectingDelivery()
        let error = await #expect(throws: TocsinError.self) { try await fileSource([path.path]).run(delivery: part) }
        #expect(error?.code == .format)
        #expect(!part.values.isEmpty)
    }
}
