import Foundation
import Testing
import TocsinEvaluation

private let shared = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data")

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: shared.appending(path: "smoke/smoke_shared.csv").path),
        "no recordings at ../shared/data"))
struct SmokeSuiteTests {
    @Test func theFireOfAnUnseenRecordingIsFoundInTimeWithoutFalseAlarms() throws {
        let report = try Evaluation.run(
            suite: "smoke", path: shared.path, detectors: ["fire-limits", "fire-change", "fire"])
        for name in ["fire-change", "fire"] {
            for part in ["unseen recording B", "fifth by fifth of B"] {
                #expect(report.figure(name, part, column: "found") == 1)
                #expect(try #require(report.figure(name, part, column: "after sign s")) <= 10)
            }
            for part in ["unseen recording A", "unseen recording B", "fifth by fifth of A", "fifth by fifth of B"] {
                #expect(report.figure(name, part, column: "false min") == 0)
            }
            // The label of A shows in no sensor.
            #expect(report.figure(name, "unseen recording A", column: "with sign") == 0)
        }
        for device in 1...3 {
            #expect(report.figure("fire-change", "iot-device-0\(device)", column: "false alarms") == 0)
        }
        #expect(report.notes.contains { $0.contains("A, rows 3 to 4") && $0.contains("no detector") })
    }
}
