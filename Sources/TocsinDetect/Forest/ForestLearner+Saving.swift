public import TocsinCore

extension ForestLearner {
    private static let savedVersion: UInt8 = 1

    /// Writes all that it has learned: version, feature names, counters, random state, rows kept for training with
    /// their suspicions, and the forest as `IsolationForest.saved()`. Up to 8 bytes a kept value and 300 KB for a
    /// forest of 100 trees; about 1 ms.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.savedVersion)
        writer.write(varint: UInt64(names.count))
        for name in names { writer.write(name: name) }
        for number in [seen, generation, nextTraining] { writer.write(Int64(number)) }
        writer.write(random.state)
        writer.write(column: kept)
        writer.write(column: keptSuspects.map { UInt8($0 ? 1 : 0) })
        writer.write(forest != nil)
        if let forest { writer.write(blob: forest.saved()) }
    }

    /// A learner that goes on bit for bit where the saved one stopped.
    ///
    /// nil for bytes that `save` did not write and for a learner of other features. Whatever is accepted can be used.
    public init?(restoring reader: inout StateReader, names: [String], settings: Settings = Settings()) {
        guard reader.read(UInt8.self) == Self.savedVersion, reader.readCount(of: 2) == names.count else { return nil }
        for name in names where reader.readName() != name { return nil }
        // Far beyond what can be counted, far below overflow in what follows.
        let most = Int64(1) << 56
        guard let seen = reader.read(Int64.self), (0...most).contains(seen),
            let generation = reader.read(Int64.self), (0...most).contains(generation),
            let next = reader.read(Int64.self), (0...2 * most).contains(next) || next == .max,
            let state = reader.read(UInt64.self), let kept = reader.readColumn(of: Double.self),
            let suspects = reader.readColumn(of: UInt8.self), suspects.allSatisfy({ $0 <= 1 }),
            kept.count == suspects.count * names.count, let hasForest = reader.readFlag()
        else { return nil }
        var forest: IsolationForest?
        if hasForest {
            guard let blob = reader.readBlob(), let saved = try? IsolationForest(saved: Array(blob)),
                saved.width == names.count
            else { return nil }
            forest = saved
        }
        self.init(names: names, settings: settings, forest: forest)
        self.seen = Int(seen)
        self.generation = Int(generation)
        self.nextTraining = Int(next)
        self.kept = kept
        keptSuspects = suspects.map { $0 == 1 }
        random = SplitMix64(seed: state)
    }
}
