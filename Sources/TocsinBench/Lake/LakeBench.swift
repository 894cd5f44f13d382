internal import TocsinApp
public import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake
public import TocsinMeasure

/// `tocsin bench lake`: bronze alone, bronze beside the running line, and the batch jobs behind it.
public struct LakeBench: Sendable {
    private let settings: LakeBenchSettings
    private let configuration: TocsinConfiguration
    private let progress: ProgressLine?

    public init(settings: LakeBenchSettings, configuration: TocsinConfiguration, progress: ProgressLine?) {
        self.settings = settings
        self.configuration = configuration
        self.progress = progress
    }

    /// - Throws: `TocsinError` when the settings make no sense, DuckDB is missing, or a part fails.
    public func run() async throws -> LakeReport {
        try settings.validate()
        // Before anything is made: what is missing must not be told after minutes.
        try DuckDBLibrary.load(path: configuration.lake.library, searchFolders: ProgramFolders.aroundProgram())
        let folder = try DataFolder.temporary(in: settings.folder)
        defer { DataFolder.removeTemporary(folder) }
        var report = LakeReport(repeats: settings.repeats)
        // First: what it needs is seldom there, and nothing should be measured in vain.
        if settings.parts.contains(.etl) { report.etl = try await etl(in: folder) }
        guard settings.parts.contains(where: { $0 != .etl }) else { return report }
        let files = try files(in: folder)
        if settings.parts.contains(.bronze) {
            report.bronze = try await BronzeBench(
                files: files, folder: folder, repeats: settings.repeats, duckdb: duckdb(in: folder), writer: writer,
                progress: progress
            ).run()
        }
        if settings.parts.contains(.pipeline) {
            report.line = try await LakeLine(
                files: files, folder: folder, repeats: settings.repeats, configuration: configuration,
                duckdb: duckdb(in: folder), writer: writer, progress: progress
            ).run()
        }
        return report
    }

    private func files(in folder: String) throws -> ReadingFiles {
        if let input = settings.input { return try ReadingFiles(at: input) }
        return try ReadingFiles.generate(
            readings: settings.readings, sensors: LakeBenchSettings.sensors, seed: 1,
            in: try DataFolder.temporary(in: folder), progress: progress)
    }

    private func etl(in folder: String) async throws -> ETLFigures {
        try await ETLBench(
            settings: settings, folder: folder, duckdb: duckdb(in: folder), workers: min(threads, 8),
            memory: Int64(configuration.lake.memory), progress: progress
        ).run()
    }

    private var threads: Int {
        configuration.lake.threads > 0 ? configuration.lake.threads : Machine.current().processors
    }

    private func duckdb(in folder: String) -> DuckDBSettings {
        DuckDBSettings(
            libraryPath: configuration.lake.library, searchFolders: ProgramFolders.aroundProgram(),
            memoryLimitBytes: Int64(configuration.lake.memory), threads: threads, temporaryFolder: folder + "/duckdb")
    }

    private var writer: LakeWriterSettings {
        var settings = LakeWriterSettings()
        settings.rollBytes = configuration.lake.rollBytes
        settings.rollAge = configuration.lake.rollAge
        settings.keepsPayload = configuration.lake.keepPayload
        if configuration.lake.threads > 0 { settings.threads = configuration.lake.threads }
        return settings
    }
}
