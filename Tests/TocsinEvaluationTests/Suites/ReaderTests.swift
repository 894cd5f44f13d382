import Foundation
import Testing
import TocsinCore
import TocsinEvaluation

@Suite struct ReaderTests {
    private func error(_ suite: String, _ path: String) -> String {
        do {
            _ = try Evaluation.run(suite: suite, path: path, detectors: ["null"])
            return ""
        } catch { return "\(error)" }
    }

    @Test func missingThingsAreNamed() throws {
        let folder = try ScratchFolder()
        #expect(error("nab", folder.path).contains("labels/combined_windows.json"))
        #expect(error("skab", folder.path).contains("valve1"))
        #expect(error("smd", folder.path).contains("test_label.txt"))
        #expect(error("ucr", folder.path).contains("UCR_Anomaly"))
        #expect(error("adbench", folder.path).contains(".csv"))
        #expect(error("cmapss", folder.path).contains("RUL_FD001.txt"))
        #expect(error("nothing", folder.path).contains("choose from nab, skab"))
    }

    @Test func badCellsAreToldWithFileAndLine() throws {
        let folder = try ScratchFolder()
        try folder.write("cpu4.csv", "timestamp,value,label\n0,1.5,0\n300,x,0\n")
        #expect(error("kpi", folder.path).contains("cpu4.csv:3"))
        #expect(error("kpi", folder.path).contains("\"x\" is no number"))
        try folder.write("cpu4.csv", "timestamp,value,label\n0,1.5,0\n300,1\n")
        #expect(error("kpi", folder.path).contains("2 columns where 3 are expected"))
        try folder.write("cpu4.csv", "timestamp,worth,label\n0,1.5,0\n")
        #expect(error("kpi", folder.path).contains("column value is missing"))
        try folder.write("cpu4.csv", "")
        #expect(error("kpi", folder.path).contains("empty"))
    }

    @Test func damagedGzipIsNoCrash() throws {
        let folder = try ScratchFolder()
        try folder.write("smd/m/train.csv.gz", try packedTraining().prefix(60) + Data(repeating: 7, count: 40))
        try folder.write("smd/m/test.csv", "1,2,3\n")
        try folder.write("smd/m/test_label.txt", "0\n")
        #expect(error("smd", folder.path).contains("train.csv.gz"))
    }

    /// Packed and headless files, a quoted header, an empty cell, Windows line ends, semicolons.
    @Test func formsOfFiles() throws {
        let folder = try ScratchFolder()
        try folder.write("smd/m/train.csv.gz", try packedTraining())
        var test = ""
        var labels = ""
        for row in 0..<80 {
            let isOdd = row >= 40 && row < 50
            let third = isOdd ? "9" : row == 3 ? "" : "0"
            test += "\(sin(Double(row) / 5)),\(cos(Double(row) / 7)),\(third)\r\n"
            labels += isOdd ? "1\n" : "0\n"
        }
        try folder.write("smd/m/test.csv", test)
        try folder.write("smd/m/test_label.txt", labels)
        for path in [folder.path, folder.path + "/smd"] {
            let report = try Evaluation.run(suite: "smd", path: path, detectors: ["pca-error"])
            #expect(report.figure("pca-error", "m", column: "AP") == 1)
            #expect(report.figure("pca-error", "m", column: "found") == 1)
        }
        var table = "\"a\";\"label\"\n"
        for row in 0..<64 { table += row == 60 ? "1.5e3;1\n" : "\(row % 7)e-1;0\n" }
        try folder.write("adbench/t.csv", table)
        let report = try Evaluation.run(suite: "adbench", path: folder.path, detectors: ["forest"])
        #expect(report.figure("forest", "t", column: "AUROC") == 1)
    }

    @Test func namesOfUCRFilesAreChecked() throws {
        let folder = try ScratchFolder()
        try folder.write("001_UCR_Anomaly_x_10_30_99.txt", String(repeating: " 1.0\n", count: 40))
        #expect(error("ucr", folder.path).contains("anomaly start"))
    }
}
