import Foundation
import Testing
import TocsinApp
import TocsinCore
import TocsinJobs

/// What `score` does to the file it writes to when it cannot do its work.
@Suite final class ScoreOutputTests {
    private let folder: URL
    private let table = "ts,temperature\n1760000000,20\n1760000001,21\n"

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-out-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try table.write(to: file("in.csv"), atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private func score(_ input: String, to output: String, values: [String] = ["temperature"]) throws {
        _ = try ScoreRun(
            .init(
                path: file(input).path, timeColumn: "ts", valueColumns: values, groupColumn: nil,
                detector: .byRow(.standard),
                trainRows: 300, output: file(output).path)
        ).run()
    }

    @Test(arguments: ["in.csv", "./in.csv", "soft.csv", "hard.csv"])
    func theInputIsNotWrittenOver(output: String) throws {
        try FileManager.default.createSymbolicLink(at: file("soft.csv"), withDestinationURL: file("in.csv"))
        try FileManager.default.linkItem(at: file("in.csv"), to: file("hard.csv"))
        let error = #expect(throws: TocsinError.self) { try score("in.csv", to: output) }
        #expect(error?.code == .usage)
        #expect(error?.description.contains("--out") == true)
        #expect(try String(contentsOf: file("in.csv"), encoding: .utf8) == table)
    }

    @Test(arguments: [("in.csv", "pressure"), ("none.csv", "temperature")])
    func aRunThatCannotStartLeavesTheOutputAsItWas(input: String, column: String) throws {
        try "of yesterday".write(to: file("out.csv"), atomically: true, encoding: .utf8)
        #expect(throws: TocsinError.self) { try score(input, to: "out.csv", values: [column]) }
        #expect(try String(contentsOf: file("out.csv"), encoding: .utf8) == "of yesterday")
        try score("in.csv", to: "out.csv")
        #expect(try String(contentsOf: file("out.csv"), encoding: .utf8).hasPrefix("time,score,"))
    }
}
