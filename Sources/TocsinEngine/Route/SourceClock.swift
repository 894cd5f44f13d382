internal import TocsinCore

/// What the router knows of one source's time.
struct SourceClock: Sendable {
    /// The newest plausible event time; for live input never ahead of the arrival, so that one fast clock among the
    /// devices does not make all others late.
    var highWater = Timestamp(nanoseconds: .min)
    /// What the stages behind have been told of it: less while events wait for their turn.
    var told = Timestamp(nanoseconds: .min)
    var lastArrival = Timestamp(nanoseconds: .min)
    var highWaterAtArrival = Timestamp(nanoseconds: .min)
    /// How long nothing was heard because nobody listened; told to the shards once.
    var absence = Span64(nanoseconds: 0)

    var isKnown: Bool { lastArrival.nanoseconds != .min }

    /// Something has come in.
    mutating func noteArrival(at time: Timestamp) {
        lastArrival = time
        highWaterAtArrival = highWater
    }

    /// Whether nothing has come in for the timeout.
    func isQuiet(now: Timestamp, timeout: Span64) -> Bool { now.since(lastArrival) >= timeout }

    /// Whether its readings were older than that when they last came: then more of them may wait for their turn somewhere.
    func wasBehind(by limit: Span64) -> Bool { lastArrival.since(highWaterAtArrival) > limit }

    /// Lets it go on by the wall clock, as since the last arrival.
    mutating func advance(now: Timestamp) {
        highWater = max(highWater, highWaterAtArrival.advanced(by: now.since(lastArrival)))
    }

    /// The absence, as far as the source's own time shows it: a backlog that goes on without a gap has none.
    /// - Parameter before: its high-water mark before it moved.
    mutating func takeAbsence(since before: Timestamp, timeout: Span64) -> Span64 {
        guard absence.nanoseconds > 0, before.nanoseconds != .min else { return Span64(nanoseconds: 0) }
        let jump = highWater.since(before)
        defer { absence = Span64(nanoseconds: 0) }
        return jump >= timeout ? min(jump, absence) : Span64(nanoseconds: 0)
    }

    func save(to writer: inout StateWriter) {
        for time in [highWater, told, lastArrival, highWaterAtArrival] { writer.write(time) }
        writer.write(absence.nanoseconds)
    }

    init() {}

    /// nil for too few bytes.
    init?(restoring reader: inout StateReader) {
        guard let highWater = reader.readTimestamp(), let told = reader.readTimestamp(),
            let lastArrival = reader.readTimestamp(), let highWaterAtArrival = reader.readTimestamp(),
            let absence = reader.read(Int64.self)
        else { return nil }
        (self.highWater, self.told) = (highWater, told)
        (self.lastArrival, self.highWaterAtArrival) = (lastArrival, highWaterAtArrival)
        self.absence = Span64(nanoseconds: absence)
    }
}
