import Foundation
import Testing
import TocsinConnectors
import TocsinCore

@Suite(.timeLimit(.minutes(5))) struct FileFollowTests {
    private let folder: TestFolder
    private let delivery = CollectingDelivery()
    private let sleep = HandSleep()

    init() throws { folder = try TestFolder() }

    /// Runs a following source beside the body.
    private func following(_ path: String, _ body: () async throws -> Void) async throws {
        let source = try fileSource([path], follows: true, sleep: sleep)
        let work = Task { [delivery] in try await source.run(delivery: delivery) }
        defer { work.cancel() }
        try await body()
        work.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
    }

    @Test func aFileIsReadOnWhenItGrows() async throws {
        let path = try folder.write("grow.json", lines(0..<2))
        try await following(path) {
            #expect(await sleep.look())
            try folder.append("grow.json", lines(2..<4).utf8)
            #expect(await sleep.look())
            #expect(delivery.values == [0, 1, 2, 3])
        }
    }

    @Test func aRotatedFileIsReadToItsEndBeforeItsSuccessor() async throws {
        let path = try folder.write("log.json", lines(0..<1))
        try await following(path) {
            #expect(await sleep.look())
            try folder.append("log.json", lines(1..<3).utf8.dropLast())
            try folder.rename("log.json", "log.json.1")
            try folder.write("log.json", lines(3..<4))
            #expect(await sleep.look(times: 2))
            #expect(delivery.values == [0, 1, 2, 3])
        }
    }

    @Test func aTornEndIsTakenWhenTheFileIsEmptied() async throws {
        let path = try folder.write("log.json", lines(0..<2) + "torn")
        try await following(path) {
            #expect(await sleep.look())
            try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 0)
            try folder.append("log.json", lines(2..<3).utf8)
            #expect(await sleep.look(times: 2))
            #expect(delivery.values == [0, 1, 2])
            #expect(delivery.rejects.count == 1)
        }
    }

    @Test func everyFileOfAFolderIsReadOnWithItsOwnHeader() async throws {
        try folder.write("a.csv", "timestamp,value\n1760000000,1\n17600")
        try await following(folder.path) {
            #expect(await sleep.look())
            try folder.write("b.csv", "value,timestamp\n10,1760000000\n")
            #expect(await sleep.look())
            try folder.append("a.csv", "00001,2\n1760000002,3\n".utf8)
            try folder.append("b.csv", "11,1760000001\n".utf8)
            #expect(await sleep.look())
            #expect(delivery.values == [1, 10, 2, 3, 11])
            #expect(delivery.rejects.isEmpty)
        }
    }

    @Test func aFolderMayBeEmptyAtFirstAndInBetween() async throws {
        try await following(folder.path) {
            #expect(await sleep.look())
            try folder.write("a.json", lines(0..<1))
            #expect(await sleep.look())
            try folder.remove("a.json")
            #expect(await sleep.look())
            try folder.write("b.json", lines(1..<2))
            #expect(await sleep.look())
            #expect(delivery.values == [0, 1])
        }
    }

    @Test func whatWasAppendedToAFileThatLeavesTheFolderIsNotLost() async throws {
        try folder.write("a.json", lines(0..<1))
        try await following(folder.path) {
            #expect(await sleep.look())
            try folder.append("a.json", lines(1..<3).utf8.dropLast())
            try folder.remove("a.json")
            #expect(await sleep.look())
            #expect(delivery.values == [0, 1, 2])
        }
    }

    @Test func aWholeMessageWithoutLineEndIsTakenSoonButHalfARowIsNot() async throws {
        try folder.write("one.json", String(lines(7..<8).dropLast()))
        try folder.write("row.csv", "timestamp,value\n1760000000,1")
        try folder.write("torn.json", #"{"sensor_id":"s","timest"#)
        try await following(folder.path) {
            #expect(await sleep.look(times: 5))
            #expect(delivery.values == [7])
            #expect(delivery.rejects.isEmpty)
            try folder.append("row.csv", "2.5\n".utf8)
            try folder.append("one.json", ("\n" + lines(8..<9)).utf8)
            #expect(await sleep.look())
            #expect(delivery.values == [7, 8, 12.5])
            #expect(await sleep.look(times: 1_201))
            #expect(delivery.rejects.map(\.reason) == [.malformed])
        }
    }

    @Test func moreFilesThanStayOpenAreAllReadOn() async throws {
        let count = 600
        for number in 0..<count {
            try folder.write("\(number).csv", "timestamp,value\n1760000000,\(number)\n1760000001")
        }
        try await following(folder.path) {
            #expect(await sleep.look())
            #expect(delivery.values.count == count)
            #expect(openDescriptors(in: folder.path) <= 256)
            for number in 0..<count { try folder.append("\(number).csv", ",\(number)\n".utf8) }
            #expect(await sleep.look())
            #expect(delivery.values.count == 2 * count)
            #expect(delivery.rejects.isEmpty)
        }
    }

    @Test func aPackedFileIsReadOnWhileItIsCopiedAndDamageBecomesADeadLetter() async throws {
        let packed = try folder.packed(lines(0..<20_000))
        let path = folder.url.appendingPathComponent("a.json.gz")
        try packed.prefix(packed.count / 2).write(to: path)
        try await following(folder.path) {
            #expect(await sleep.look())
            try folder.append("a.json.gz", packed.suffix(from: packed.count / 2))
            #expect(await sleep.look())
            #expect(delivery.values.count == 20_000)
            try packed.prefix(packed.count / 2).write(to: folder.url.appendingPathComponent("b.json.gz"))
            #expect(await sleep.look())
            #expect(delivery.rejects.isEmpty)
            try folder.remove("b.json.gz")
            try folder.write("c.json", lines(0..<1))
            #expect(await sleep.look())
            #expect(delivery.rejects.contains { $0.detail.contains("damaged or cut off") })
            #expect(delivery.values.last == 0)
        }
    }

    private func openDescriptors(in folder: String) -> Int {
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return descriptors.count { descriptor in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
            return target?.hasPrefix(folder) == true
        }
    }
}
