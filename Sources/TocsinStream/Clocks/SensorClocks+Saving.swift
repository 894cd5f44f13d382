public import TocsinCore

extension SensorClocks {
    /// Writes the progress of a sensor: 18 bytes.
    public func save(sensor: SensorID, to writer: inout StateWriter) {
        let index = Int(sensor.index)
        let progress = index < sensors.count ? sensors[index] : Progress()
        writer.write(progress.newest)
        writer.write(progress.highWaterAtArrival)
        writer.write(progress.source.index)
    }

    /// Replaces the progress of a sensor by a saved one. False if there are too few bytes: nothing has changed then.
    /// - Parameter source: the number that its source has here, where it is another one than it had; nil keeps it.
    public mutating func restore(
        sensor: SensorID, source: SourceID? = nil, from reader: inout StateReader
    ) -> Bool {
        guard let newest = reader.read(Int64.self), let highWater = reader.read(Int64.self),
            let saved = reader.read(UInt16.self)
        else { return false }
        let source = source ?? SourceID(saved)
        let index = Int(sensor.index)
        reserveSensors(index + 1)
        sensors[index] = Progress(newest: newest, highWaterAtArrival: highWater, source: source)
        let place = Int(source.index)
        if newest != .min {
            if place >= highWaters.count { reserveSources(place + 1) }
            leads[place] = max(leads[place], newest.subtractingSaturated(highWater))
        }
        return true
    }

    /// Forgets a sensor, as if it had never been observed.
    public mutating func remove(sensor: SensorID) {
        if Int(sensor.index) < sensors.count { sensors[Int(sensor.index)] = Progress() }
    }

    /// A sensor goes on by another clock of its source, which is ahead of the former one by `span`: its virtual time stays
    /// what it was.
    public mutating func shift(sensor: SensorID, by span: Span64) {
        let index = Int(sensor.index)
        guard index < sensors.count, sensors[index].highWaterAtArrival != .min else { return }
        let highWater = sensors[index].highWaterAtArrival.addingSaturated(span.nanoseconds)
        sensors[index].highWaterAtArrival = highWater
        let place = Int(sensors[index].source.index)
        if place >= highWaters.count { reserveSources(place + 1) }
        leads[place] = max(leads[place], sensors[index].newest.subtractingSaturated(highWater))
    }

    /// Writes the high-water marks of all sources that were ever raised: 18 bytes each.
    public func saveSources(to writer: inout StateWriter) {
        let known = highWaters.indices.filter { highWaters[$0] != .min || leads[$0] != 0 }
        writer.write(varint: UInt64(known.count))
        for source in known {
            writer.write(UInt16(truncatingIfNeeded: source))
            writer.write(highWaters[source])
            writer.write(leads[source])
        }
    }

    /// Takes up saved high-water marks. False if the bytes make no sense: then some may have been taken up.
    public mutating func restoreSources(from reader: inout StateReader) -> Bool {
        guard let count = reader.readCount(of: 18) else { return false }
        for _ in 0..<count {
            guard let number = reader.read(UInt16.self), let highWater = reader.read(Int64.self),
                let lead = reader.read(Int64.self)
            else { return false }
            let source = Int(number)
            if source >= highWaters.count { reserveSources(source + 1) }
            highWaters[source] = highWater
            // A bound: it may be too great, but not too small for the sensors restored before.
            leads[source] = max(leads[source], lead)
        }
        return true
    }

    /// Forgets the high-water mark of a source of which no sensor is left.
    public mutating func remove(source: SourceID) {
        let place = Int(source.index)
        guard place < highWaters.count else { return }
        highWaters[place] = .min
        leads[place] = 0
    }
}
