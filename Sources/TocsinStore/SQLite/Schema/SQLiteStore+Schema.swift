#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import GRDB
public import TocsinCore

extension SQLiteStore {
    /// The schema of a database and the steps that bring it up to date. Opens it for reading only and changes nothing; a
    /// file that does not exist has no schema yet, and is not made.
    /// - Throws: `TocsinError` where the file is no database, or another program's.
    public static func schemaStatus(path: String) throws -> SchemaStatus {
        let version = try presentVersion(path)
        let steps = SQLiteSchema.migrations.enumerated().map { index, step in
            SchemaStatus.Step(
                number: index + 1, title: step.title, sql: step.statements, isApplied: index < version)
        }
        return SchemaStatus(place: path, version: version, knownVersion: steps.count, steps: steps)
    }

    private static func presentVersion(_ path: String) throws -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw SQLiteFailure.system(errno, "the database cannot be opened", path) }
            return 0
        }
        guard status.st_size > 0 else { return 0 }
        do {
            try SQLiteConnection.refuseForeignFile(path)
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: uri(path), configuration: configuration)
            defer { try? queue.close() }
            return try queue.unsafeRead { Int(try SQLiteSchema.presentVersion($0, path: path)) }
        } catch {
            throw SQLiteFailure.translate(error, path: path)
        }
    }

    /// Without a log beside it the file is all there is: opened as immutable, not even a lock is taken. With one, its
    /// writer may be at work, and SQLite has to be asked the usual way.
    private static func uri(_ path: String) -> String {
        var log = stat()
        if stat(path + "-wal", &log) == 0, log.st_size > 0 { return path }
        let digits = Array("0123456789ABCDEF".utf8)
        var text = Array("file:".utf8)
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                text.append(byte)
            default:
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self) + "?immutable=1"
    }

    /// Brings a database up to date and closes it. `observing` is called at every moment at which a crash would leave
    /// something else: for tests.
    /// - Parameter observing: number of the step, and whether it is committed.
    package static func migrate(path: String, observing: (Int, Bool) throws -> Void) throws {
        let lock = try FolderLock(database: path)
        defer { lock.release() }
        do {
            let pool = try SQLiteConnection.open(path: path, settings: SQLiteSettings(), isDurable: true) { moment in
                switch moment {
                case .beforeCommit(let step): try observing(step, false)
                case .afterCommit(let step): try observing(step, true)
                }
            }
            try pool.close()
        } catch {
            throw SQLiteFailure.translate(error, path: path)
        }
    }
}
