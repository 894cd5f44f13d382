internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

extension LakeWriter {
    /// Makes the files of what has gathered and puts the position behind it. A failure leaves everything as it was, but for
    /// the intent, and the next call makes the same roll.
    func writeRoll(_ table: SeriesTable, names agreement: NameAgreement) async throws {
        let started = ContinuousClock.now
        // Records that are not on disk yet could be others after a crash.
        try await spool.durable(roll.last)
        var written = (files: 0, bytes: Int64(0))
        if roll.columns.eventCount > 0 {
            let intent = try self.intent ?? begin()
            let staged = try await stage(table, parts: intent.parts)
            for (index, file) in staged.enumerated() {
                let name = BronzeName(spool: intent.spool, first: intent.first, last: intent.last, part: file.number)
                let place = LakeFile(.events, file.partition, name: name.text).path
                // Where records are lost a complete file holds more than this one.
                if hasLostRecords, try await isThere(place) { continue }
                switch destination {
                case .folder(let storage): try await storage.move(file: file.path, as: place)
                case .queue(let queue): try await queue.add(file: file.path, as: place)
                }
                written.files += 1
                written.bytes += file.bytes
                try observer.onStep(.placed(index))
            }
        }
        let isFull = self.isFull
        try finish(agreement, last: max(roll.last, intent?.last ?? 0))
        let (events, readings) = (roll.columns.eventCount, roll.columns.readingCount)
        roll.restart(after: position.record, keepsPayload: settings.keepsPayload, isFull: isFull)
        let (seconds, last) = ((ContinuousClock.now - started).inSeconds, position.record)
        shown.withLock { shown in
            shown.oldest = nil
            shown.figures.events += events
            shown.figures.readings += readings
            shown.figures.files += written.files
            shown.figures.bytes += written.bytes
            if written.files > 0 { shown.figures.rolls += 1 }
            if written.files > 0 { shown.figures.lastRollSeconds = seconds }
            shown.figures.position = last
            shown.figures.gatheredEvents = 0
        }
    }

    /// Whether an earlier attempt has placed this file, or put it into the queue.
    private func isThere(_ place: String) async throws -> Bool {
        switch destination {
        case .folder(let storage): return try await storage.list(prefix: place).contains { $0.name == place }
        case .queue(let queue):
            if queue.names.contains(place) { return true }
            return try await queue.storage.list(prefix: place).contains { $0.name == place }
        }
    }

    private func begin() throws -> LakeIntent {
        let intent = LakeIntent(
            spool: spool.id, first: roll.first, last: roll.last, keepsPayload: roll.columns.keepsPayload,
            parts: max(1, settings.threads))
        try files.write(intent)
        self.intent = intent
        try observer.onStep(.intended)
        return intent
    }

    private func stage(_ table: SeriesTable, parts: Int) async throws -> [BronzeFileMaker.Staged] {
        try files.clearStaging()
        let (columns, book) = (roll.columns, names)
        let (grown, sorted) = try await sorting.run {
            var book = book
            book.refresh(table, for: columns)
            return (book, BronzeOrder(columns: columns, rankOfSensor: book.rankOfSensor).parts(parts))
        }
        names = grown
        return try await maker.make(sorted, of: columns, grown, in: files.staging) { [observer] index in
            try observer.onStep(.staged(index))
        }
    }

    private func finish(_ agreement: NameAgreement, last: UInt64) throws {
        let next = LakePosition(spool: spool.id, record: last, names: agreement)
        try files.write(next)
        position = next
        try observer.onStep(.positioned)
        if intent != nil { try files.removeIntent() }
        intent = nil
        hasLostRecords = false
        spool.hold(Self.holdName, after: last)
        try observer.onStep(.finished)
    }
}
