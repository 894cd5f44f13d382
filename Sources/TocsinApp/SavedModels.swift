internal import Logging
internal import TocsinCore
internal import TocsinDetect
internal import TocsinEngine

/// The newest usable version of every saved model.
struct SavedModels {
    var forests: [String: SavedForest] = [:]
    var fire: FireModel?
    /// By metric.
    var sequences: [String: SequenceAutoencoder] = [:]

    /// Names of the models that `tocsin train` saves.
    static let fireName = "fire"
    static func sequenceName(metric: String) -> String { "lstm:" + metric }

    /// A damaged model is named in the log and left out: an older version takes its place, or a forest learns anew.
    static func load(from store: any Store, logger: Logger) async -> SavedModels {
        var models = SavedModels()
        do {
            for record in try await store.models(name: nil) {
                do {
                    try models.take(record)
                } catch {
                    logger.error(
                        "saved model is damaged; an older version or learning takes its place",
                        metadata: [
                            "model": "\(record.name)", "version": "\(record.version)", "error": "\(error)",
                        ])
                }
            }
        } catch {
            logger.error("saved models cannot be read; all models learn anew", metadata: ["error": "\(error)"])
        }
        return models
    }

    /// Newest first: what is known already is newer.
    private mutating func take(_ record: ModelRecord) throws {
        switch record.format {
        case IsolationForest.format where forests[record.name] == nil:
            forests[record.name] = SavedForest(
                version: record.version, origin: record.origin, forest: try IsolationForest(saved: record.data))
        case FireModel.format where fire == nil: fire = try FireModel(saved: record.data)
        case SequenceAutoencoder.format:
            let metric = String(record.name.dropFirst(Self.sequenceName(metric: "").count))
            if sequences[metric] == nil { sequences[metric] = try SequenceAutoencoder(saved: record.data) }
        default: break
        }
    }
}
