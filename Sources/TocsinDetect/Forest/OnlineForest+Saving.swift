public import TocsinCore

extension OnlineForest {
    private static let savedVersion: UInt8 = 1

    /// Writes all that it has learned: version, feature names, counters, random state, the reservoir and the forest as
    /// `IsolationForest.saved()`. About 8 bytes a kept value and 300 KB for 100 trees.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.savedVersion)
        writer.write(varint: UInt64(names.count))
        for name in names { writer.write(name: name) }
        for number in [seen, nextTree, rowsUntilTree] { writer.write(Int64(number)) }
        writer.write(random.state)
        writer.write(column: kept)
        writer.write(column: keptScores)
        writer.write(forest != nil)
        if let forest { writer.write(blob: forest.saved()) }
    }

    /// A forest that goes on bit for bit where the saved one stopped.
    ///
    /// nil for bytes that `save` did not write and for other features or numbers of trees. Whatever is accepted can be
    /// used.
    public init?(restoring reader: inout StateReader, names: [String], settings: Settings = Settings()) {
        self.init(names: names, settings: settings)
        guard reader.read(UInt8.self) == Self.savedVersion, reader.readCount(of: 2) == names.count else { return nil }
        for name in names where reader.readName() != name { return nil }
        guard let seen = reader.read(Int64.self), (0...Int64(1) << 56).contains(seen),
            let next = reader.read(Int64.self), (0..<Int64(settings.trees)).contains(next),
            let until = reader.read(Int64.self), until.magnitude < 1 << 56,
            let state = reader.read(UInt64.self), let kept = reader.readColumn(of: Double.self),
            let scores = reader.readColumn(of: Double.self), scores.count <= capacity,
            kept.count == scores.count * names.count, let hasForest = reader.readFlag()
        else { return nil }
        if hasForest {
            guard let blob = reader.readBlob(), let saved = try? IsolationForest(saved: Array(blob)),
                saved.featureNames == names, saved.trees == settings.trees, saved.sampleSize <= settings.sampleSize,
                saved.depth == TreeBuilder.depth(of: saved.sampleSize), scores.count >= 16
            else { return nil }
            forest = saved
        }
        self.seen = Int(seen)
        nextTree = Int(next)
        rowsUntilTree = Int(until)
        self.kept = kept
        keptScores = scores
        random = SplitMix64(seed: state)
    }
}
