#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// Where figures go for programs.
public enum ReportFile {
    /// Begins a report: program, version, what was measured and on what machine.
    public static func begin(_ benchmark: String, _ json: inout JSONWriter) {
        json.field("benchmark", benchmark)
        json.field("version", tocsinVersion)
        json.key("machine")
        json.object { Machine.current().write(to: &$0) }
    }

    /// Writes the bytes to a file, or to standard output for `-`.
    /// - Throws: `TocsinError(.file)`.
    public static func write(_ bytes: [UInt8], to path: String) throws(TocsinError) {
        guard path != "-" else {
            print(String(decoding: bytes, as: UTF8.self), terminator: "")
            return
        }
        guard let file = fopen(path, "w") else { throw failure(path) }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw failure(path) }
    }

    private static func failure(_ path: String) -> TocsinError {
        TocsinError(
            .file, "cannot write the figures: \(String(cString: strerror(errno)))", place: path,
            remedy: "check the folder, its rights and the free space")
    }
}
