internal import TocsinCore

extension SequenceAutoencoder {
    /// Format name and version of `saved()`, for `ModelRecord.format`.
    public static let format = "sequence-autoencoder/1"
    private static let envelope = ModelEnvelope(
        magic: "TOCSINSA", version: 1, kind: "sequence autoencoder", format: format)

    /// The model as bytes: magic, version, shape, names, scaler, threshold, tail, weights, and a checksum at the end.
    /// Little-endian; 4 bytes a weight, 1 MB at the default shape.
    public func saved() -> [UInt8] {
        Self.envelope.wrap { writer in
            writer.write(UInt32(shape.features))
            writer.write(UInt32(shape.steps))
            writer.write(UInt32(shape.units.count))
            for units in shape.units { writer.write(UInt32(units)) }
            for name in featureNames { writer.write(name: name) }
            scaler.save(&writer)
            writer.write(UInt32(scoredSteps))
            writer.write(threshold)
            tail.save(&writer)
            writer.write(column: network.weights)
        }
    }

    /// Reads a saved model.
    ///
    /// - Throws: `TocsinError(.model)` saying what is wrong: foreign file, newer version, cut off, damaged.
    public init(saved bytes: [UInt8]) throws {
        self = try Self.envelope.unwrap(bytes) { Self.read(&$0) }
    }

    private static func read(_ reader: inout StateReader) -> SequenceAutoencoder? {
        guard let features = reader.read(UInt32.self), let steps = reader.read(UInt32.self),
            let layers = reader.read(UInt32.self), (1...4).contains(layers)
        else { return nil }
        var units: [Int] = []
        for _ in 0..<layers {
            guard let count = reader.read(UInt32.self) else { return nil }
            units.append(Int(count))
        }
        guard let shape = try? SequenceShape(features: Int(features), steps: Int(steps), units: units) else {
            return nil
        }
        var names: [String] = []
        for _ in 0..<features {
            guard let name = reader.readName() else { return nil }
            names.append(name)
        }
        guard let scaler = StandardScaler(&reader, width: shape.features),
            let scored = reader.read(UInt32.self), (1...steps).contains(scored),
            let threshold = reader.readDouble(), threshold.isFinite, threshold >= 0, let tail = ErrorTail(&reader),
            let weights = reader.readColumn(of: Float.self), weights.allSatisfy({ abs($0) < 1e6 }),
            let network = try? SequenceNetwork(shape: shape, weights: weights)
        else { return nil }
        return SequenceAutoencoder(
            names: names, network: network, scoredSteps: Int(scored), threshold: threshold, tail: tail, scaler: scaler)
    }
}
