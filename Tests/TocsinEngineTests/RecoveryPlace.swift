import Foundation
import TocsinCore
import TocsinEngine
import TocsinSpool

/// Everything of one installation: its files, and the store that outlives the processes.
final class RecoveryPlace: Sendable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    /// As the disk would be if the process ended now.
    func copy() throws -> RecoveryPlace {
        let other = try RecoveryPlace()
        for name in ["spool", "checkpoints"] {
            let from = folder.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: from.path) else { continue }
            try FileManager.default.copyItem(at: from, to: other.folder.appendingPathComponent(name))
        }
        return other
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
