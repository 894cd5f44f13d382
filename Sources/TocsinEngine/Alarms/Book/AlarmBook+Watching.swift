public import TocsinCore

// On delay and dead band need the readings after a verdict: only those of series with a condition that waits, or with
// an open incident under a rule with a dead band.

extension AlarmBook {
    /// Whether any reading matters to the book: false nearly always, and then readings need not be looked at.
    public var hasWatches: Bool { !watched.isEmpty }

    public func watches(_ series: SeriesID) -> Bool { watched[series] != nil }

    /// A reading of a watched series. Back inside its band it ends a condition that was not told yet; outside, or
    /// inside by less than the dead band, it keeps an open incident from being cleared.
    public mutating func observe(
        sensor: SensorID, series: SeriesID, value: Double, time: Timestamp, at stream: StreamTime
    ) {
        guard watches(series) else { return }
        for kind in [AnomalyKind.spike, .drift, .range] {
            let condition = SeriesKind(sensor: sensor, series: series, kind: kind)
            if let watch = pending[condition]?.entry.watch, watch.isBack(value) { _ = removePending(condition) }
            let key = Key(sensor: sensor, kind: kind)
            guard var entry = entries[key], let watch = entry.watch, watch.series == series,
                entry.alarm.state == .open, !watch.isBack(value)
            else { continue }
            let isMoved = entry.source != stream.source
            entry.note(stream)
            entry.lastHeld = max(entry.lastHeld ?? time, time)
            entries[key] = entry
            if isMoved { enqueue(key) }
        }
    }

    mutating func addPending(_ condition: SeriesKind, _ waiting: Pending) {
        var waiting = waiting
        let end = waiting.end
        if end < waiting.entry.queued {
            waiting.entry.queued = end
            queue.insert(.pending(condition), at: end, of: waiting.entry.source)
        }
        if let old = pending.updateValue(waiting, forKey: condition) { unwatch(old.entry.watch) }
        watch(waiting.entry.watch)
    }

    mutating func removePending(_ condition: SeriesKind) -> Pending? {
        guard let waiting = pending.removeValue(forKey: condition) else { return nil }
        unwatch(waiting.entry.watch)
        return waiting
    }

    /// What an open incident remembers of its last verdict.
    mutating func note(_ verdict: Verdict, _ rule: ResolvedRule, _ progress: Timestamp, in entry: inout Entry) {
        if rule.deadBand > 0, let watch = Watch(verdict, deadBand: rule.deadBand) {
            unwatch(entry.watch)
            self.watch(watch)
            entry.watch = watch
        }
        noteLevel(verdict, progress, in: &entry)
    }

    mutating func watch(_ watch: Watch?) {
        guard let watch else { return }
        watched[watch.series, default: 0] += 1
    }

    mutating func unwatch(_ watch: Watch?) {
        guard let watch, let count = watched[watch.series] else { return }
        watched[watch.series] = count > 1 ? count - 1 : nil
    }
}
