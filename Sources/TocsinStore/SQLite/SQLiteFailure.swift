#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import GRDB
internal import TocsinCore

/// Turns what SQLite and the operating system say into sentences for people.
enum SQLiteFailure {
    /// `TocsinError` and cancellation pass unchanged.
    static func translate(_ error: any Error, path: String) -> any Error {
        if let damage = error as? DamagedChunk {
            return TocsinError(
                .store, "row \(damage.id) of window_chunks is damaged: its bytes are not those that were written",
                place: path,
                remedy: "Check the disk. Without that row the others can be listed again: "
                    + "`sqlite3 FILE \"DELETE FROM window_chunks WHERE id = \(damage.id)\"`.")
        }
        guard let error = error as? DatabaseError else { return error }
        let code = error.resultCode
        let cause = "\(error.message ?? "no message") (SQLite code \(error.extendedResultCode.rawValue))"
        let (message, remedy, isRetriable) = explain(code)
        return TocsinError(
            .store, "\(message): \(cause)", place: path, remedy: remedy, isRetriable: isRetriable)
    }

    private static func explain(_ code: ResultCode) -> (message: String, remedy: String, isRetriable: Bool) {
        switch code {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            (
                "the database is locked by another process", "Close the program that holds it; writing is tried again.",
                true
            )
        case .SQLITE_FULL:
            (
                "the disk is full",
                "Free space; writing is tried again. A bound on the size of the store keeps this from happening.", true
            )
        case .SQLITE_NOMEM:
            ("out of memory", "Free memory, or lower the store's cache.", true)
        case .SQLITE_NOTADB:
            ("the file is not an SQLite database", "Give another path, or move this file away to start afresh.", false)
        case .SQLITE_CORRUPT:
            (
                "the database is damaged",
                "Move it away to start afresh, or rescue its rows with `sqlite3 FILE .recover`.", false
            )
        case .SQLITE_READONLY:
            (
                "the database cannot be written",
                "Give the user of this process write access to the file and its folder.", false
            )
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            (
                "the database cannot be opened",
                "Check that the folder exists and that this user may read and write it.", false
            )
        case .SQLITE_IOERR:
            ("the disk failed to read or write", "Check the disk and its file system (`dmesg`).", false)
        case .SQLITE_TOOBIG:
            ("a value is larger than SQLite can hold", "Lower the configured maximum length of a message.", false)
        default:
            ("the database refused a statement", "Please report this with the text above.", false)
        }
    }

    /// A failed system call. Full disks and interrupted calls are worth another try.
    static func system(_ number: Int32, _ message: String, _ path: String) -> TocsinError {
        let reason = String(cString: strerror(number))
        let remedy: String? =
            switch number {
            case EACCES, EPERM: "Give the user of this process write access to the folder, or choose another path."
            case EROFS: "The file system is mounted read-only: choose another path."
            case ENOSPC, EDQUOT: "Free space on this disk."
            case ENOENT, ENOTDIR: "Check the path: a part of it is missing or is not a folder."
            default: nil
            }
        return TocsinError(
            .store, "\(message): \(reason)", place: path, remedy: remedy,
            isRetriable: number == ENOSPC || number == EDQUOT || number == EINTR)
    }

    static func closed(_ path: String) -> TocsinError {
        TocsinError(.store, "the store is closed", place: path, remedy: "Open it again before using it.")
    }

    static func readOnly(_ path: String) -> TocsinError {
        TocsinError(.store, "the store was opened for reading only", place: path, remedy: "Open it for writing.")
    }
}
