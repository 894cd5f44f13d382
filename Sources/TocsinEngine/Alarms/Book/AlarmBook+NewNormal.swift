internal import TocsinCore

// A level that has moved and then stayed for hours is how things are now: nobody is helped by an alarm that stays.

extension AlarmBook {
    mutating func noteLevel(_ verdict: Verdict, _ progress: Timestamp, in entry: inout Entry) {
        guard verdict.kind == .drift, settings.newNormalAfter != nil, verdict.value.isFinite else { return }
        let width = verdict.expectedHigh - verdict.expectedLow
        // Half a band is noise; without a band a twentieth of the level.
        let tolerance = width.isFinite && width > 0 ? width / 2 : abs(verdict.value) / 20
        let level = Level(series: verdict.series, value: verdict.value, tolerance: tolerance, since: progress)
        if let index = entry.levels.firstIndex(where: { $0.series == verdict.series }) {
            let known = entry.levels[index]
            if abs(verdict.value - known.value) > known.tolerance { entry.levels[index] = level }
        } else {
            entry.levels.append(level)
        }
    }

    /// When an open drift is taken as the new normal if it moves no further; nil = never.
    func acceptance(of entry: Entry) -> Timestamp? {
        guard let after = settings.newNormalAfter, let last = entry.levels.map(\.since).max() else { return nil }
        return last.advanced(by: after)
    }

    /// Closes a drift whose level has stayed.
    mutating func accept(_ key: Key, at time: Timestamp) -> AlarmChange? {
        guard var entry = entries.removeValue(forKey: key), let after = settings.newNormalAfter else { return nil }
        unwatch(entry.watch)
        keys[entry.alarm.id] = nil
        takeUpLeft(key, at: time)
        entry.alarm.state = .cleared
        entry.alarm.cleared = time
        entry.alarm.sentence = Sentence.newNormal(entry.alarm.sentence, after: after)
        for level in entry.levels {
            let condition = SeriesKind(sensor: key.sensor, series: level.series, kind: key.kind)
            accepted[condition] = AcceptedLevel(
                value: level.value, tolerance: level.tolerance, source: entry.source,
                lastProgress: entry.lastProgress)
            queue.insert(.accepted(condition), at: entry.lastProgress.advanced(by: after), of: entry.source)
        }
        return AlarmChange(step: .cleared, alarm: entry.alarm)
    }

    /// Whether a drift is one to a level that has been accepted; a move away from it ends the acceptance.
    mutating func isAccepted(_ verdict: Verdict, at time: StreamTime) -> Bool {
        guard !accepted.isEmpty else { return false }
        let condition = SeriesKind(sensor: verdict.sensor, series: verdict.series, kind: verdict.kind)
        guard var level = accepted[condition] else { return false }
        guard abs(verdict.value - level.value) <= level.tolerance else {
            accepted[condition] = nil
            return false
        }
        if level.source == time.source {
            level.lastProgress = max(level.lastProgress, time.own)
        } else {
            (level.source, level.lastProgress) = (time.source, time.own)
            let end = time.own.advanced(by: settings.newNormalAfter ?? .days(0))
            queue.insert(.accepted(condition), at: end, of: time.source)
        }
        accepted[condition] = level
        return true
    }
}
