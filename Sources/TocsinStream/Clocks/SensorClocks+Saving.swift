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
    public mutating func restore(sensor: SensorID, from reader: inout StateReader) -> Bool {
        guard let newest = reader.read(Int64.self), let highWater = reader.read(Int64.self),
            let source = reader.read(UInt16.self)
        else { return false }
        let index = Int(sensor.index)
        reserveSensors(index + 1)
        sensors[index] = Progress(newest: newest, highWaterAtArrival: highWater, source: SourceID(source))
        let place = Int(source)
        if newest != .min {
            if place >= highWaters.count { reserveSources(place + 1) }
            leads[place] = max(leads[place], newest.subtractingSaturated(highWater))
        }
        return true
    }

    /// Writes the high-water marks of all sources.
    public func saveSources(to writer: inout StateWriter) {
        writer.write(column: highWaters)
        writer.write(column: leads)
    }

    /// Replaces the high-water marks by saved ones. False if the bytes make no sense: nothing has changed then.
    public mutating func restoreSources(from reader: inout StateReader) -> Bool {
        guard let highWaters = reader.readColumn(of: Int64.self), let leads = reader.readColumn(of: Int64.self),
            highWaters.count == leads.count, highWaters.count <= Int(UInt16.max) + 1
        else { return false }
        let count = max(highWaters.count, self.highWaters.count)
        reserveSources(count)
        for source in 0..<count {
            self.highWaters[source] = source < highWaters.count ? highWaters[source] : .min
            // A bound: it may be too great, but not too small for the sensors restored before.
            if source < leads.count { self.leads[source] = max(self.leads[source], leads[source]) }
        }
        return true
    }
}
