internal import TocsinCore

extension AlarmBook {
    func alarmIDs(of selection: SensorSelection) -> Set<String> {
        Set(entries.filter { selection.contains($0.key.sensor) }.map(\.value.alarm.id))
            .union(restored.filter { selection.contains($0.key.sensor) }.map(\.value.id))
    }

    func openAlarms(of selection: SensorSelection) -> [Alarm] {
        let booked = entries.filter { selection.contains($0.key.sensor) }.map(\.value.alarm)
        let left = restored.filter { selection.contains($0.key.sensor) }.map(\.value)
        return (booked + left).filter { $0.state == .open }.sorted { ($0.raised, $0.id) < ($1.raised, $1.id) }
    }

    mutating func forget(_ selection: SensorSelection) {
        entries = entries.filter { !selection.contains($0.key.sensor) }
        restored = restored.filter { !selection.contains($0.key.sensor) }
        pending = pending.filter { !selection.contains($0.key.sensor) }
        accepted = accepted.filter { !selection.contains($0.key.sensor) }
        index()
    }
}
