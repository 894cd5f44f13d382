internal import TocsinCore

extension MessageCollector {
    /// A sensor goes away: an event without readings for it, where it is known at all.
    mutating func collect(
        _ departure: MessageColumns.Departure, _ event: MessageColumns.Event, _ bytes: Span<UInt8>,
        _ side: Span<UInt8>, _ index: SeriesIndex
    ) {
        let name = event.sensor.string(bytes, side)
        var leaving = index.sensor(named: name).map { [$0] } ?? []
        if departure == .withDevices {
            let known = devices ?? Self.devices(index)
            devices = known
            leaving += known["\(event.zone.string(bytes, side))/\(name)"] ?? []
        }
        for sensor in leaving {
            batch.appendEvent(
                sensor: sensor, time: event.time ?? batch.origin.received, key: 0,
                payload: book.payload(event.message), label: .none)
        }
    }

    /// The sensors whose names have a slash, by zone and the part before the last one. One pass over all names, 0.2 µs each.
    private static func devices(_ index: SeriesIndex) -> [String: [SensorID]] {
        var devices: [String: [SensorID]] = [:]
        for number in 0..<UInt32(clamping: index.sensorCount) {
            let sensor = SensorID(number)
            guard let zone = index.zone(of: sensor) else { continue }
            let name = index.name(sensor)
            guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { continue }
            devices["\(zone)/\(name[..<slash])", default: []].append(sensor)
        }
        return devices
    }
}
