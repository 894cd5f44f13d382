internal import TocsinApp
public import TocsinConfiguration
public import TocsinCore
public import TocsinMeasure

/// `tocsin bench pipeline`: what each stage costs alone, and what the whole line does.
public struct PipelineBench: Sendable {
    public struct Settings: Sendable {
        /// Made by the simulator when `input` is nil.
        public var readings = 2_000_000
        public var sensors = 10_000
        public var seed: UInt64 = 1
        /// A folder of recordings, or one file.
        public var input: String?
        public var stages = PipelineStage.allCases
        /// Runs of everything; the median counts.
        public var repeats = 3
        public var isCumulative = false
        public var includesWholeLine = true
        /// Further flags of `tocsin replay` for the whole line.
        public var flags: [String] = []

        public init() {}

        /// - Throws: `TocsinError(.usage)` for what cannot be measured.
        public func validate() throws(TocsinError) {
            guard readings > 0 else { throw TocsinError(.usage, "--readings must be at least 1") }
            guard (1...10_000_000).contains(sensors) else {
                throw TocsinError(.usage, "--sensors takes 1 to 10,000,000")
            }
            guard (1...1000).contains(repeats) else { throw TocsinError(.usage, "--repeat takes 1 to 1000") }
        }
    }

    private let settings: Settings
    private let configuration: TocsinConfiguration
    private let progress: ProgressLine?

    public init(settings: Settings, configuration: TocsinConfiguration, progress: ProgressLine?) {
        self.settings = settings
        self.configuration = configuration
        self.progress = progress
    }

    /// - Throws: `TocsinError` when the input cannot be read or made, or a stage fails.
    public func run() async throws -> PipelineReport {
        try settings.validate()
        guard settings.input == nil else { return try await measure(try ReadingFiles(at: settings.input ?? "")) }
        let folder = try DataFolder.temporary()
        defer { DataFolder.removeTemporary(folder) }
        return try await measure(
            try ReadingFiles.generate(
                readings: settings.readings, sensors: settings.sensors, seed: settings.seed, in: folder,
                progress: progress))
    }

    private func measure(_ files: ReadingFiles) async throws -> PipelineReport {
        // First: later the memory of this process would press on the child's.
        let line =
            settings.includesWholeLine
            ? try WholeLine.run(
                files, flags: settings.flags, repeats: settings.repeats, progress: progress) : nil
        let bench = StageBench(
            files: files, configuration: configuration, repeats: settings.repeats, progress: progress)
        let (stages, readings) = try await bench.run(settings.stages)
        let cumulative =
            settings.isCumulative
            ? try await bench.runCumulative(persists: settings.stages.contains(.persist)) : []
        return PipelineReport(
            files: files.paths.count, bytes: files.bytes, readings: readings, repeats: settings.repeats,
            stages: stages, cumulative: cumulative, line: line)
    }
}
