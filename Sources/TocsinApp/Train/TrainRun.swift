public import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinDetect
public import TocsinJobs

/// `tocsin train`: a model from recordings or from what the store holds, into a file or the store.
public struct TrainRun: Sendable {
    public enum Origin: Sendable {
        case files([String])
        /// The raw events that the data folder's store holds (`store.storeEvents`).
        case store
    }

    public enum Destination: Sendable {
        case file(String)
        /// The data folder's store, where `run` finds it.
        case store
    }

    public struct Result: Sendable {
        /// With the versions that they got.
        public var models: [TrainedModel]
        public var seconds: Double
        public var events: Int
        /// Events of no use for the model, and messages that could not be read.
        public var leftOut: Int
    }

    private let configuration: TocsinConfiguration
    private let origin: Origin
    private let destination: Destination
    private let model: ModelChoice
    private let metric: String?
    private static let pageEvents = 10_000

    /// - Parameter metric: the only metric of an LSTM; nil = one model for each.
    public init(
        configuration: TocsinConfiguration, model: ModelChoice = .forest, from origin: Origin, metric: String? = nil,
        to destination: Destination
    ) {
        self.configuration = configuration
        self.origin = origin
        self.destination = destination
        self.model = model
        self.metric = metric
    }

    /// - Parameter progress: one line at a time.
    /// - Throws: `TocsinError` when a file cannot be read or holds too little, or the destination cannot be written.
    public func run(progress: @escaping @Sendable (String) -> Void = { _ in }) async throws -> Result {
        let started = ContinuousClock.now
        let table = SeriesTable()
        let collector = TrainingDelivery(training: training, table: table)
        switch origin {
        case .files(let paths):
            let source = try FileSource(
                name: "train", paths: paths, follows: false,
                decoding: DecoderFactory(configuration: configuration).settings(), table: table, identity: SourceID(0),
                clock: SystemClock())
            try await source.run(delivery: collector)
        case .store: try await readStore(into: collector, progress)
        }
        var models = try collector.train(progress: progress)
        let now = SystemClock().now()
        for index in models.indices { models[index].record.created = now }
        try await deliver(&models)
        return Result(
            models: models, seconds: (ContinuousClock.now - started).inSeconds, events: collector.taken,
            leftOut: collector.leftOut)
    }

    private var training: any ModelTraining {
        let forest = configuration.detection.forest
        switch model {
        case .forest: return ForestTraining(trees: forest.trees, sampleSize: forest.samples, seed: forest.seed)
        case .randomForest: return FireTraining(trees: forest.trees, seed: forest.seed)
        case .lstm:
            let lstm = configuration.detection.lstm
            return SequenceTraining(
                settings: SequenceAutoencoder.Settings(
                    units: lstm.units, steps: lstm.sequenceLength, epochs: lstm.epochs, batchSize: lstm.batchSize,
                    thresholdQuantile: lstm.threshold, seed: forest.seed),
                window: configuration.windows[0].size, metric: metric)
        }
    }

    /// Oldest first, as they happened.
    private func readStore(into collector: TrainingDelivery, _ progress: (String) -> Void) async throws {
        let events = try await StoreAccess(configuration).reading { store in
            var events: [TrainingEvent] = []
            while true {
                let page = try await store.events(RecordQuery(limit: Self.pageEvents, offset: events.count))
                events += page.map { event in
                    TrainingEvent(
                        sensor: event.sensor, time: event.time, metrics: event.readings.map(\.metric),
                        values: event.readings.map(\.value))
                }
                if page.count < Self.pageEvents { return events }
                progress("\(events.count) events read")
            }
        }
        guard !events.isEmpty else {
            throw TocsinError(
                .store, "the store holds no raw events", place: StoreAccess(configuration).place,
                remedy: "set store.storeEvents to true and run for a while, or train from files")
        }
        collector.add(events.reversed())
    }

    private func deliver(_ models: inout [TrainedModel]) async throws {
        switch destination {
        case .file(let path):
            guard models.count == 1 else {
                throw TocsinError(
                    .usage, "there are \(models.count) models: \(models.map(\.record.name).joined(separator: ", "))",
                    remedy: "choose one with --metric, or leave --out away: the store takes them all")
            }
            try FileWriter(path: path).write(models[0].record.data)
        case .store:
            try DataFolder.create(at: configuration.data.directory)
            let store = try StoreAccess(configuration).writing(table: SeriesTable())
            do {
                for index in models.indices {
                    let name = models[index].record.name
                    models[index].record.version = (try await store.models(name: name).first?.version ?? 0) + 1
                    try await store.saveModel(models[index].record)
                }
                try await store.close()
            } catch {
                try? await store.close()
                throw error
            }
        }
    }
}
