import Foundation
import TocsinCore

/// The one file that a query writes.
enum LocalOutput {
    /// Puts the finished file in its place at once.
    static func move(_ part: String, to path: String) throws {
        guard rename(part, path) == 0 else {
            throw TocsinError(
                .file, "The file could not be put in its place: \(String(cString: strerror(errno))).", place: path)
        }
    }

    static func remove(_ path: String) { unlink(path) }
}
