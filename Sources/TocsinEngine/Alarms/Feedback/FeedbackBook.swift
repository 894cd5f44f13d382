public import TocsinCore

/// What people have said of findings, by sensor, metric and kind, and what follows from it.
///
/// - `false`: a finding raises again only with more than `margin` times the odds (score ÷ (1 − score)) of the false
///   one. The margin grows with each further `false`, never beyond `largestMargin`; it shrinks linearly to 1 over
///   `decay`, and then the `false` is forgotten: as long as it holds, an equal finding raises nothing.
/// - `expected`: a finding at the same time of the week (from `slack` before to `slack` after; after a second one on
///   another weekday, at that time of every day) raises nothing while its odds are at most `margin` times the marked
///   ones. It is forgotten when nothing came at its time for `expectationLifetime`, or when a `real` contradicts it.
/// - `real`: a finding as strong as this one raises again: the false ones are lowered to half its odds, and what was
///   expected at its time is so no longer.
///
/// Fire and values out of range are recorded but never held back: for those, change the rule. The same words in the
/// same order make the same book.
public struct FeedbackBook: Sendable {
    struct Key: Hashable {
        var sensor: String
        var metric: String?
        var kind: AnomalyKind
    }

    struct Margin: Equatable {
        /// Of the strongest finding that was called false.
        var odds: Double
        var factor: Double
        var since: Timestamp
    }

    struct Expectation: Equatable {
        var recurrence: Recurrence
        /// Nanoseconds since Monday 00:00 UTC, slack included.
        var place: Int64
        var length: Int64
        var odds: Double
        var lastSeen: Timestamp
    }

    /// Why a finding raises nothing.
    public enum Reason: String, Sendable {
        case calledFalse = "called false before"
        case expected
    }

    let settings: FeedbackSettings
    var margins: [Key: Margin] = [:]
    var expectations: [Key: [Expectation]] = [:]
    public internal(set) var counts: [FeedbackWord: Int] = [:]

    static let expectationsPerKey = 16

    public init(settings: FeedbackSettings = FeedbackSettings()) { self.settings = settings }

    public var isEmpty: Bool { margins.isEmpty && expectations.isEmpty }

    static func isHeld(_ kind: AnomalyKind) -> Bool { kind != .fire && kind != .range }

    /// Takes in a word. Costs a look at everything that was said before.
    /// - Returns: false where it changes nothing: fire and range.
    @discardableResult
    public mutating func record(_ feedback: Feedback) -> Bool {
        counts[feedback.word, default: 0] += 1
        forget(at: feedback.given)
        guard Self.isHeld(feedback.kind) else { return false }
        let key = Key(sensor: feedback.sensor, metric: feedback.metric, kind: feedback.kind)
        let odds = Self.odds(feedback.score)
        switch feedback.word {
        case .falseAlarm:
            let old = margins[key]
            let factor = old.map { min($0.factor + settings.margin - 1, settings.largestMargin) }
            margins[key] = Margin(
                odds: max(old?.odds ?? 0, odds), factor: factor ?? settings.margin, since: feedback.given)
        case .expected: expect(feedback, key, odds)
        case .real:
            if let old = margins[key] {
                margins[key] = Margin(odds: min(old.odds, odds / 2), factor: settings.margin, since: old.since)
            }
            let left = (expectations[key] ?? []).filter { !matches($0, feedback.start) && !matches($0, feedback.end) }
            expectations[key] = left.isEmpty ? nil : left
        }
        return true
    }

    /// Whether a finding is held back.
    /// - Parameter time: of the finding; earlier than a word that was already said counts as just after it.
    public mutating func reason(
        sensor: String, metric: String?, kind: AnomalyKind, score: Double, at time: Timestamp
    ) -> Reason? {
        guard !isEmpty, Self.isHeld(kind) else { return nil }
        let key = Key(sensor: sensor, metric: metric, kind: kind)
        let odds = Self.odds(score)
        if let margin = margins[key], let required = required(margin, at: time),
            odds <= margin.odds || odds < required
        {
            return .calledFalse
        }
        guard var list = expectations[key] else { return nil }
        for index in list.indices where isAlive(list[index], at: time) && matches(list[index], time) {
            guard odds <= list[index].odds * settings.margin else { continue }
            list[index].lastSeen = max(list[index].lastSeen, time)
            expectations[key] = list
            return .expected
        }
        return nil
    }

    /// The score that a finding must have to raise at a time, where one was called false (0…1); nil = any.
    public func requiredScore(sensor: String, metric: String?, kind: AnomalyKind, at time: Timestamp) -> Double? {
        guard let margin = margins[Key(sensor: sensor, metric: metric, kind: kind)],
            let required = required(margin, at: time)
        else { return nil }
        return required / (1 + required)
    }

    /// nil when the word is too old.
    private func required(_ margin: Margin, at time: Timestamp) -> Double? {
        let age = max(time.since(margin.since).seconds, 0)
        let lifetime = settings.decay.seconds
        guard age < lifetime else { return nil }
        return margin.odds * (1 + (margin.factor - 1) * (1 - age / lifetime))
    }

    /// Odds tell scores near 1 apart: for the bank, twice the odds is twice the surprise. At most a million.
    static func odds(_ score: Double) -> Double {
        guard score.isFinite, score > 0 else { return 0 }
        return score >= 1 ? 1e6 : min(score / (1 - score), 1e6)
    }

    private mutating func forget(at time: Timestamp) {
        margins = margins.filter { required($0.value, at: time) != nil }
        expectations = expectations.compactMapValues { list in
            let alive = list.filter { isAlive($0, at: time) }
            return alive.isEmpty ? nil : alive
        }
    }
}
