import CDuckDB
import Foundation
import Synchronization
import TocsinCore

/// The shared object of DuckDB: where it is looked for, and its loading, once for the process.
public enum DuckDBLibrary {
    /// A library that may be opened, with the libpython that must be opened before it.
    struct Candidate {
        var path: String
        var pythons: [String] = []
    }

    private static let loaded = Mutex<String?>(nil)

    /// Path of the library in use; nil before the first `DuckDB.open`.
    public static var path: String? { loaded.withLock { $0 } }

    /// Opens the library; later calls do nothing.
    /// - Throws: `TocsinError` that says what was looked for, where, and what to install.
    @discardableResult
    public static func load(path: String? = nil, searchFolders: [String] = []) throws -> String {
        try loaded.withLock { loaded in
            // A library that is named and missing is an error even where another one serves already.
            if let loaded, path.map(FileManager.default.fileExists(atPath:)) != false { return loaded }
            var failures: [String] = []
            for candidate in candidates(path: path, searchFolders: searchFolders) {
                if let failure = FileManager.default.fileExists(atPath: candidate.path) || !candidate.path.contains("/")
                    ? open(candidate) : "no such file"
                {
                    failures.append("\(candidate.path): \(failure)")
                } else {
                    loaded = candidate.path
                    return candidate.path
                }
            }
            throw TocsinError(
                .lake, "DuckDB's library was not found. Tried: \(failures.joined(separator: "; ")).",
                place: path ?? searchFolders.joined(separator: ":"),
                remedy: "Install libduckdb.so, or `pip install duckdb==1.5.5` into a virtual environment together with "
                    + "Debian's libpython3, and name the library in TOCSIN_DUCKDB.")
        }
    }

    /// nil on success, else the reason.
    private static func open(_ candidate: Candidate) -> String? {
        var reason = ""
        for python in candidate.pythons.isEmpty ? [nil] : candidate.pythons.map(Optional.some) {
            var message = [CChar](repeating: 0, count: 1_024)
            if tdk_load(candidate.path, python, &message, message.count) { return nil }
            let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if reason.isEmpty { reason = text }
        }
        return reason
    }

    /// In the order in which they are tried: a path that was named is the only one.
    static func candidates(path: String?, searchFolders: [String]) -> [Candidate] {
        let environment = ProcessInfo.processInfo.environment
        if let named = path ?? environment["TOCSIN_DUCKDB"], !named.isEmpty {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: named, isDirectory: &isFolder), isFolder.boolValue {
                let inside = modules(in: named)
                return inside.isEmpty ? [Candidate(path: named + "/libduckdb.so")] : inside
            }
            return [candidate(module: named)]
        }
        let folders = searchFolders + [environment["VIRTUAL_ENV"]].compactMap { $0 }
        return [Candidate(path: "libduckdb.so")] + folders.flatMap(modules(in:))
            + (folders.isEmpty ? [] : [Candidate(path: "_duckdb.cpython-3*.so in \(folders.joined(separator: ", "))")])
    }

    /// Extension modules in a folder, a site-packages below it, or a virtual environment.
    private static func modules(in folder: String) -> [Candidate] {
        var places = [folder]
        let lib = folder + "/lib"
        for name in names(lib) where name.hasPrefix("python3") { places.append("\(lib)/\(name)/site-packages") }
        places.append(folder + "/site-packages")
        return places.flatMap { place in
            names(place).filter { $0.hasPrefix("_duckdb.cpython-3") && $0.hasSuffix(".so") }
                .map { candidate(module: "\(place)/\($0)") }
        }
    }

    /// The libpython for `_duckdb.cpython-311-….so`: the system's, then the one beside the environment's interpreter.
    private static func candidate(module path: String) -> Candidate {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        guard let range = file.firstRange(of: ".cpython-3") else { return Candidate(path: path) }
        let minor = file[range.upperBound...].prefix { $0.isNumber }
        let library = "libpython3.\(minor).so.1.0"
        var pythons = [library]
        // <environment>/lib/python3.x/site-packages/_duckdb….so
        let environment = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(
            separator: "/")
        if let text = try? String(contentsOfFile: environment + "/pyvenv.cfg", encoding: .utf8) {
            for line in text.split(separator: "\n") where line.hasPrefix("home") {
                guard let home = line.split(separator: "=", maxSplits: 1).last else { continue }
                pythons.append(home.trimmingCharacters(in: .whitespaces) + "/../lib/" + library)
            }
        }
        return Candidate(path: path, pythons: pythons)
    }

    private static func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// `httpfs.duckdb_extension` as PyPI's package of it lies beside the library.
    static func httpfs(version: String) -> String? {
        guard let library = path else { return nil }
        let folder = library.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let file = "\(folder)/duckdb_extension_httpfs/extensions/\(version)/httpfs.duckdb_extension"
        return FileManager.default.fileExists(atPath: file) ? file : nil
    }
}
