#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// A file that holds a password or a key.
public enum SecretFile {
    private static let longest = 64 << 10

    /// Its content without line ends at its end.
    public static func read(_ path: String) throws(TocsinError) -> String {
        guard let file = fopen(path, "re") else {
            throw TocsinError(
                .file, "cannot read the file: \(String(cString: strerror(errno)))", place: path,
                remedy: "check the path and its rights")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: longest)
        let count = fread(&bytes, 1, bytes.count, file)
        bytes.removeSubrange(count...)
        while bytes.last == 0x0a || bytes.last == 0x0d { bytes.removeLast() }
        guard !bytes.isEmpty, count < longest else {
            throw TocsinError(
                .file, bytes.isEmpty ? "the file is empty" : "the file is too long for a secret", place: path)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
