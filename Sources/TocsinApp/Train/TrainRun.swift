internal import Logging
internal import TocsinConnectors
public import TocsinConfiguration
internal import TocsinCore
internal import TocsinDecode
public import TocsinJobs
internal import TocsinStore

/// `tocsin train`: an Isolation Forest from a recording, into a file or the store.
public struct TrainRun: Sendable {
    public enum Destination: Sendable {
        case file(String)
        /// The data folder's store, where `run` finds it.
        case store
    }

    public struct Result: Sendable {
        public var report: ForestTraining.Report
        public var name: String
        public var version: Int
        public var seconds: Double
        /// Events with other metrics than the first, and messages that could not be read.
        public var leftOut: Int
    }

    private let configuration: TocsinConfiguration
    private let paths: [String]
    private let destination: Destination

    public init(configuration: TocsinConfiguration, paths: [String], destination: Destination) {
        self.configuration = configuration
        self.paths = paths
        self.destination = destination
    }

    /// - Throws: `TocsinError` when a file cannot be read or holds too little, or the destination cannot be written.
    public func run() async throws -> Result {
        let started = ContinuousClock.now
        let table = SeriesTable()
        let forest = configuration.detection.forest
        let collector = TrainingDelivery(
            training: ForestTraining(trees: forest.trees, sampleSize: forest.samples, seed: forest.seed), table: table)
        let source = try FileSource(
            name: "train", paths: paths, follows: false,
            decoding: DecoderFactory(configuration: configuration).settings(), table: table, identity: SourceID(0),
            clock: SystemClock())
        try await source.run(delivery: collector)
        var (record, report) = try collector.train()
        record.created = SystemClock().now()
        switch destination {
        case .file(let path): try FileWriter(path: path).write(record.data)
        case .store:
            try DataFolder.create(at: configuration.data.directory)
            let store = try SQLiteStore(path: configuration.storePath, table: table)
            do {
                record.version = (try await store.models(name: record.name).first?.version ?? 0) + 1
                try await store.saveModel(record)
                try await store.close()
            } catch {
                try? await store.close()
                throw error
            }
        }
        return Result(
            report: report, name: record.name, version: record.version,
            seconds: (ContinuousClock.now - started).inSeconds, leftOut: collector.leftOut)
    }
}
