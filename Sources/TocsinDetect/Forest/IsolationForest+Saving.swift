internal import TocsinCore

extension IsolationForest {
    /// Format name and version of `saved()`, for `ModelRecord.format`.
    public static let format = "isolation-forest/1"
    private static let envelope = ModelEnvelope(
        magic: "TOCSINIF", version: 1, kind: "isolation forest", format: format)

    /// The forest as bytes: magic, version, sizes, names, scaling, calibration, trees, and a checksum at the end.
    /// Little-endian; about 300 KB for 100 trees of 256 samples.
    public func saved() -> [UInt8] {
        Self.envelope.wrap { writer in
            for size in [trees, sampleSize, depth, width] { writer.write(UInt32(size)) }
            for name in featureNames { writer.write(name: name) }
            for feature in 0..<width {
                writer.write(scaler.centers[feature])
                writer.write(scaler.inverseScales[feature])
            }
            for point in calibration.quantiles { writer.write(point) }
            writer.write(calibration.tailStart)
            writer.write(calibration.tailScale)
            for feature in features { writer.write(UInt16(feature)) }
            for threshold in thresholds { writer.write(threshold) }
            for length in lengths { writer.write(length) }
            for size in leafSizes { writer.write(size) }
        }
    }

    /// Reads a saved forest.
    ///
    /// - Throws: `TocsinError(.model)` saying what is wrong: foreign file, newer version, cut off, damaged.
    public init(saved bytes: [UInt8]) throws {
        self = try Self.envelope.unwrap(bytes) { Self.read(&$0) }
    }

    /// The checksum finds accidents; every number is checked all the same, because indices come from it.
    private static func read(_ reader: inout StateReader) -> IsolationForest? {
        guard let trees = reader.read(UInt32.self), (1...1000).contains(trees),
            let sampleSize = reader.read(UInt32.self), (2...4096).contains(sampleSize),
            let depth = reader.read(UInt32.self), (1...12).contains(depth),
            let width = reader.read(UInt32.self), (1...4096).contains(width)
        else { return nil }
        var names: [String] = []
        for _ in 0..<width {
            guard let name = reader.readName() else { return nil }
            names.append(name)
        }
        var scaler = FeatureScaler(centers: [], inverseScales: [])
        for _ in 0..<width {
            guard let center = reader.readDouble(), center.isFinite,
                let scale = reader.readDouble(), scale.isFinite, scale >= 0
            else { return nil }
            scaler.centers.append(center)
            scaler.inverseScales.append(scale)
        }
        guard let calibration = ScoreCalibration(&reader) else { return nil }
        let slots = Int(trees) << Int(depth)
        // 2 + 4 + 4 + 2 bytes a slot: checked before memory is taken on the word of the file.
        guard reader.remaining == slots * 12 else { return nil }
        var features: [Int32] = []
        var thresholds: [Float] = []
        var lengths: [Float] = []
        var leafSizes: [UInt16] = []
        for _ in 0..<slots {
            guard let feature = reader.read(UInt16.self), UInt32(feature) < width else { return nil }
            features.append(Int32(feature))
        }
        for _ in 0..<slots {
            guard let threshold = reader.readFloat(), !threshold.isNaN else { return nil }
            thresholds.append(threshold)
        }
        for _ in 0..<slots {
            guard let length = reader.readFloat(), length >= 0, length < 1e6 else { return nil }
            lengths.append(length)
        }
        for _ in 0..<slots {
            guard let size = reader.read(UInt16.self) else { return nil }
            leafSizes.append(size)
        }
        return IsolationForest(
            featureNames: names, trees: Int(trees), sampleSize: Int(sampleSize), calibration: calibration,
            depth: Int(depth), scaler: scaler, features: features, thresholds: thresholds, lengths: lengths,
            leafSizes: leafSizes)
    }
}

extension ScoreCalibration {
    /// nil when the numbers are cut off, not finite or not ascending but for the last digit: between two equal scores
    /// interpolation may round down.
    fileprivate init?(_ reader: inout StateReader) {
        var quantiles: [Double] = []
        for _ in 0..<Self.points {
            guard let point = reader.readDouble(), point.isFinite,
                point >= (quantiles.last ?? -.infinity) - 1e-12
            else { return nil }
            quantiles.append(point)
        }
        guard let start = reader.readDouble(), start.isFinite, let scale = reader.readDouble(), scale > 0,
            scale.isFinite
        else { return nil }
        self.init(quantiles: quantiles, tailStart: start, tailScale: scale)
    }
}
