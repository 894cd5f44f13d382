internal import TocsinCore

/// Where a suite's files are: the given path, or the folder of the suite's name inside of it.
struct SuiteFolder {
    let path: String

    /// - Parameters:
    ///   - name: the folder's usual name.
    ///   - marker: a file or folder that every such folder holds.
    /// - Throws: `TocsinError(.file)` that names what is missing.
    init(_ given: String, name: String, marker: String) throws {
        let given = given.count > 1 && given.hasSuffix("/") ? String(given.dropLast()) : given
        guard let found = ["\(given)/\(name)", given].first(where: { TextFile.exists("\($0)/\(marker)") }) else {
            throw TocsinError(
                .file, "\(marker) is missing: this is no folder of the suite \(name)", place: given,
                remedy: "give the folder \(name) itself or the data folder that holds it")
        }
        path = found
    }

    /// The files of a subfolder with an ending, packed or not, in order.
    func files(_ folder: String = "", ending: String) -> [String] {
        let place = folder.isEmpty ? path : "\(path)/\(folder)"
        return TextFile.names(in: place).filter { $0.hasSuffix(ending) || $0.hasSuffix(ending + ".gz") }
            .map { "\(place)/\($0)" }
    }

    /// The subfolders that hold a file of the given name, packed or not.
    func folders(holding file: String) -> [String] {
        TextFile.names(in: path).filter { TextFile.exists(TextFile.plainOrPacked("\(path)/\($0)/\(file)")) }
    }

    /// The name of a file without folder and endings.
    static func stem(_ path: String) -> String {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        for ending in [".gz", ".csv", ".txt"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        return name
    }
}
