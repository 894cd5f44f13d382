internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDetect
internal import TocsinEngine

/// The model files of `tocsin train --out` that a replay is to use: `--model FILE`, or `--model METRIC=FILE` for an LSTM.
enum ReplayModels {
    /// - Parameter arguments: as they were given.
    /// - Throws: `TocsinError` for a file that is no model, or an LSTM without its metric.
    static func load(_ arguments: [String]) throws -> SavedModels {
        var models = SavedModels()
        for argument in arguments { try take(argument, into: &models) }
        return models
    }

    private static func take(_ argument: String, into models: inout SavedModels) throws {
        // A path may hold the sign as well: a file of that name goes first.
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        let hasMetric = parts.count == 2 && FileIdentity(path: argument) == nil
        let path = hasMetric ? parts[1] : argument
        let bytes = try OpenFile.contents(of: path)
        // Every saved model begins with a word that says what it is.
        switch String(decoding: bytes.prefix(8), as: UTF8.self) {
        case "TOCSINIF":
            let forest = try IsolationForest(saved: bytes)
            models.forests[name(of: forest)] = SavedForest(version: 1, origin: .trained, forest: forest)
        case "TOCSINFI": models.fire = try FireModel(saved: bytes)
        case "TOCSINSA":
            guard hasMetric else {
                throw TocsinError(
                    .usage, "an LSTM is of one metric, and the file does not say of which", place: path,
                    remedy: "name it: --model METRIC=\(path)")
            }
            models.sequences[parts[0]] = try SequenceAutoencoder(saved: bytes)
        default:
            throw TocsinError(
                .model, "this is no model of tocsin train", place: path,
                remedy: "give a file that tocsin train --out has written")
        }
    }

    /// As the engine names the forest of sensors that send these metrics. Their ratios stand behind them.
    private static func name(of forest: IsolationForest) -> String {
        let names = forest.featureNames
        let metrics = names.indices.map { Array(names[...$0]) }.first { EventFeatures(metrics: $0).names == names }
        return "event-forest:" + (metrics ?? names).joined(separator: "+")
    }
}

extension SavedModels {
    /// What the other has goes before.
    mutating func take(_ other: SavedModels) {
        forests.merge(other.forests) { $1 }
        sequences.merge(other.sequences) { $1 }
        fire = other.fire ?? fire
    }
}
