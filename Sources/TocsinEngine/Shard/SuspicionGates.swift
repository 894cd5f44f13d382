internal import TocsinCore
internal import TocsinDetect

/// By local series: whether its readings since the last window were suspicious enough for a heavy detector. Empty, and
/// free of cost, where there is none.
struct SuspicionGates: Sendable {
    let isEnabled: Bool
    private var gates: [SuspicionGate] = []

    init(isEnabled: Bool) { self.isEnabled = isEnabled }

    @inline(__always)
    mutating func note(_ evidence: Double, of series: SeriesID) {
        let index = Int(series.index)
        if index >= gates.count { gates += repeatElement(SuspicionGate(), count: index + 1 - gates.count) }
        gates[index].note(evidence)
    }

    mutating func close(_ series: SeriesID) -> Bool {
        let index = Int(series.index)
        return index < gates.count ? gates[index].close() : false
    }

    mutating func remove(_ series: SeriesID) {
        if Int(series.index) < gates.count { gates[Int(series.index)] = SuspicionGate() }
    }

    func save(_ series: SeriesID, to writer: inout StateWriter) {
        let index = Int(series.index)
        writer.write(index < gates.count)
        if index < gates.count { gates[index].save(to: &writer) }
    }

    mutating func restore(_ series: SeriesID, from reader: inout StateReader) -> Bool {
        guard let isKnown = reader.readFlag() else { return false }
        guard isKnown else { return true }
        guard let gate = SuspicionGate(restoring: &reader) else { return false }
        guard isEnabled else { return true }
        note(0, of: series)
        gates[Int(series.index)] = gate
        return true
    }
}
