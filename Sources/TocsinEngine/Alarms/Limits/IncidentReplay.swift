internal import TocsinCore

/// Counts incidents while verdicts are taken away, weakest first: each sensor and kind is a linked list in time, and a
/// verdict that goes joins or parts its neighbours. All thresholds together cost one pass over the verdicts.
struct IncidentReplay {
    private typealias Verdict = AlarmBudget.ScoredVerdict

    private let verdicts: [AlarmBudget.ScoredVerdict]
    private let gap: Span64
    /// Incidents an asset may have in the whole recording.
    private let most: Double
    private var previous: [Int]
    private var next: [Int]
    private var asset: [Int] = []
    private var incidents: [Int]
    private var overBudget: Int

    private static let none = -1

    init(_ list: [AlarmBudget.ScoredVerdict], gap: Span64, most: Double) {
        verdicts = list.sorted {
            Self.stream($0) == Self.stream($1) ? $0.time < $1.time : Self.stream($0) < Self.stream($1)
        }
        self.gap = gap
        self.most = most
        previous = Array(repeating: Self.none, count: verdicts.count)
        next = previous
        var numbers: [String: Int] = [:]
        for index in verdicts.indices {
            let number = numbers[verdicts[index].asset] ?? numbers.count
            numbers[verdicts[index].asset] = number
            asset.append(number)
            if index > 0, Self.stream(verdicts[index - 1]) == Self.stream(verdicts[index]) {
                previous[index] = index - 1
                next[index - 1] = index
            }
        }
        incidents = Array(repeating: 0, count: numbers.count)
        overBudget = 0
        for index in verdicts.indices where parts(previous[index], index) { incidents[asset[index]] += 1 }
        overBudget = incidents.count { Double($0) > most }
    }

    static func incidents(_ list: [AlarmBudget.ScoredVerdict], gap: Span64) -> Int {
        IncidentReplay(list, gap: gap, most: .infinity).incidents.reduce(0, +)
    }

    private static func stream(_ verdict: Verdict) -> (String, UInt8, String) {
        (verdict.sensor, verdict.kind.rawValue, verdict.asset)
    }

    /// Whether a new incident begins between two verdicts that follow each other.
    private func parts(_ first: Int, _ second: Int) -> Bool {
        guard second != Self.none else { return false }
        return first == Self.none || verdicts[second].time.since(verdicts[first].time) > gap
    }

    mutating func tune(name: String, days: Double) -> AlarmBudget.ClassReport {
        let before = incidents
        let all = self
        let order = verdicts.indices.sorted { (verdicts[$0].score, $0) < (verdicts[$1].score, $1) }
        var threshold = 0.0
        var place = 0
        // Nothing is above 1, so what has it stays.
        while overBudget > 0, place < order.count, verdicts[order[place]].score < 1 {
            let score = verdicts[order[place]].score
            while place < order.count, verdicts[order[place]].score == score {
                remove(order[place])
                place += 1
            }
            // Above every score there is nothing left.
            threshold = place < order.count ? verdicts[order[place]].score : score.nextUp
        }
        let gone = order.filter { verdicts[$0].score < threshold }
        return AlarmBudget.ClassReport(
            sensorClass: name, threshold: threshold, assets: before.count, alarmsBefore: before.reduce(0, +),
            alarmsAfter: incidents.reduce(0, +), worstBefore: Double(before.max() ?? 0) / days,
            worstAfter: Double(incidents.max() ?? 0) / days,
            strongestDropped: gone.last.map { verdicts[$0].score } ?? .nan,
            dropped: all.dropped(below: threshold), critical: 0)
    }

    private mutating func remove(_ index: Int) {
        let (left, right) = (previous[index], next[index])
        let change =
            (parts(left, right) ? 1 : 0) - (parts(left, index) ? 1 : 0) - (parts(index, right) ? 1 : 0)
        if left != Self.none { next[left] = right }
        if right != Self.none { previous[right] = left }
        let before = incidents[asset[index]]
        incidents[asset[index]] = before + change
        overBudget += (Double(before + change) > most ? 1 : 0) - (Double(before) > most ? 1 : 0)
    }

    /// Incidents of which no verdict is left.
    private func dropped(below threshold: Double) -> [AnomalyKind: Int] {
        var counts: [AnomalyKind: Int] = [:]
        var index = 0
        while index < verdicts.count {
            var strongest = verdicts[index].score
            var end = index + 1
            while end < verdicts.count, previous[end] != Self.none, !parts(end - 1, end) {
                strongest = max(strongest, verdicts[end].score)
                end += 1
            }
            if strongest < threshold { counts[verdicts[index].kind, default: 0] += 1 }
            index = end
        }
        return counts
    }
}
