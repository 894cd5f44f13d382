internal import TocsinCore
internal import TocsinSpool

/// The folder in which the lake's writer keeps its position, its intent and files in the making.
struct LakeStateFolder: Sendable {
    let folder: String
    private let lock: LakeLock

    var staging: String { folder + "/staging" }
    private var positionPath: String { folder + "/position" }
    private var intentPath: String { folder + "/intent" }

    /// - Throws: `TocsinError` naming the other process that uses it.
    init(_ folder: String) throws(TocsinError) {
        self.folder = folder
        lock = try LakeLock(folder: folder)
        try LocalFiles.empty(staging)
    }

    func write(_ position: LakePosition) throws(TocsinError) {
        try LocalFiles.replace(positionPath, with: position.file.bytes)
    }

    func write(_ intent: LakeIntent) throws(TocsinError) { try LocalFiles.replace(intentPath, with: intent.file.bytes) }

    func removeIntent() throws(TocsinError) {
        try LocalFiles.remove(intentPath)
        try LocalFiles.sync(folder: folder)
    }

    func clearStaging() throws(TocsinError) { try LocalFiles.empty(staging) }

    struct Found {
        var position: LakePosition
        var intent: LakeIntent?
        var notes: [LakeNote] = []
    }

    /// Where the work goes on.
    func takeUp(
        spool: Spool, destination: LakeWriter.Destination, _ settings: LakeWriterSettings
    ) async throws -> Found {
        let (positionBytes, intentBytes) = (try LocalFiles.read(positionPath), try LocalFiles.read(intentPath))
        let position = positionBytes.flatMap { LakeStateFile($0) }.flatMap { LakePosition($0) }
        let intent = intentBytes.flatMap { LakeStateFile($0) }.flatMap { LakeIntent($0) }
        var found: Found
        if let position, position.spool == spool.id {
            found = Found(position: position)
            if let intent, intent.spool == spool.id, intent.first == position.record + 1 { found.intent = intent }
        } else if let intent, intent.spool == spool.id {
            found = Found(position: Self.start(of: spool, after: intent.first - 1), intent: intent)
            found.notes.append(LakeNote("The lake's position is lost; it was found in what was being written."))
        } else {
            found = try await search(spool, destination, settings)
            if let position {
                found.notes.append(
                    LakeNote(
                        "The spool is another one than the lake was written from last (up to its record "
                            + "\(position.record)): what is in it now is written from its first record on."))
            } else if positionBytes != nil {
                found.notes.append(
                    LakeNote(
                        "The file \(positionPath) is damaged: bronze goes on behind record \(found.position.record).",
                        isProblem: true))
            }
        }
        // The intent first: without it a position before a roll that is half there would make another one.
        if let intent = found.intent, intentBytes == nil { try write(intent) }
        if found.intent == nil, intentBytes != nil { try removeIntent() }
        if found.position != position { try write(found.position) }
        return found
    }

    /// A position without knowledge of names: up to the last record found they are decoded again, unless the spool has
    /// all there ever were.
    private static func start(of spool: Spool, after record: UInt64) -> LakePosition {
        LakePosition(spool: spool.id, record: record, names: NameAgreement(areLost: record > 0))
    }

    /// Where there is no position of this spool: behind the newest file that was made of it.
    private func search(
        _ spool: Spool, _ destination: LakeWriter.Destination, _ settings: LakeWriterSettings
    ) async throws -> Found {
        let oldest = spool.figures.oldestSequence
        var found = Found(position: Self.start(of: spool, after: oldest - 1))
        var names: [String]
        switch destination {
        case .folder(let storage):
            names = try await storage.list(prefix: LakeLayout.prefix(of: .events)).map(\.name)
        case .queue(let queue):
            names = queue.names
            do {
                names += try await queue.storage.list(prefix: LakeLayout.prefix(of: .events)).map(\.name)
            } catch {
                found.notes.append(
                    LakeNote(
                        "The lake cannot be looked at (\(error)): should records of the spool be in it already, they "
                            + "will be twice in bronze, and once in silver."))
            }
        }
        let rolls = names.compactMap { LakeFile(path: $0) }.compactMap { BronzeName($0.name) }
            .filter { $0.spool == spool.id }
        guard let newest = rolls.max(by: { ($0.last, $0.part) < ($1.last, $1.part) }), newest.last >= oldest else {
            return found
        }
        if newest.first >= oldest {
            // It may be half there: while the spool holds all of it, it is made again over itself.
            found.position = Self.start(of: spool, after: newest.first - 1)
            found.intent = LakeIntent(
                spool: spool.id, first: newest.first, last: newest.last, keepsPayload: settings.keepsPayload,
                parts: max(1, settings.threads))
        } else {
            found.position = Self.start(of: spool, after: newest.last)
        }
        return found
    }
}
