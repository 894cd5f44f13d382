import Foundation
import Testing
import TocsinCore
import TocsinDecode

/// Real recordings, where the folder with them is there.
struct SharedDataTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data")
    private static var isThere: Bool { FileManager.default.fileExists(atPath: folder.path) }

    @Test(
        .enabled(if: isThere, "needs the recordings in ../shared/data"),
        arguments: [
            ("smoke/smoke_shared.csv", 17_123, 12, "Temperature"),
            ("nab/data/realKnownCause/machine_temperature_system_failure.csv", 22_695, 1, "value"),
            ("skab/valve1/0.csv", 1147, 8, "Accelerometer1RMS"),
            ("occupancy/datatraining.csv", 8143, 6, "Temperature"),
        ])
    func decodesEveryRow(path: String, rows: Int, metrics: Int, first: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Self.folder.appending(path: path)))
        let table = SeriesTable(seed: 1)
        var decoder = EventDecoder(mapping: InputMapping(defaultSensor: "file"))
        var assembler = ChunkAssembler()
        var events = 0
        var readings = 0
        for run in assembler.append(bytes) + assembler.finish() {
            let batch = decoder.decode(run, origin: testOrigin, table: table)
            events += batch.eventCount
            readings += batch.readingCount
            #expect(batch.rejects.map(\.detail) == [])
        }
        #expect(events == rows)
        #expect(readings == rows * metrics)
        #expect(table.withIndex { $0.name(MetricID(0)) } == first)
    }
}
