import Dispatch
import Foundation
import Testing
import TocsinConnectors
import TocsinCore

#if canImport(Glibc)
import Glibc
#endif

/// Named pipes stand for standard input: both are read in the same way.
@Suite(.timeLimit(.minutes(5))) struct FilePipeTests {
    private let folder: TestFolder
    private let delivery = CollectingDelivery()
    private let path: String

    init() throws {
        folder = try TestFolder()
        path = folder.path + "/pipe"
        try #require(mkfifo(path, 0o600) == 0)
    }

    @Test func aLineIsDeliveredWhileThePipeStaysOpen() async throws {
        let source = try fileSource([path])
        let work = Task { [delivery] in try await source.run(delivery: delivery) }
        // Open for both, so that it does not wait for the reader.
        let writer = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        for number in 0..<3 {
            try writer.write(contentsOf: Data(lines(number..<number + 1).utf8))
            #expect(await eventually { delivery.values.count == number + 1 })
        }
        try writer.write(contentsOf: Data(lines(3..<4).utf8.dropLast()))
        try writer.close()
        try await work.value
        #expect(delivery.values == [0, 1, 2, 3])
    }

    @Test func aSilentPipeCanBeCancelled() async throws {
        let source = try fileSource([path])
        let writer = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let work = Task { [delivery] in try await source.run(delivery: delivery) }
        try writer.write(contentsOf: Data(lines(0..<1).utf8))
        #expect(await eventually { delivery.values.count == 1 })
        let start = ContinuousClock.now
        work.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(ContinuousClock.now - start < .seconds(60))
        try writer.close()
    }

    @Test func gzipThroughAPipeIsUnpackedHoweverItIsCut() async throws {
        let packed = try folder.packed(lines(0..<30_000))
        let source = try fileSource([path])
        let work = Task { [delivery] in try await source.run(delivery: delivery) }
        let writer = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let written = Task.detached {
            // The magic number arrives in two pieces.
            try writer.write(contentsOf: packed.prefix(1))
            try writer.write(contentsOf: packed.dropFirst(1).prefix(5_000))
        }
        try await written.value
        #expect(await eventually { !delivery.values.isEmpty })
        DispatchQueue.global().async {
            try? writer.write(contentsOf: packed.dropFirst(5_001))
            try? writer.close()
        }
        try await work.value
        #expect(delivery.values.count == 30_000)
    }
}
