import Foundation
import TocsinCore
import TocsinEngine
import TocsinSpool

/// Everything of one installation: its files, and the store that outlives the processes.
final class RecoveryPlace: Sendable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    /// As the disk would be if the process ended now. It goes on meanwhile, and may remove a segment or finish a checkpoint:
    /// what is not all of one moment is copied again.
    func copy() throws -> RecoveryPlace {
        for _ in 0..<1000 {
            let other = try RecoveryPlace()
            let before = contents
            do {
                for name in ["spool", "checkpoints"] {
                    let from = folder.appendingPathComponent(name)
                    guard FileManager.default.fileExists(atPath: from.path) else { continue }
                    try FileManager.default.copyItem(at: from, to: other.folder.appendingPathComponent(name))
                }
            } catch let error as CocoaError where error.code == .fileNoSuchFile || error.code == .fileReadNoSuchFile {
                continue
            }
            if contents == before { return other }
        }
        throw TocsinError(.file, "never at rest", place: folder.path)
    }

    /// Sizes and times by path.
    private var contents: [String: [String]] {
        var found: [String: [String]] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
            let file = try? FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent(path).path)
            found[path] = [
                "\(file?[.size] ?? 0)", "\((file?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)",
            ]
        }
        return found
    }

    func durability(interval: Span64 = .hours(1)) throws -> EngineDurability {
        for name in ["spool", "checkpoints"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        var settings = SpoolSettings()
        settings.isDurable = false
        settings.flushInterval = .milliseconds(0)
        settings.segmentBytes = 64 << 10
        let (spool, _) = try Spool.open(
            folder: folder.appendingPathComponent("spool").path, settings: settings)
        return EngineDurability(
            spool: spool,
            checkpoints: try CheckpointFolder.open(folder.appendingPathComponent("checkpoints").path),
            interval: interval)
    }
}
