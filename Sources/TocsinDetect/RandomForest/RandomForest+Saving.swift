internal import TocsinCore

extension RandomForest {
    /// Format name and version of `saved()`, for `ModelRecord.format`.
    public static let format = "random-forest/1"
    private static let envelope = ModelEnvelope(
        magic: "TOCSINRF", version: 1, kind: "random forest", format: format)

    /// The forest as bytes: magic, version, sizes, names, cuts, importances, trees, and a checksum at the end.
    /// Little-endian; 12 bytes a node.
    public func saved() -> [UInt8] {
        Self.envelope.wrap { writer in
            writer.write(task.rawValue)
            for size in [classes, width, trees, nodes.count] { writer.write(UInt32(size)) }
            for name in featureNames { writer.write(name: name) }
            for feature in 0..<width {
                let cuts = bins.cuts(of: feature)
                writer.write(UInt8(cuts.count))
                for cut in cuts { writer.write(cut) }
                writer.write(impurityImportance[feature])
            }
            writer.write(outOfBagError)
            for start in starts { writer.write(start) }
            for node in nodes { writer.write(node) }
            for value in values { writer.write(value) }
        }
    }

    /// Reads a saved forest.
    ///
    /// - Throws: `TocsinError(.model)` saying what is wrong: foreign file, newer version, cut off, damaged.
    public init(saved bytes: [UInt8]) throws {
        self = try Self.envelope.unwrap(bytes) { Self.read(&$0) }
    }

    /// The checksum finds accidents; every number is checked all the same, because indices come from it.
    private static func read(_ reader: inout StateReader) -> RandomForest? {
        guard let task = reader.read(UInt8.self).flatMap(Task.init(rawValue:)),
            let classes = reader.read(UInt32.self),
            task == .regression ? classes == 0 : (2...255).contains(classes),
            let width = reader.read(UInt32.self), (1...4096).contains(width),
            let trees = reader.read(UInt32.self), (1...2000).contains(trees),
            let nodeCount = reader.read(UInt32.self), nodeCount >= trees, nodeCount <= UInt32(Int32.max)
        else { return nil }
        var names: [String] = []
        for _ in 0..<width {
            guard let name = reader.readName() else { return nil }
            names.append(name)
        }
        var cuts: [[Double]] = []
        var importances: [Double] = []
        for _ in 0..<width {
            guard let list = readCuts(&reader), let importance = reader.readDouble(), importance >= 0,
                importance <= 1.01
            else { return nil }
            cuts.append(list)
            importances.append(importance)
        }
        guard let error = reader.readDouble(), error.isNaN || error >= 0 else { return nil }
        let outputs = outputs(task, classes: Int(classes))
        // Checked before memory is taken on the word of the file.
        guard reader.remaining == Int(trees) * 4 + Int(nodeCount) * (8 + 4 * outputs) else { return nil }
        var starts: [UInt32] = []
        for _ in 0..<trees {
            guard let start = reader.read(UInt32.self), start < nodeCount,
                starts.last.map({ start > $0 }) ?? (start == 0)
            else { return nil }
            starts.append(start)
        }
        guard let nodes = readNodes(&reader, count: nodeCount, starts: starts, width: width) else { return nil }
        var values: [Float] = []
        values.reserveCapacity(Int(nodeCount) * outputs)
        for _ in 0..<Int(nodeCount) * outputs {
            guard let value = reader.readFloat(), value.isFinite else { return nil }
            values.append(value)
        }
        return RandomForest(
            task: task, featureNames: names, classes: Int(classes), outOfBagError: error,
            impurityImportance: importances, bins: FeatureBins(cuts: cuts), starts: starts, nodes: nodes, values: values
        )
    }

    private static func readCuts(_ reader: inout StateReader) -> [Double]? {
        guard let count = reader.read(UInt8.self), Int(count) < FeatureBins.most else { return nil }
        var cuts: [Double] = []
        for _ in 0..<count {
            guard let cut = reader.readDouble(), cut.isFinite, cut > (cuts.last ?? -.infinity) else { return nil }
            cuts.append(cut)
        }
        return cuts
    }

    /// A leaf points at itself, any other node at two behind it in the same tree: so every walk ends.
    private static func readNodes(
        _ reader: inout StateReader, count: UInt32, starts: [UInt32], width: UInt32
    ) -> [UInt64]? {
        var nodes: [UInt64] = []
        nodes.reserveCapacity(Int(count))
        for (tree, start) in starts.enumerated() {
            let end = tree + 1 < starts.count ? starts[tree + 1] : count
            for index in start..<end {
                guard let node = reader.read(UInt64.self) else { return nil }
                let left = PackedNode.left(node)
                let isLeaf = node == PackedNode.leaf(Int(index))
                guard
                    isLeaf
                        || left > index && left < end - 1 && PackedNode.feature(node) < Int(width)
                            && PackedNode.offset(node) <= 1
                else { return nil }
                nodes.append(node)
            }
        }
        return nodes
    }
}
