import Foundation
import Testing
import TocsinApp
import TocsinChart
import TocsinCore

@Suite final class PictureFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    private let chart = Chart(title: "pump", panels: [ChartPanel(title: "temperature")])

    @Test func aPictureIsWrittenAsIs() throws {
        let file = folder.appendingPathComponent("a.SVG")
        try PictureFile.write(chart, to: file.path)
        #expect(try String(contentsOf: file, encoding: .utf8) == chart.svg())
    }

    @Test func otherFormatsAreRefused() {
        for name in ["a.pdf", "svg", ""] {
            let error = #expect(throws: TocsinError.self) { try PictureFile.check(name) }
            #expect(error?.code == .usage)
            #expect(error?.remedy?.contains(".png") == true)
        }
    }

    /// With the converter the PNG is there; without it the message says what to install. Nothing else is left.
    @Test func aPNGOrAClearMessage() throws {
        let file = folder.appendingPathComponent("a.png")
        do {
            try PictureFile.write(chart, to: file.path)
            #expect(try Data(contentsOf: file).prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
        } catch let error as TocsinError {
            #expect(error.remedy?.contains("librsvg2-bin") == true)
            #expect(!FileManager.default.fileExists(atPath: file.path))
        }
        #expect(!FileManager.default.fileExists(atPath: file.path + ".svg"))
    }

    @Test func aFolderThatIsNotThereIsNamed() {
        let error = #expect(throws: TocsinError.self) {
            try PictureFile.write(chart, to: folder.appendingPathComponent("none/a.svg").path)
        }
        #expect(error?.code == .file)
    }
}
