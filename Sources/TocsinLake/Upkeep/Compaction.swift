public import TocsinCore

/// Makes one sorted file of the many small ones that rolls and late data leave in an hour of bronze.
///
/// The new file is made and compared with its sources (rows and a checksum of all values) before anything is touched.
/// Then a note of what is to go is written, the new file appears, and the sources go. A reader that lists the folder between the
/// last two steps sees the hour's rows twice: in a folder for the time of deleting a few names, on S3 for a few requests.
/// It never sees one missing. After a kill at any moment `recover` finishes what the note says.
public struct Compaction: Sendable {
    private let settings: CompactionSettings
    private let storage: any ObjectStorage
    private let clock: any WallClock
    /// Below the lake's location; no reader's pattern takes it in.
    static let notes = "_compaction/"

    public init(_ settings: CompactionSettings, storage: any ObjectStorage, clock: any WallClock = SystemClock()) {
        self.settings = settings
        self.storage = storage
        self.clock = clock
    }

    /// Deletes the sources of compactions that an earlier process completed but for that; call it at the start of whatever
    /// writes to the lake. One listing where there is nothing to do.
    public static func recover(_ storage: any ObjectStorage) async throws {
        for note in try await storage.list(prefix: notes) {
            let lines = String(decoding: try await storage.get(note.name), as: UTF8.self).split(separator: "\n").map(
                String.init)
            if let target = lines.first, try await storage.list(prefix: target).contains(where: { $0.name == target }) {
                try await delete(lines.dropFirst().filter { isSource($0) && $0 != target }, storage)
            }
            try await storage.delete(note.name)
        }
    }

    /// A note that something else has written deletes nothing but parts of bronze.
    private static func isSource(_ path: String) -> Bool { LakeFile(path: path)?.table == .events }

    /// Compacts all hours that need it, oldest first. Takes up what an earlier run left first.
    /// - Parameter onProgress: fraction of the hours, and the one at work.
    public func run(
        onProgress: @escaping @Sendable (ETLProgress) -> Void = { _ in }
    ) async throws -> CompactionResult {
        try await Self.recover(storage)
        try LocalFiles.empty(settings.workFolder)
        defer { try? LocalFiles.empty(settings.workFolder) }
        let bronze = try await LakeTableParts(storage, table: Transformation.bronze)
        let hours = bronze.byPartition.compactMap { hour, parts in sources(parts).map { (hour, $0) } }.sorted {
            $0.0 < $1.0
        }
        var result = CompactionResult()
        guard !hours.isEmpty else { return result }
        var own = ETLSettings(workFolder: settings.workFolder)
        own.duckdb = settings.duckdb
        own.workers = 1
        own.memoryBytes = settings.memoryBytes
        let worker = try ETLWorker(own, number: 0, location: storage.location)
        for (index, (hour, parts)) in hours.enumerated() {
            try Task.checkCancellation()
            onProgress(ETLProgress(fraction: Double(index) / Double(hours.count), work: "bronze/events \(hour.path)"))
            try await compact(hour, parts, worker, &result)
        }
        onProgress(ETLProgress(fraction: 1, work: ""))
        return result
    }

    /// The files of an hour that become one; nil where it stays as it is.
    private func sources(_ parts: [LakePart]) -> [LakePart]? {
        var bytes: Int64 = 0
        let small = parts.filter { part in
            guard !settings.leftAlone.contains(part.path), part.bytes < settings.smallBytes,
                bytes + part.bytes <= settings.maximumBytes
            else { return false }
            bytes += part.bytes
            return true
        }
        guard small.count > max(1, settings.files), let newest = small.map(\.changed).max(),
            clock.now().since(newest) >= settings.quiet
        else { return nil }
        return small
    }

    private func compact(
        _ hour: LakePartition, _ parts: [LakePart], _ worker: ETLWorker, _ result: inout CompactionResult
    ) async throws {
        let made: (path: String, content: String)
        do {
            made = try await worker.connection.run { _ in try write(parts, worker) }
        } catch let error as TocsinError where error.code == .interrupted {
            throw error
        } catch {
            let damaged = try await worker.connection.run { _ in try worker.damaged(parts) }
            guard !damaged.isEmpty else { throw error }
            result.skipped += damaged
            let rest = parts.filter { part in !damaged.contains { $0.name == part.path } }
            if rest.count > 1 { try await compact(hour, rest, worker, &result) }
            return
        }
        let name = "\(PartIdentity.compacted)\(StableHash.hex(PartIdentity.of(parts)))-\(made.content).parquet"
        let target = LakeFile(.events, hour, name: name).path
        result.hours += 1
        result.filesBefore += parts.count
        result.bytesBefore += parts.reduce(0) { $0 + $1.bytes }
        result.bytesAfter += LocalFiles.size(made.path) ?? 0
        let note = "\(Self.notes)\(made.content).txt"
        let noteFile = settings.workFolder + "/note"
        try LocalFiles.replace(noteFile, with: Array(([target] + parts.map(\.path)).joined(separator: "\n").utf8))
        try await storage.put(file: noteFile, as: note)
        if let folder = storage as? FolderStorage {
            try await folder.move(file: made.path, as: target)
        } else {
            try await storage.put(file: made.path, as: target)
            try LocalFiles.remove(made.path)
        }
        try await Self.delete(parts.map(\.path).filter { $0 != target }, storage)
        try await storage.delete(note)
    }

    /// Makes the file and compares it with its sources.
    private func write(_ parts: [LakePart], _ worker: ETLWorker) throws -> (path: String, content: String) {
        try worker.show(parts, as: "input")
        let file = try worker.write(
            "FROM input ORDER BY sensor, time_ns, source, \"position\", received, event_key",
            table: Transformation.bronze)
        let check = "SELECT count(*)::VARCHAR || ' ' || sum(hash(t)::HUGEINT)::VARCHAR FROM "
        let before = try worker.connection.firstRow(check + "input AS t").first?.text
        let after = try worker.connection.firstRow(
            check + "read_parquet(\(DuckDB.literal(file.path)), hive_partitioning = false) AS t"
        ).first?.text
        guard let before, before == after else {
            throw TocsinError(
                .lake,
                "The compacted file differs from its sources (\(after ?? "none") instead of \(before ?? "none")).",
                place: parts.first?.path, remedy: "Nothing was changed. Check the disk and the memory of this machine.")
        }
        var hash = StableHash()
        hash.combine(before)
        return (file.path, hash.hex)
    }

    /// In a folder all names go before any of that is forced to disk: readers see them for the shortest time.
    private static func delete(_ paths: [String], _ storage: any ObjectStorage) async throws {
        if let folder = storage as? FolderStorage {
            let full = paths.map { "\(folder.location)/\($0)" }
            for path in full { try LocalFiles.remove(path) }
            for path in Set(full.map(LocalFiles.parent)) where LocalFiles.size(path) != nil {
                try LocalFiles.sync(folder: path)
            }
        } else {
            for path in paths { try await storage.delete(path) }
        }
    }
}
