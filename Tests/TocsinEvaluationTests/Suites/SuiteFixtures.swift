import Foundation
import Testing
import TocsinEvaluation

/// A folder that is removed when the test has run.
final class ScratchFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "tocsin-suites-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    func write(_ name: String, _ data: Data) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }
}

/// Whether the recordings beside the repository are there; tests that need them are shown as skipped without.
let hasSharedData = FileManager.default.fileExists(atPath: sharedData.appending(path: "README.md").path)

func runShared(_ suite: String, _ detectors: [String]) throws -> SuiteReport {
    try Evaluation.run(suite: suite, path: sharedData.path, detectors: detectors)
}

/// Eighty rows `sin(i/5),cos(i/7),0`, gzip.
func packedTraining() throws -> Data {
    let text =
        "H4sIAAAAAAACA1VTQZIjMQi771uSLjBgzP8/tkaid2YvSVQYIYQij4h8FJ/yRx6t+shTRWQHKAoodjRS1lLzouMKhO8nYwOV"
        + "rYt2BNHpvvDum0mP69TSL1qHLCU9T32RU87nK7eBxZ3RUN2oRnfDdfjYDFVXKtCr59tDu7dJAlwbArst0J0v9sv67TUW8dbV"
        + "mMviYQLvwSdZr8EVF782ouD/1wvzaOX8+M7C4Dsz/52XRn0xekyp30fvxrph07+yuP7UhXzrzFk16d3cVfs+IrTOy+G60+ZI"
        + "XIQoUfO+dV8E6Yi5T+3zmfeNUMsXITnnfYl0lE5WAjnakyPzX4mLm5WfNDp0guuitexXGmWB5TVQEaR//tneUDN2RC93pdq4"
        + "iwyGnTF/HSw51cKcdpSww/konaY2pPJ9TefVJ0mlRefjJTdeZoZtJiN8+sOSl81RzqRmzHvdm8lg7MUYrPFyGXO4CX3JT+wu"
        + "d/1K5eV0VsfPMxnEpD4SmWVgIXHHauDIsrn9pur5q9bEkdfPc7jzmkhh7koy+0GvGqG1k1cjA6c9/ro5bkgtpLHN/QtUgF0X"
        + "rAQAAA=="
    return try #require(Data(base64Encoded: text))
}
