internal import Dispatch
public import TocsinCore

/// The folder of checkpoint files: the engine's state at some record of the spool, one file each.
///
/// ```swift
/// let writer = try await folder.begin(sequence: 812, spool: spool.id, createdAt: clock.now())
/// try await writer.append(CheckpointSection(.bank, shard: 0), state.bytes)
/// try await writer.finish()
/// ```
/// A checkpoint has its name only when all of it is on disk. All file work runs on a queue of the folder's own.
public final class CheckpointFolder: Sendable {
    public let path: String
    public let settings: CheckpointSettings
    let files: any FileOperations
    let queue = DispatchQueue(label: "tocsin.checkpoint")

    private init(_ path: String, _ settings: CheckpointSettings, _ files: any FileOperations) {
        self.path = path
        self.settings = settings
        self.files = files
    }

    /// Opens the folder, made when missing, and removes what unfinished writing left. Blocks for a moment.
    public static func open(
        _ path: String, settings: CheckpointSettings = CheckpointSettings(), files: any FileOperations = SystemFiles()
    ) throws(TocsinError) -> CheckpointFolder {
        do throws(FileFailure) {
            try files.createFolder(path)
            for name in try files.names(in: path) where name.hasPrefix("checkpoint-") && name.hasSuffix(".tck.tmp") {
                try files.remove(path + "/" + name)
            }
        } catch {
            throw TocsinError(.checkpoint, error)
        }
        return CheckpointFolder(path, settings, files)
    }

    /// Begins a checkpoint of the state after the spool's record `sequence`.
    public func begin(sequence: UInt64, spool: UInt64, createdAt: Timestamp) async throws -> CheckpointWriter {
        let header = CheckpointHeader(
            version: settings.version, spool: spool, sequence: min(sequence, Sequence64.highest), createdAt: createdAt)
        return try await onQueue { () throws(FileFailure) in try CheckpointWriter(self, header) }
    }

    /// The newest checkpoint of this spool whose every checksum holds and whose version can be read: read wholly once
    /// before it is given. Each one passed over is named in `problems`, sentences for people. nil: start from nothing.
    /// - Parameter before: only those of an earlier record.
    public func newestUsable(
        spool: UInt64, before: UInt64 = .max
    ) async -> (checkpoint: Checkpoint?, problems: [String]) {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.search(spool, before)) }
        }
    }

    /// Deletes the oldest checkpoints beyond the settings' number and length; how many it deleted.
    /// - Parameter keptOlder: instead of the settings', where room is needed.
    @discardableResult
    public func prune(keptOlder: Int? = nil) async throws -> Int {
        let keptOlder = keptOlder ?? settings.keptOlder
        return try await onQueue { () throws(FileFailure) in
            var removed = 0
            var kept = 0
            var bytes: Int64 = 0
            for name in try self.newestFirst() {
                let path = self.path + "/" + name
                bytes += try OpenFile(path, .reading, self.files).size()
                if kept == 0 || (kept <= keptOlder && bytes <= self.settings.maximumBytes) {
                    kept += 1
                } else {
                    try self.files.remove(path)
                    removed += 1
                }
            }
            return removed
        }
    }

    private func newestFirst() throws(FileFailure) -> [String] {
        try files.names(in: path).filter { CheckpointHeader.sequence(ofFile: $0) != nil }.sorted(by: >)
    }

    private func search(_ spool: UInt64, _ before: UInt64) -> (checkpoint: Checkpoint?, problems: [String]) {
        var problems: [String] = []
        let names: [String]
        do throws(FileFailure) { names = try newestFirst() } catch {
            return (nil, ["\(path): \(error); no checkpoint is used."])
        }
        for name in names where CheckpointHeader.sequence(ofFile: name).map({ $0 < before }) ?? false {
            do throws(CheckpointScanner.Fault) {
                return (try usable(name, spool), problems)
            } catch {
                problems.append("\(path)/\(name) is not used: \(error.description).")
            }
        }
        return (nil, problems)
    }

    private func usable(_ name: String, _ spool: UInt64) throws(CheckpointScanner.Fault) -> Checkpoint {
        let file: OpenFile
        do throws(FileFailure) { file = try OpenFile(path + "/" + name, .reading, files) } catch { throw .disk(error) }
        let start = try CheckpointScanner(file)
        guard start.header.spool == spool else { throw .unusable("it belongs to another spool") }
        let version = start.header.version
        guard version <= settings.version else {
            throw .unusable("a newer program wrote it (content version \(version), known is \(settings.version))")
        }
        var converters: [CheckpointConverter] = []
        for step in version..<settings.version {
            guard let converter = settings.converters.first(where: { $0.version == step }) else {
                throw .unusable("nothing converts its content version \(step)")
            }
            converters.append(converter)
        }
        var pass = start
        try pass.validate()
        let info = CheckpointInfo(
            sequence: start.header.sequence, createdAt: start.header.createdAt, version: version, path: file.path,
            bytes: start.size, pieces: pass.seen.pieces)
        return Checkpoint(info, start, converters, queue)
    }

    /// Runs blocking file work on the folder's queue.
    func onQueue<Result: Sendable>(_ body: @escaping @Sendable () throws(FileFailure) -> Result) async throws -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                do throws(FileFailure) {
                    continuation.resume(returning: try body())
                } catch {
                    continuation.resume(throwing: TocsinError(.checkpoint, error))
                }
            }
        }
    }
}
