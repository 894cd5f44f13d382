internal import TocsinCore

extension SequenceAutoencoder {
    /// Trains on rows meant to be normal.
    ///
    /// The last fifth of every segment is not learned from: it decides when to stop, and its errors give threshold and
    /// tail. The same rows, settings and seed give the same model on machines of the same kind, whatever the number of
    /// cores. Default shape: about 2,400 sequences/s a core with AVX-512.
    ///
    /// - Parameters:
    ///   - segments: flat rows in time order, one segment a series; no sequence crosses from one to the next.
    ///   - names: of the features.
    ///   - progress: called after every epoch.
    /// - Throws: `TocsinError` for settings outside of their ranges and for too few rows.
    public static func train(
        segments: [[Double]], names: [String], settings: Settings = Settings(), progress: (Progress) -> Void = { _ in }
    ) throws -> SequenceAutoencoder {
        let shape = try SequenceShape(features: names.count, steps: settings.steps, units: settings.units)
        try check(settings)
        let (scaler, training, validation) = try sequences(segments, shape, settings)
        var trainer = SequenceTrainer(shape: shape, settings: settings)
        var best: (network: SequenceNetwork, loss: Double, epoch: Int)?
        for epoch in 1...settings.epochs {
            let loss = trainer.epoch(training)
            let network = trainer.network()
            let errors = validation.errors(network, lastSteps: shape.steps, threads: settings.threads)
            let validationLoss = errors.reduce(0, +) / Double(errors.count)
            let isBest = validationLoss.isFinite && validationLoss < best?.loss ?? .infinity
            if isBest { best = (network, validationLoss, epoch) }
            progress(
                Progress(
                    epoch: epoch, loss: loss, validationLoss: validationLoss, isBest: isBest,
                    trainingSequences: training.starts.count, validationSequences: validation.starts.count))
            if epoch - (best?.epoch ?? 0) >= settings.patience { break }
        }
        guard let best else {
            throw TocsinError(
                .model, "Training the sequence model diverged: its loss is no longer a number.",
                remedy: "Use a smaller learning rate.")
        }
        let scored = settings.scoredSteps == 0 ? shape.steps : settings.scoredSteps
        let errors = validation.errors(best.network, lastSteps: scored, threads: settings.threads)
        return SequenceAutoencoder(
            names: names, network: best.network, scoredSteps: scored,
            threshold: quantile(sorted: errors.sorted(), settings.thresholdQuantile), tail: ErrorTail(errors: errors),
            scaler: scaler)
    }

    private static func check(_ settings: Settings) throws {
        let (rate, limit) = (settings.learningRate, settings.maximumGradient)
        guard (1...100_000).contains(settings.epochs), (1...4096).contains(settings.batchSize), settings.patience > 0,
            rate > 0, rate < 1, limit > 0, limit.isFinite, settings.thresholdQuantile > 0,
            settings.thresholdQuantile <= 1, settings.maximumSequences > 0,
            (0...settings.steps).contains(settings.scoredSteps)
        else {
            throw TocsinError(
                .configuration, "The settings of the sequence model are outside of their ranges.",
                remedy: "EPOCHS 1 to 100000, BATCH_SIZE 1 to 4096, ANOMALY_THRESHOLD above 0 and at most 1, learning "
                    + "rate between 0 and 1, patience and gradient limit above 0, scored steps at most SEQUENCE_LENGTH."
            )
        }
    }

    private static func sequences(
        _ segments: [[Double]], _ shape: SequenceShape, _ settings: Settings
    ) throws -> (StandardScaler, SequenceWindows, SequenceWindows) {
        let width = shape.features
        let learned = segments.map { $0.count / width - $0.count / width / 5 }
        let scaler = StandardScaler(
            rows: zip(segments, learned).map { Array($0.prefix($1 * width)) }, width: width)
        var values: [Float] = []
        var training: [Int] = []
        var validation: [Int] = []
        for (segment, learned) in zip(segments, learned) {
            let base = values.count / width
            let rows = segment.count / width
            for place in 0..<rows * width { values.append(scaler.scaled(segment[place], place % width)) }
            training += SequenceWindows.starts(in: base..<base + learned, shape)
            validation += SequenceWindows.starts(in: base + learned..<base + rows, shape)
        }
        guard training.count >= 16, validation.count >= 16 else {
            throw TocsinError(
                .model,
                "The rows give \(training.count) sequences of \(shape.steps) rows to train on and "
                    + "\(validation.count) in the last fifth to stop by; a sequence model needs 16 of each.",
                remedy: "Give it at least \((shape.steps + 16) * 5) rows of a series in a row, or set a shorter "
                    + "SEQUENCE_LENGTH.")
        }
        var parts = (
            SequenceWindows(values: values, starts: training), SequenceWindows(values: values, starts: validation)
        )
        parts.0.thin(to: settings.maximumSequences)
        parts.1.thin(to: max(settings.maximumSequences / 4, 16))
        return (scaler, parts.0, parts.1)
    }
}
