internal import TocsinCore

extension AlarmBook {
    /// An incident, open or in its cooldown.
    struct Entry {
        var alarm: Alarm
        /// By whose clock it goes: that of its sensor's source; nil: by the newest one's.
        var source: SourceID?
        /// That clock (high-water event time) at the last sign of the condition, and at the clearing.
        var lastProgress: Timestamp
        /// The count of verdicts at which it is told again.
        var nextUpdate: Int
        /// The quiet time that ends it.
        var clearAfter: Span64
        /// Event time of the last sign of the condition when that was a value inside the dead band.
        var lastHeld: Timestamp?
        var watch: Watch?
        /// Levels of the series that drift.
        var levels: [Level] = []
        /// When the queue asks for it.
        var queued = Timestamp(nanoseconds: .max)

        init(alarm: Alarm, source: SourceID?, lastProgress: Timestamp, nextUpdate: Int, clearAfter: Span64) {
            self.alarm = alarm
            self.source = source
            self.lastProgress = lastProgress
            self.nextUpdate = nextUpdate
            self.clearAfter = clearAfter
        }

        /// A sign of the condition. What comes through another source than before goes on by that one's clock: what lies
        /// between the two is no time that has gone by.
        mutating func note(_ time: StreamTime) {
            guard source != time.source else {
                lastProgress = max(lastProgress, time.own)
                return
            }
            if source == nil || time.source == nil {
                lastProgress = max(lastProgress, time.own)
            } else {
                let shift = time.own.since(lastProgress)
                for level in levels.indices { levels[level].since = levels[level].since.advanced(by: shift) }
                lastProgress = time.own
            }
            source = time.source
            queued = Timestamp(nanoseconds: .max)
        }

        /// Takes in what another, younger stretch of the same condition brings.
        mutating func merge(_ other: Alarm) {
            let (sum, overflow) = alarm.verdicts.addingReportingOverflow(other.verdicts)
            alarm.verdicts = overflow ? .max : sum
            alarm.lastSeen = max(alarm.lastSeen, other.lastSeen)
            // A window's finding may belong to it: the incident keeps its own words.
            if other.score > alarm.score, other.kind == alarm.kind {
                alarm.score = other.score
                alarm.sentence = other.sentence
                alarm.metric = other.metric
                if other.severity == .critical { alarm.severity = .critical }
            }
            alarm.pValue = min(alarm.pValue, other.pValue)
        }
    }

    /// A condition of one series (or whole sensor).
    struct SeriesKind: Hashable {
        var sensor: SensorID
        var series: SeriesID?
        var kind: AnomalyKind
    }

    /// A condition that is not told yet.
    struct Pending {
        var entry: Entry
        /// It is dropped when nothing was heard of it for this long.
        var patience: Span64

        var end: Timestamp { entry.lastProgress.advanced(by: patience) }
    }

    /// The band of the last verdict, for values that follow it.
    struct Watch {
        var series: SeriesID
        var low: Double
        var high: Double
        var deadBand: Double

        /// nil where there is no band to come back into.
        init?(_ verdict: Verdict, deadBand: Double) {
            guard let series = verdict.series, [.spike, .drift, .range].contains(verdict.kind),
                verdict.expectedLow.isFinite || verdict.expectedHigh.isFinite
            else { return nil }
            self.init(series: series, low: verdict.expectedLow, high: verdict.expectedHigh, deadBand: deadBand)
        }

        init(series: SeriesID, low: Double, high: Double, deadBand: Double) {
            self.series = series
            self.low = low
            self.high = high
            self.deadBand = deadBand
        }

        /// Whether a value is back inside by the dead band; a dead band wider than the band asks for its middle half.
        func isBack(_ value: Double) -> Bool {
            var margin = deadBand
            if low.isFinite, high.isFinite { margin = min(margin, (high - low) / 4) }
            return (!low.isFinite || value >= low + margin) && (!high.isFinite || value <= high - margin)
        }
    }

    /// Where a drifting series stands, and since when it has moved no further.
    struct Level {
        var series: SeriesID?
        var value: Double
        /// Larger moves are further change.
        var tolerance: Double
        /// By the incident's clock.
        var since: Timestamp
    }

    struct AcceptedLevel {
        var value: Double
        var tolerance: Double
        /// By whose clock it goes, and that at the last verdict that spoke of it.
        var source: SourceID?
        var lastProgress: Timestamp
    }

    /// What the queue asks for.
    enum Due {
        case entry(Key)
        case restored(Key)
        case pending(SeriesKind)
        case accepted(SeriesKind)
    }
}
