internal import TocsinCore

// Some sensors' part of the desk, which moves with them from process to process. Counts, floods and summaries are of the
// whole process, and stay; of a summary's member it is known elsewhere that nobody is told of it singly.
extension AlarmDesk {
    func save(_ selection: SensorSelection, to writer: inout StateWriter) {
        book.save(to: &writer, selection)
        feedback.saveWords(to: &writer, of: selection.names)
        limiter.saveMembers(
            to: &writer, of: book.alarmIDs(of: selection), assets: Set(selection.names.map { assets.asset(of: $0) }))
    }

    /// - Parameters:
    ///   - source: of all of them, and by how much its clock here is ahead of what it was there.
    /// - Returns: false for nonsense; then some of it may have been taken up.
    mutating func adopt(
        from reader: inout StateReader, _ ids: SavedIDs, source: SourceID, shift: Span64
    ) -> Bool {
        book.restore(from: &reader, ids, source: source, shift: shift) && feedback.restoreWords(from: &reader)
            && limiter.adoptMembers(from: &reader)
    }

    /// The clock of a source is known from elsewhere.
    mutating func note(_ source: SourceID, at time: Timestamp) { _ = book.queue.advance(source, to: time) }

    /// Nothing goes by the clock of this source any more.
    mutating func remove(_ source: SourceID) { book.queue.remove(source) }

    /// Nobody is told.
    mutating func forget(_ selection: SensorSelection) {
        limiter.forget(book.alarmIDs(of: selection))
        book.forget(selection)
        feedback.forget(selection.names)
    }

    func openAlarms(of selection: SensorSelection) -> [Alarm] {
        book.openAlarms(of: selection).map { alarm in
            var alarm = alarm
            alarm.summary = limiter.summary(of: alarm.id)
            return alarm
        }
    }
}
