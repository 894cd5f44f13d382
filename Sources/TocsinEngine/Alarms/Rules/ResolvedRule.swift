public import TocsinCore
public import TocsinDetect

/// What the rules say of one series, with the gaps filled.
public struct ResolvedRule: Sendable, Equatable {
    public var fields: RuleFields

    public init(_ fields: RuleFields = RuleFields()) { self.fields = fields }

    /// Where no rule speaks.
    public static let standard = ResolvedRule()

    public var onDelay: Span64 { fields.onDelay ?? .seconds(0) }
    public var deadBand: Double { max(fields.deadBand ?? 0, 0) }
    public var learns: Bool { !(fields.doNotLearn ?? false) }

    /// The settings for a bank that judges series of this rule: deviations, direction and kinds.
    /// The valid range is no part of them: it stands in `fields.range`.
    public func bankSettings(base: BankSettings) -> BankSettings {
        var settings = base
        settings.minimumDeviation = fields.minimumDeviation ?? base.minimumDeviation
        settings.minimumRelativeDeviation = fields.minimumRelativeDeviation ?? base.minimumRelativeDeviation
        settings.direction = fields.direction ?? base.direction
        if let kinds = fields.kinds { settings.enabledKinds = base.enabledKinds.intersection(kinds) }
        return settings
    }

    /// Whether a verdict is a finding at all under this rule, whichever detector gave it. A bank that was set up by
    /// `bankSettings` gives no others; windows and models know no rules. Fire always is one.
    public func admits(_ verdict: Verdict) -> Bool {
        if verdict.kind == .fire { return true }
        if let kinds = fields.kinds, !kinds.contains(verdict.kind) { return false }
        if verdict.kind == .range { return true }
        if let least = fields.minimumScore, verdict.score < least { return false }
        guard verdict.kind == .spike || verdict.kind == .drift else { return true }
        let level = (verdict.expectedLow + verdict.expectedHigh) / 2
        let deviation = verdict.value - level
        guard deviation.isFinite else { return true }
        switch fields.direction {
        case .up where deviation < 0: return false
        case .down where deviation > 0: return false
        default: break
        }
        return abs(deviation) >= fields.minimumDeviation ?? 0
            && abs(deviation) >= (fields.minimumRelativeDeviation ?? 0) * abs(level)
    }
}
