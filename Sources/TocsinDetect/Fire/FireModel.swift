internal import TocsinCore

/// A Random Forest of change with the threshold found for it: what `FireDetector` asks beside its limits.
///
/// It sees changes against a sensor's own past only, so one model serves sensors of other makes and places; what a
/// sensor does not measure is missing.
public struct FireModel: Sendable {
    /// Name and version of `saved()`, for `ModelRecord.format`.
    public static let format = "fire-forest/1"
    private static let envelope = ModelEnvelope(magic: "TOCSINFI", version: 1, kind: "fire model", format: format)

    /// Two classes; `FireDetector.featureNames`.
    public let forest: RandomForest
    /// A probability at or above it is cause for an alarm; above 0, up to 1.
    public let threshold: Double

    /// nil unless the forest tells two classes apart by `FireDetector.featureNames` and the threshold is in 0…1.
    public init?(forest: RandomForest, threshold: Double) {
        guard forest.task == .classification, forest.classes == 2, forest.featureNames == FireDetector.featureNames,
            threshold > 0, threshold <= 1
        else { return nil }
        self.forest = forest
        self.threshold = threshold
    }

    /// The model as bytes: an envelope with its checksum around threshold and forest.
    public func saved() -> [UInt8] {
        Self.envelope.wrap { writer in
            writer.write(threshold)
            writer.write(blob: forest.saved())
        }
    }

    /// Reads a saved model.
    ///
    /// - Throws: `TocsinError(.model)` saying what is wrong: foreign file, newer version, cut off, damaged.
    public init(saved bytes: [UInt8]) throws {
        self = try Self.envelope.unwrap(bytes) { reader in
            guard let threshold = reader.readDouble(), let blob = reader.readBlob(),
                let forest = try? RandomForest(saved: Array(blob))
            else { return nil }
            return FireModel(forest: forest, threshold: threshold)
        }
    }
}
