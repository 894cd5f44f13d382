import Foundation
import TocsinCore
import TocsinLake

/// DuckDB for tests: in memory, from TOCSIN_DUCKDB, the system, or the repository's `.build/venv`.
enum TestDuckDB {
    static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    static var settings: DuckDBSettings {
        DuckDBSettings(searchFolders: [repository + "/.build/venv"], memoryLimitBytes: 1 << 30, threads: 2)
    }

    /// Why tests that need DuckDB are skipped.
    static let comment = "needs DuckDB: libduckdb.so, TOCSIN_DUCKDB, or `pip install duckdb` in .build/venv"

    static let isThere: Bool = {
        do {
            _ = try DuckDB.open(settings)
            return true
        } catch {
            print("DuckDB tests are skipped: \(error)")
            return false
        }
    }()

    static func connect() throws -> DuckDBConnection { try DuckDB.open(settings).connect() }
}

/// A folder that goes away with its owner.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/tocsin-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ bytes: [UInt8], to name: String) throws {
        let url = URL(filePath: file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }
}
