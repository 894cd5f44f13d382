public import TocsinCore

/// Chooses score thresholds by replay: so high that no asset raises more alarms a day than people want to see.
public enum AlarmBudget {
    /// One verdict of a recorded run.
    public struct ScoredVerdict: Sendable {
        public var sensor: String
        public var asset: String
        /// The class that has one threshold; the empty text where there are no classes.
        public var sensorClass: String
        public var kind: AnomalyKind
        public var time: Timestamp
        /// 0…1, high = anomalous.
        public var score: Double
        /// Told at any score: fire and range always are.
        public var isCritical: Bool

        public init(
            sensor: String, asset: String, sensorClass: String = "", kind: AnomalyKind, time: Timestamp,
            score: Double, isCritical: Bool = false
        ) {
            self.sensor = sensor
            self.asset = asset
            self.sensorClass = sensorClass
            self.kind = kind
            self.time = time
            self.score = score
            self.isCritical = isCritical || kind == .fire || kind == .range
        }
    }

    /// What a threshold does to the recorded run.
    public struct ClassReport: Sendable, Equatable {
        public var sensorClass: String
        /// For `RuleFields.minimumScore`: findings with a lower score are none; 0 = the budget is kept without, 1 with
        /// `worstAfter` above the budget = no threshold keeps it.
        public var threshold: Double
        public var assets: Int
        /// Incidents (critical ones left out) with every verdict, and with those at the threshold and above.
        public var alarmsBefore: Int
        public var alarmsAfter: Int
        /// A day, of the busiest asset.
        public var worstBefore: Double
        public var worstAfter: Double
        /// The highest score that is dropped; NaN where none is.
        public var strongestDropped: Double
        /// Dropped incidents by kind, whole incidents only.
        public var dropped: [AnomalyKind: Int]
        public var critical: Int
    }

    /// For each class the lowest threshold at which every asset has at most `perDay` incidents a day on average.
    /// Verdicts of one sensor and kind at most `gap` apart are one incident, as in `AlarmBook`.
    ///
    /// An average, because a day on which everything goes wrong must not make the program deaf: such days are cut by
    /// `AlarmSettings.budgetPerDay` at run time. Costs a sort of the verdicts.
    /// - Parameters:
    ///   - days: length of the recording; fractions count, values of 0 and below are taken as one day.
    ///   - gap: clearing time plus cooldown.
    public static func tune(
        _ verdicts: [ScoredVerdict], perDay: Double, days: Double, gap: Span64 = .minutes(15)
    ) -> [ClassReport] {
        let length = days > 0 && days.isFinite ? days : 1
        let classes = Dictionary(grouping: verdicts.filter { $0.score.isFinite || $0.isCritical }, by: \.sensorClass)
        return classes.sorted { $0.key < $1.key }.map { name, list in
            var replay = IncidentReplay(list.filter { !$0.isCritical }, gap: gap, most: max(perDay, 0) * length)
            var report = replay.tune(name: name, days: length)
            report.critical = IncidentReplay.incidents(list.filter(\.isCritical), gap: gap)
            return report
        }
    }
}
