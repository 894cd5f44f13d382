#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinConfiguration
internal import TocsinCore
internal import TocsinStore

/// `tocsin export` and `tocsin import`: a case is a folder with a store of its own, so that every command that reads a
/// data folder reads a case.
public struct CaseRun: Sendable {
    private let configuration: TocsinConfiguration
    private let progress: @Sendable (String, Int) -> Void

    /// - Parameter progress: told what is being copied, and how many rows so far.
    public init(configuration: TocsinConfiguration, progress: @escaping @Sendable (String, Int) -> Void) {
        self.configuration = configuration
        self.progress = progress
    }

    /// Copies a part of the store into a new case, also while another process writes to the store.
    /// - Throws: `TocsinError` when the folder holds something already, or a store cannot be used.
    public func export(_ selection: CaseSelection, to folder: String) async throws -> CaseCounts {
        let path = Self.store(in: folder)
        guard access(path, F_OK) != 0 else {
            throw TocsinError(
                .usage, "there is a case already", place: path, remedy: "name another folder, or delete this one")
        }
        try DataFolder.create(at: folder)
        let table = SeriesTable(maxSeries: configuration.engine.maxSeries)
        // Under another name until it is whole: nobody takes half a case for one.
        let unfinished = path + ".unfinished"
        for suffix in ["", "-wal", "-shm", ".lock"] { unlink(unfinished + suffix) }
        let target = try SQLiteStore(
            path: unfinished, table: table, settings: SQLiteSettings(windows: configuration.windows))
        let counts = try await StoreAccess(configuration).reading { source in
            try await copy(from: source, to: target, table, selection)
        }
        unlink(unfinished + ".lock")
        guard rename(unfinished, path) == 0 else {
            throw TocsinError(
                .file, "the case cannot be given its name: \(String(cString: strerror(errno)))", place: path)
        }
        return counts
    }

    /// Copies a case, or the part of it that is selected, into the store of the configuration.
    /// - Throws: `TocsinError` when there is no case, or the store is in use by a running tocsin (SQLite).
    public func `import`(_ selection: CaseSelection, from folder: String) async throws -> CaseCounts {
        let path = Self.store(in: folder)
        guard access(path, F_OK) == 0 else {
            throw TocsinError(
                .usage, "there is no case here", place: folder, remedy: "name a folder that tocsin export has made")
        }
        try DataFolder.create(at: configuration.data.directory)
        let table = SeriesTable(maxSeries: configuration.engine.maxSeries)
        let target = try StoreAccess(configuration).writing(table: table)
        let source = try SQLiteStore(path: path, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        do {
            let counts = try await copy(from: source, to: target, table, selection)
            try await source.close()
            return counts
        } catch {
            try? await source.close()
            throw error
        }
    }

    private func copy(
        from source: any Store, to target: any Store, _ table: SeriesTable, _ selection: CaseSelection
    ) async throws -> CaseCounts {
        do {
            let counts = try await CaseTransfer(
                source: source, target: target, table: table, windows: configuration.windows, clock: SystemClock(),
                progress: progress
            ).run(selection)
            try await target.close()
            return counts
        } catch {
            try? await target.close()
            throw error
        }
    }

    private static func store(in folder: String) -> String { folder + "/tocsin.sqlite" }
}
