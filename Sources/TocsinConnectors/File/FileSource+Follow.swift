internal import TocsinCore
internal import TocsinDecode

extension FileSource {
    /// Files of a followed folder that are kept open between two looks.
    private static let openFiles = 256
    /// One second: then an end without line end is taken if it is a whole message.
    private static let wholePolls = 4
    /// Five minutes: a writer that gathers its rows may pause for long in the midst of one, and half a row can look
    /// like a whole one with another value.
    private static let closingPolls = 1200

    /// Reads one file as it grows, and its successor when another file takes its name.
    func follow(
        _ tail: inout FileTail, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        while true {
            try await readOn(&tail, delivery, &pending)
            guard tail.canGrow else { return }
            try await pending.waitForAll()
            try await sleep(Self.pollInterval)
            guard tail.path != "-", let status = FileStatus(path: tail.path) else { continue }
            let isReplaced = tail.isReplaced(by: status)
            guard isReplaced || tail.isTruncated(status) else { continue }
            // A writer may fill the old file for a moment longer, until it is told to change over.
            if isReplaced { try await sleep(Self.pollInterval) }
            guard let next = try open(tail.path) else { continue }
            if isReplaced { try await readOn(&tail, delivery, &pending) }
            try await finish(&tail, delivery, &pending)
            tail = next
        }
    }

    /// Reads the files of a folder as they come and grow, those of one look in the order of their names.
    func follow(
        folder: String, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        var tails: [String: FileTail] = [:]
        while true {
            let found = try await queue.run { try FolderListing.present(in: folder) }
            let names = Set(found.map(\.path))
            for path in tails.keys.filter({ !names.contains($0) }).sorted() {
                guard var tail = tails.removeValue(forKey: path) else { continue }
                try await end(&tail, delivery, &pending)
            }
            for (path, status) in found {
                let known = tails.removeValue(forKey: path)
                guard let tail = try await look(at: path, status, known, delivery, &pending) else { continue }
                tails[path] = tail
                closeSome(&tails)
            }
            try await pending.waitForAll()
            try await sleep(Self.pollInterval)
        }
    }

    /// - Returns: nil where the file has vanished meanwhile.
    private func look(
        at path: String, _ status: FileStatus, _ known: consuming FileTail?, _ delivery: any BatchDelivery,
        _ pending: inout PendingReceipts
    ) async throws -> FileTail? {
        var tail: FileTail
        if var old = known {
            if old.isReplaced(by: status) || old.isTruncated(status) {
                try await end(&old, delivery, &pending)
                guard let next = try open(path) else { return nil }
                tail = next
            } else {
                tail = old
            }
        } else {
            guard let next = try open(path) else { return nil }
            tail = next
        }
        if status.size > tail.position, !tail.isDamaged {
            try await readOnOrReport(&tail, delivery, &pending)
        } else {
            try await wait(&tail, delivery, &pending)
        }
        tail.rest()
        return tail
    }

    /// What to do with a file in which nothing is new.
    private func wait(
        _ tail: inout FileTail, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        tail.quietPolls += 1
        if tail.quietPolls == Self.wholePolls {
            for batch in tail.wholeEnd(origin: origin(tail.path), table: table) {
                try await deliver(batch, delivery, &pending)
            }
        } else if tail.quietPolls == Self.closingPolls {
            try await finish(&tail, delivery, &pending)
            try await reportIfCutOff(&tail, delivery, &pending)
            tail.close()
        }
    }

    /// The last of a file that has lost its name: what was appended since the last look, and a torn end.
    private func end(
        _ tail: inout FileTail, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        if tail.isOpen, !tail.isDamaged {
            try await readOnOrReport(&tail, delivery, &pending)
            try await reportIfCutOff(&tail, delivery, &pending)
        }
        try await finish(&tail, delivery, &pending)
    }

    /// One damaged file must not end the reading of all others: it becomes a dead letter.
    private func readOnOrReport(
        _ tail: inout FileTail, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        tail.quietPolls = 0
        do {
            try await readOn(&tail, delivery, &pending)
        } catch let failure as TocsinError where failure.code == .format {
            try await report(failure, &tail, delivery, &pending)
        }
    }

    private func reportIfCutOff(
        _ tail: inout FileTail, _ delivery: any BatchDelivery, _ pending: inout PendingReceipts
    ) async throws {
        guard !tail.isDamaged else { return }
        do {
            try tail.checkComplete()
        } catch {
            try await report(error, &tail, delivery, &pending)
        }
    }

    private func report(
        _ failure: TocsinError, _ tail: inout FileTail, _ delivery: any BatchDelivery,
        _ pending: inout PendingReceipts
    ) async throws {
        tail.isDamaged = true
        try await finish(&tail, delivery, &pending)
        var batch = Batch(origin: origin(tail.path))
        batch.origin.position = tail.position
        batch.rejects.append(
            Reject(reason: .malformed, detail: failure.description, payload: ByteRange(offset: 0, length: 0)))
        try await deliver(batch, delivery, &pending)
    }

    /// nil where the file has vanished since it was listed.
    private func open(_ path: String) throws(TocsinError) -> FileTail? {
        try OpenFile.ifPresent(path).map { FileTail($0, decoding: decoding, resume: positions[path]) }
    }

    /// Where too many files are open, half of them are closed, those first that were silent longest.
    private func closeSome(_ tails: inout [String: FileTail]) {
        guard tails.count > Self.openFiles else { return }
        var open = tails.values.filter(\.isOpen).map { (quiet: $0.quietPolls, path: $0.path) }
        guard open.count > Self.openFiles else { return }
        open.sort { ($1.quiet, $0.path) < ($0.quiet, $1.path) }
        for (_, path) in open.prefix(Self.openFiles / 2) { tails[path]?.close() }
    }
}
