#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCore

/// The rows by rule of an hour of silver, in the metadata of its file: they last as long as the file does, and are found
/// again when the hour is not made anew.
///
/// They are counted when the file is complete, so it is written with a blank of fixed length, which is filled in before the
/// file is forced to disk and gets its name.
enum ReportedFigures {
    static let key = "tocsin_rows"
    private static let length = 1024
    static let blank = "tocsin-rows-blank" + String(repeating: ".", count: length - 17)

    /// Fills the blank in; figures that are too long for it are left out.
    static func write(_ counts: RuleCounts, into path: String) throws(TocsinError) {
        var text = counts.rows.map { "\($0.rule)=\($0.rows)" }.joined(separator: "\n")
        if text.utf8.count > length { text = "" }
        text += String(repeating: " ", count: length - text.utf8.count)
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw LocalFiles.failure("The file cannot be opened", path) }
        defer { close(file) }
        guard let place = place(of: Array(blank.utf8), in: file),
            pwrite(file, Array(text.utf8), length, off_t(place)) == length
        else { throw LocalFiles.failure("Its figures cannot be written", path) }
    }

    /// nil where the file says none.
    static func counts(_ text: String?) -> RuleCounts? {
        let rows = (text ?? "").split { $0 == "\n" }.compactMap { line -> (rule: String, rows: Int)? in
            let parts = line.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count > 1, let last = parts.last,
                let rows = Int(last.prefix { $0 != " " })
            else { return nil }
            return (parts.dropLast().joined(separator: "="), rows)
        }
        return rows.isEmpty ? nil : RuleCounts(rows: rows)
    }

    /// The metadata stands in the footer, whose length the file's last eight bytes begin with.
    private static func place(of text: [UInt8], in file: Int32) -> Int? {
        let end = Int(lseek(file, 0, SEEK_END))
        var tail = [UInt8](repeating: 0, count: 8)
        guard end > 12, pread(file, &tail, 8, off_t(end - 8)) == 8 else { return nil }
        let size = tail[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size >= text.count, size <= end - 8 else { return nil }
        var footer = [UInt8](repeating: 0, count: size)
        let start = end - 8 - size
        var read = 0
        while read < size {
            let count = footer.withUnsafeMutableBytes { bytes in
                pread(file, bytes.baseAddress.map { $0 + read }, size - read, off_t(start + read))
            }
            guard count > 0 else { return nil }
            read += count
        }
        guard let found = footer.firstRange(of: text) else { return nil }
        return start + found.lowerBound
    }
}
