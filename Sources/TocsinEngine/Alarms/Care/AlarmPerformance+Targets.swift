internal import TocsinCore

/// What the guides ask for: ISA-18.2 (IEC 62682), table of clause 16 with its two columns "very likely to be acceptable"
/// and "maximum manageable", and EEMUA 191 (3rd edition), chapter 6, whose benchmarks are the same.
extension AlarmPerformance {
    public struct Target: Sendable, Equatable {
        public enum Figure: String, Sendable, CaseIterable {
            case average = "average_per_10_minutes"
            case peak = "peak_in_10_minutes"
            case overloaded = "overloaded_share"
            case flood = "flood_share"
            case badActors = "bad_actor_share"
            case chattering
            case stale = "newly_stale_per_day"
            case critical = "critical_share"
            case warning = "warning_share"
            case info = "info_share"
        }

        /// On which side of its limits a figure is good.
        public enum Bound: String, Sendable {
            case below
            case atMost = "at_most"
            case atLeast = "at_least"
        }

        public enum Rating: String, Sendable {
            case acceptable, manageable, exceeded
        }

        public var figure: Figure
        public var value: Double
        public var acceptable: Double
        /// The same as `acceptable` where the guides know no second limit.
        public var manageable: Double
        public var bound: Bound
        /// nil = too few alarms to say so.
        public var rating: Rating?

        init(
            _ figure: Figure, _ value: Double, _ bound: Bound, _ acceptable: Double, _ manageable: Double? = nil,
            isKnown: Bool = true
        ) {
            self.figure = figure
            self.value = value
            self.bound = bound
            self.acceptable = acceptable
            self.manageable = manageable ?? acceptable
            func keeps(_ limit: Double) -> Bool {
                switch bound {
                case .below: value < limit
                case .atMost: value <= limit
                case .atLeast: value >= limit
                }
            }
            guard isKnown else { return }
            rating = keeps(acceptable) ? .acceptable : keeps(self.manageable) ? .manageable : .exceeded
        }
    }

    /// Of fewer alarms the ten worst actors are always more than 5 %.
    static let fewestForActors = 200
    /// Of fewer alarms one critical one is more than 5 %.
    static let fewestForSeverities = 20

    /// Every figure beside what the guides ask for, in a stable order.
    public var targets: [Target] {
        let share = { (severity: Alarm.Severity) in severities[severity] ?? 0 }
        let hasSeverities = alarms >= Self.fewestForSeverities
        return [
            Target(.average, average, .below, 1, 2),
            Target(.peak, Double(peak), .atMost, Double(Self.floodBegins)),
            Target(.overloaded, overloadedShare, .below, 0.01),
            Target(.flood, floodShare, .below, 0.01),
            Target(.badActors, badActorShare, .atMost, 0.01, 0.05, isKnown: alarms >= Self.fewestForActors),
            Target(.chattering, Double(chattering.count), .atMost, 0),
            Target(.stale, stalePerDay, .below, 5),
            // About 80 %, 15 % and 5 % from the lowest to the highest; twice the upper two shares is still borne.
            Target(.critical, share(.critical), .atMost, 0.05, 0.10, isKnown: hasSeverities),
            Target(.warning, share(.warning), .atMost, 0.15, 0.30, isKnown: hasSeverities),
            Target(.info, share(.info), .atLeast, 0.80, 0.60, isKnown: hasSeverities),
        ]
    }
}
