internal import TocsinCore
internal import TocsinDetect

/// What rules, limits and calendar say of one shard's series: asked once for each, kept as numbers.
struct SeriesRules: Sendable {
    private let rules: AlarmRules
    private let calendar: AlarmCalendar
    /// Normal operating ranges by metric name in lower case.
    private let limits: [String: ClosedRange<Double>]
    private var names: SeriesNames
    /// Distinct rules, and the number of the bank's settings for each.
    private var known: [(rule: ResolvedRule, settings: UInt8)] = []
    /// By local sensor: the entries that concern it; sensors without any are not in it.
    private var calendars: [UInt32: SensorCalendar] = [:]
    /// By local series: not learnt from. Empty while no rule says so.
    private var isUnlearnt: Set<UInt32> = []

    init(settings: EngineSettings, table: SeriesTable) {
        rules = settings.rules
        calendar = settings.calendar
        limits = Dictionary(
            settings.limits.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        names = SeriesNames(table: table)
    }

    /// Nothing to ask: names need not be known.
    var isEmpty: Bool { limits.isEmpty && rules.isEmpty && calendar.entries.isEmpty }

    mutating func catchUpIfNeeded(with batch: Batch) { if !isEmpty { names.catchUpIfNeeded(with: batch) } }
    mutating func catchUp() { if !isEmpty { names.catchUp() } }

    /// Applies what is said of a series.
    mutating func apply(
        to global: SeriesID, local: SeriesID, sensor: SensorID, base: BankSettings, bank: inout Bank
    ) {
        guard !isEmpty else { return }
        let metric = names.metricName(of: global)
        var range = limits[metric.lowercased()]
        let name = names.sensorName(of: global)
        if !rules.isEmpty {
            let rule = rules.resolve(sensor: name, metric: metric)
            range = rule.fields.range ?? range
            if rule != .standard { bank.setSettings(series: local, index: settings(for: rule, base, &bank)) }
            if !rule.learns { isUnlearnt.insert(local.index) }
        }
        if let range { bank.setValidRange(series: local, low: range.lowerBound, high: range.upperBound) }
        if !calendar.entries.isEmpty, calendars[sensor.index] == nil {
            let entries = calendar.of(name)
            if !entries.isEmpty { calendars[sensor.index] = entries }
        }
    }

    /// The place of a series is free for another one.
    mutating func remove(series: SeriesID) { isUnlearnt.remove(series.index) }
    mutating func remove(sensor: SensorID) { calendars[sensor.index] = nil }

    private mutating func settings(for rule: ResolvedRule, _ base: BankSettings, _ bank: inout Bank) -> UInt8 {
        if let found = known.first(where: { $0.rule == rule }) { return found.settings }
        let index = bank.addSettings(rule.bankSettings(base: base))
        known.append((rule, index))
        return index
    }

    @inline(__always)
    func learns(series: SeriesID, sensor: SensorID, at time: Timestamp) -> Bool {
        if !isUnlearnt.isEmpty, isUnlearnt.contains(series.index) { return false }
        guard !calendars.isEmpty, let entries = calendars[sensor.index] else { return true }
        return entries.learns(at: time)
    }
}
