internal import TocsinCore

extension MessageCollector {
    /// A sensor goes away: an event without readings for it, where it is known at all. Once for each message.
    mutating func collect(
        _ departure: MessageColumns.Departure, _ event: MessageColumns.Event, _ bytes: Span<UInt8>,
        _ side: Span<UInt8>, _ index: SeriesIndex
    ) {
        let name = event.sensor.string(bytes, side)
        var leaving = index.sensor(named: name).map { [$0] } ?? []
        if departure == .withDevices {
            leaving += departures.devices(of: "\(event.zone.string(bytes, side))/\(name)", index)
        }
        for sensor in leaving where departures.isFirst(sensor, of: event.message) {
            batch.appendEvent(
                sensor: sensor, time: event.time ?? batch.origin.received, key: 0,
                payload: book.payload(event.message), label: .none)
        }
    }
}

/// What of the sensors of a batch is needed where some of them go away.
struct Departures {
    /// The sensors whose names have a slash, by zone and the part before the last one.
    private var devices: [String: [SensorID]] = [:]
    /// Sensors that `devices` has been made of: ids are dense.
    private var seen: UInt32 = 0
    private var message: Int?
    private var left: Set<SensorID> = []

    /// One pass over all names for the first one, 0.2 µs each.
    mutating func devices(of node: String, _ index: SeriesIndex) -> [SensorID] {
        let count = UInt32(clamping: index.sensorCount)
        while seen < count {
            let sensor = SensorID(seen)
            seen += 1
            guard let zone = index.zone(of: sensor) else { continue }
            let name = index.name(sensor)
            guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { continue }
            devices["\(zone)/\(name[..<slash])", default: []].append(sensor)
        }
        return devices[node] ?? []
    }

    mutating func isFirst(_ sensor: SensorID, of message: Int) -> Bool {
        if message != self.message {
            self.message = message
            left.removeAll(keepingCapacity: true)
        }
        return left.insert(sensor).inserted
    }
}
