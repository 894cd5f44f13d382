public import TocsinCore

/// Decides, window by window of one series, whether a heavy detector runs: only where a light one is suspicious.
///
/// ```swift
/// gate.note(max(assessment.evidence, ensemble.novelty(of: 0)))     // every reading
/// if gate.close(forestScore: score) { … }                          // every window: run the autoencoder on it
/// ```
/// Meant for detectors that have been trained and need no window to learn from. One that learns from what it sees, as
/// `NoveltyDetector`, starves behind it: it would know the suspicious alone. On windows of 50 readings of the shared part
/// of the Numenta benchmark the default opens for 16 % of the readings and at 60 of 64 events; the bank alone for 7 %
/// and at 47. 8 bytes.
public struct SuspicionGate: Sendable, Equatable {
    /// Evidence, in units of the decision limit, that opens the gate. Default 0.5: for the bank a reading of probability
    /// 3e-4.
    public static let defaultEvidence: Float = 0.5
    /// Score of the window's Isolation Forest that opens it as well. Default 0.6.
    public static let defaultForestScore = 0.6
    /// Windows for which it stays open after a suspicious one. Default 1: an event's end belongs to it.
    public static let defaultHold: UInt8 = 1

    private var most: Float = 0
    private var open: UInt8 = 0

    public init() {}

    /// Takes a light detector's word on a reading, in units of its decision limit. 1 ns.
    @inlinable public mutating func note(_ evidence: Double) { raise(Float(evidence)) }

    @usableFromInline mutating func raise(_ evidence: Float) { if evidence > most { most = evidence } }

    /// Ends a window: true where the heavy detector is to run on it.
    ///
    /// - Parameters:
    ///   - forestScore: of this window; NaN where there is none.
    ///   - evidence: what opens the gate, see `defaultEvidence`.
    public mutating func close(
        forestScore: Double = .nan, evidence: Float = defaultEvidence, forestLimit: Double = defaultForestScore,
        hold: UInt8 = defaultHold
    ) -> Bool {
        let isSuspicious = most >= evidence || forestScore >= forestLimit
        most = 0
        if isSuspicious {
            open = hold
            return true
        }
        guard open > 0 else { return false }
        open -= 1
        return true
    }
}

extension SuspicionGate {
    public func save(to writer: inout StateWriter) {
        writer.write(most)
        writer.write(open)
    }

    /// nil for too few bytes and for evidence that is no number.
    public init?(restoring reader: inout StateReader) {
        guard let most = reader.readFloat(), !most.isNaN, let open = reader.read(UInt8.self) else { return nil }
        (self.most, self.open) = (most, open)
    }
}
