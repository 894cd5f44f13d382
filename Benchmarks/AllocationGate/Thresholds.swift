#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
#if canImport(Glibc)
@preconcurrency internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCore

/// What Benchmarks/thresholds.json allows.
struct Thresholds: Decodable {
    /// By stage: allocations per 1,000 readings.
    let allocationsPer1000Readings: [String: Double]
    /// Added to each of them: what differs from run to run.
    let tolerance: Double

    /// - Throws: `TocsinError` naming the file.
    init(path: String) throws {
        do {
            self = try JSONDecoder().decode(Thresholds.self, from: try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw TocsinError(
                .file, "the thresholds cannot be read: \(error)", place: path,
                remedy: "run it in the repository's root, or name the file")
        }
    }
}

/// Writes to standard error and ends the process with 1.
func exit(with messages: [String]) -> Never {
    for message in messages { fputs(message + "\n", stderr) }
    exit(1)
}
