internal import TocsinCore

extension Joiner {
    /// Sensors leave or come: their incidents, what people said of them, what heavy detectors remember of them. Nobody is
    /// told. The forests are of all sensors, and stay.
    mutating func hand(
        _ handover: Handover, _ results: [ShardResult], into written: inout BatchOutcome
    ) -> HandoverOutcome {
        names.catchUp()
        let handed = results.flatMap(\.handed)
        let selection = SensorSelection(Set(handed.map(\.index)), names)
        var outcome = HandoverOutcome()
        let open = openAlarms(of: selection)
        switch handover {
        case .leave(let run):
            if run.isWanted {
                var writer = StateWriter()
                save(selection, to: &writer)
                run.add(.joiner, writer.bytes)
                writer.removeAll()
                care.save(to: &writer) { selection.names.contains($0) }
                run.add(.care, writer.bytes)
            }
            if run.isGivenUp {
                forget(selection)
                forget(run.source)
                outcome.left = handed
                outcome.gone = open
            }
        case .adopt(let adoption):
            forget(selection)
            forget(adoption.source)
            follow(adoption.source, to: adoption.highWater)
            outcome.left = handed
            let come = SensorSelection(Set(adoption.sensors.map(\.index)), names)
            let isSound = adoption.contents.parts(.joiner).allSatisfy { part in
                var reader = StateReader(part)
                return restore(from: &reader, adoption.ids, source: adoption.source, shift: adoption.shift)
            }
            let isCared = adoption.contents.parts(.care).allSatisfy { part in
                var reader = StateReader(part)
                return care.restore(from: &reader)
            }
            outcome.isNonsense = !isSound || !isCared || results.contains { $0.isNonsense }
            if outcome.isNonsense { forget(come) }
            outcome.alarms = openAlarms(of: come)
            let going = Set(outcome.alarms.map(\.id))
            outcome.gone = open.filter { !going.contains($0.id) }
        }
        if isStoreAlone {
            written.alarmChanges += outcome.gone.map { Self.over($0) }
            written.alarmChanges += outcome.alarms.map { AlarmChange(step: .updated, alarm: $0, isTold: false) }
        }
        return outcome
    }

    /// Also those that are over and wait to be acknowledged, of which the desk knows nothing any more.
    private func openAlarms(of selection: SensorSelection) -> [Alarm] {
        let open = desk.openAlarms(of: selection).map { care.annotated($0) }
        let known = Set(open.map(\.id))
        let latched = care.latchedAlarms.filter { selection.names.contains($0.sensor) && !known.contains($0.id) }
        return (open + latched).sorted { ($0.raised, $0.id) < ($1.raised, $1.id) }
    }

    /// As far as this process's own store is concerned: nobody here will see its end.
    private static func over(_ alarm: Alarm) -> AlarmChange {
        let place = "the process that reads the sensor next."
        var alarm = alarm
        alarm.sentence += alarm.cleared == nil ? " It goes on in \(place)" : " It is to be acknowledged in \(place)"
        alarm.state = .cleared
        alarm.cleared = alarm.cleared ?? alarm.lastSeen
        return AlarmChange(step: .updated, alarm: alarm, isTold: false)
    }

    private func save(_ selection: SensorSelection, to writer: inout StateWriter) {
        desk.save(selection, to: &writer)
        sequences.save(to: &writer, selection)
        fires.save(to: &writer, selection)
        causes.save(to: &writer, selection)
    }

    private mutating func forget(_ selection: SensorSelection) {
        guard !selection.sensors.isEmpty else { return }
        desk.forget(selection)
        sequences.forget(selection)
        fires.forget(selection)
        causes.forget(selection)
        care.forget { selection.names.contains($0) }
    }

    /// A source's time is known from elsewhere: from a checkpoint, or from where its sensors come from.
    mutating func follow(_ source: SourceID, to highWater: Timestamp) {
        times.raise(source, to: highWater)
        desk.note(source, at: highWater)
    }

    private mutating func forget(_ source: SourceID) {
        desk.remove(source)
        if Int(source.index) < times.count { times[Int(source.index)] = Timestamp(nanoseconds: .min) }
    }

    /// - Returns: false for nonsense; then some of it may have been taken up.
    private mutating func restore(
        from reader: inout StateReader, _ ids: SavedIDs, source: SourceID, shift: Span64
    ) -> Bool {
        desk.adopt(from: &reader, ids, source: source, shift: shift)
            && sequences.restore(from: &reader, ids, names: names)
            && fires.restore(from: &reader, ids, names: names) && causes.restore(from: &reader, ids)
    }
}
