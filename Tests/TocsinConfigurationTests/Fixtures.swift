import Foundation
import Testing
import TocsinConfiguration
import TocsinCore

/// A file in the temporary folder that goes away with this value.
final class TemporaryFile {
    let path: String

    init(_ bytes: some Sequence<UInt8>) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID()).yaml").path
        try #require(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
    }

    convenience init(_ text: String) throws { try self.init(text.utf8) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Loads a file of this text.
func load(
    _ yaml: String, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> LoadedConfiguration {
    let file = try TemporaryFile(yaml)
    return try ConfigurationLoader(file: file.path, environment: environment, flags: flags).load()
}

/// The problems of a file of these bytes, its path written as `FILE`; empty when it loads.
func problems(
    of bytes: some Sequence<UInt8>, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> [String] {
    let file = try TemporaryFile(bytes)
    do {
        _ = try ConfigurationLoader(file: file.path, environment: environment, flags: flags).load()
        return []
    } catch {
        return error.problems.map { "\($0)".replacing(file.path, with: "FILE") }
    }
}

func problems(
    _ yaml: String, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> [String] {
    try problems(of: yaml.utf8, environment: environment, flags: flags)
}

/// A file of the repository.
func repositoryFile(_ name: String) -> String {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/") + "/" + name
}
