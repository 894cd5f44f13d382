internal import TocsinCore

/// Remembers which values and which steps from value to value a series has shown, and says how surprising a new one is.
///
/// The scale is cut into 4, 8, 16 and 32 cells; at each resolution one memory holds the cells seen and one the pairs
/// (cell before, cell now). What is not in a memory is novel, and its surprise is −ln of the share of novel entries
/// that memory has seen of late: a series that is new at every reading surprises nobody. The score is the mean
/// surprise of the eight memories, in nats. Own design; the family is that of contextual anomaly detection on
/// discretised streams (Smirnov's CAD-OSE for the Numenta benchmark, 2016) with the zero-frequency problem's view of
/// novelty (Witten and Bell 1991).
///
/// 16.6 KB whatever the series does; eight table look-ups an observation. Older entries give way to newer ones in the
/// same slot.
struct PatternMemory: Sendable {
    static let resolutions: InlineArray<4, Double> = [4, 8, 16, 32]
    static let memories = 8
    private static let slots = 1024

    /// 16 bits of each entry's hash, 0 = empty.
    private var fingerprints = [UInt16](repeating: 0, count: memories * slots)
    /// Decayed count of novel entries, by memory; at first all were.
    private var novel: InlineArray<8, Double> = .init(repeating: 1)
    private var total = 1.0
    private var previous: InlineArray<4, Int32> = .init(repeating: 0)
    /// The share of novelty looks back 20,000 readings: a shorter memory forgets, in a quiet stretch, that now and then
    /// something new is normal, and calls the next new thing a wonder.
    private static let decay = 1 - 1.0 / 20000

    /// Learns a position and answers with its surprise in nats, 0 for the known.
    mutating func observe(position: Double) -> PatternSurprise {
        var surprise = PatternSurprise()
        for level in 0..<4 {
            let cell = Int32((position * Self.resolutions[level]).clamped(-1e6, 1e6).rounded(.down))
            let value = Self.mixed(UInt64(truncatingIfNeeded: cell) &+ 0x9e37_79b9_7f4a_7c15)
            let step = Self.mixed(value ^ (UInt64(truncatingIfNeeded: previous[level]) &* 0x94d0_49bb_1331_11eb))
            previous[level] = cell
            surprise.value += learn(value, in: 2 * level)
            surprise.step += learn(step, in: 2 * level + 1)
        }
        total = total * Self.decay + 1
        surprise.value /= Double(Self.memories)
        surprise.step /= Double(Self.memories)
        return surprise
    }

    @inline(__always) private mutating func learn(_ hash: UInt64, in memory: Int) -> Double {
        let place = memory * Self.slots + Int(hash >> 54)
        let fingerprint = UInt16(truncatingIfNeeded: hash) | 1
        var surprise = 0.0
        var count = novel[memory]
        if fingerprints[place] != fingerprint {
            fingerprints[place] = fingerprint
            surprise = max(-naturalLog(count / total), 0)
            count += 1 / Self.decay
        }
        novel[memory] = count * Self.decay
        return surprise
    }

    /// Stafford's mixer of 64 bits.
    @inline(__always) private static func mixed(_ word: UInt64) -> UInt64 {
        var mixed = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Empties the memories: the scale means something else now.
    mutating func forget() {
        for place in fingerprints.indices { fingerprints[place] = 0 }
        novel = .init(repeating: 1)
        total = 1
    }
}

/// What was new about a reading, in nats: a value never seen, or a step between values never seen.
struct PatternSurprise: Sendable {
    var value = 0.0
    var step = 0.0
    var sum: Double { value + step }
}

extension PatternMemory {
    func save(to writer: inout StateWriter) {
        writer.write(column: fingerprints)
        for memory in 0..<Self.memories { writer.write(novel[memory]) }
        writer.write(total)
        for level in 0..<4 { writer.write(previous[level]) }
    }

    init?(restoring reader: inout StateReader) {
        guard let fingerprints = reader.readColumn(of: UInt16.self),
            fingerprints.count == Self.memories * Self.slots
        else { return nil }
        self.fingerprints = fingerprints
        for memory in 0..<Self.memories {
            guard let count = reader.readDouble(), count > 0, count.isFinite else { return nil }
            novel[memory] = count
        }
        guard let total = reader.readDouble(), total > 0, total.isFinite else { return nil }
        self.total = total
        for level in 0..<4 {
            guard let cell = reader.read(Int32.self) else { return nil }
            previous[level] = cell
        }
    }
}
