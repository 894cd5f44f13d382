#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// The steps of opening a spool's folder: lock, identity, check of every segment, the active one.
struct SpoolOpening {
    let folder: String
    let settings: SpoolSettings
    let files: any FileOperations
    var recovery = SpoolRecovery()
    private var checks: [SegmentCheck] = []
    /// Numbers up to this one may have been used by records that are lost.
    private var usedThrough: UInt64 = 0

    static let lockName = "spool.lock"
    static let identityName = "spool.id"
    private static let identityMagic: StaticString = "TOCSINID"

    init(folder: String, settings: SpoolSettings, files: any FileOperations) {
        self.folder = folder
        self.settings = settings
        self.files = files
    }

    mutating func run(_ observer: SpoolObserver) throws(TocsinError) -> Spool {
        let lock = try lockFolder()
        do throws(FileFailure) {
            let names = try files.names(in: folder).sorted()
            let id = try identity(names)
            try check(names, id)
            summarize()
            var active = try activate(id, lock)
            try skipUsed(&active, id)
            var segments = checks.map(\.segment).filter { $0.firstSequence != active.segment.firstSequence }
            segments.append(active.segment)
            return Spool(
                id: id, folder: folder, settings: settings, files: files, observer: observer, segments: segments,
                nextSequence: active.segment.lastSequence + 1, active: active)
        } catch {
            throw TocsinError(.spool, error)
        }
    }

    private func lockFolder() throws(TocsinError) -> OpenFile {
        let isLocked: Bool
        let file: OpenFile
        do throws(FileFailure) {
            try files.createFolder(folder)
            file = try OpenFile(folder + "/" + Self.lockName, .creating, files)
            isLocked = try file.lock()
        } catch {
            throw TocsinError(.spool, error)
        }
        guard isLocked else {
            let owner = (try? file.read(at: 0, count: 20)).flatMap {
                Int(String(decoding: $0.prefix { $0 != 10 }, as: UTF8.self))
            }
            let name = owner.map { "The process \($0)" } ?? "Another process"
            throw TocsinError(
                .spool, "\(name) uses this spool.", place: folder,
                remedy: "Stop the other tocsin, or give this one a data folder of its own.")
        }
        // Only a courtesy to whoever is refused: the lock itself does not depend on it.
        do throws(FileFailure) {
            try file.truncate(to: 0)
            try file.write(Array("\(getpid())\n".utf8), at: 0)
        } catch {}
        return file
    }

    // MARK: - Identity

    /// The spool's id: from its file, else from a segment, else a new one.
    private mutating func identity(_ names: [String]) throws(FileFailure) -> UInt64 {
        let path = folder + "/" + Self.identityName
        if names.contains(Self.identityName) {
            let bytes = try OpenFile(path, .reading, files).read(at: 0, count: 20)
            if let id = Self.identity(bytes) { return id }
            recovery.problems.append("\(Self.identityName) is damaged; it was written anew.")
        }
        var id: UInt64?
        for name in names where id == nil && SegmentHeader.firstSequence(ofFile: name) != nil {
            let bytes = try OpenFile(folder + "/" + name, .reading, files).read(at: 0, count: Int(SegmentHeader.size))
            if case .header(let header) = SegmentHeader.decoded(bytes) { id = header.spool }
        }
        let chosen = id ?? .random(in: 1 ... .max)
        var writer = StateWriter()
        writer.write(Self.identityMagic)
        writer.write(chosen)
        writer.write(CRC32C.of(writer.bytes.span))
        let file = try OpenFile(path + ".tmp", .replacing, files)
        try file.write(writer.bytes, at: 0)
        if settings.isDurable { try file.sync() }
        try files.rename(path + ".tmp", to: path)
        if settings.isDurable { try files.syncFolder(folder) }
        return chosen
    }

    private static func identity(_ bytes: [UInt8]) -> UInt64? {
        guard bytes.count == 20, bytes.prefix(8).elementsEqual("\(identityMagic)".utf8) else { return nil }
        var reader = StateReader(bytes[8...])
        guard let id = reader.read(UInt64.self), reader.read(UInt32.self) == CRC32C.of(bytes, 0..<16) else {
            return nil
        }
        return id
    }

    // MARK: - Segments

    private mutating func check(_ names: [String], _ id: UInt64) throws(FileFailure) {
        var own: [(name: String, file: OpenFile, size: Int64, first: UInt64, isSound: Bool)] = []
        for name in names {
            guard let first = SegmentHeader.firstSequence(ofFile: name) else {
                noteForeign(name)
                continue
            }
            let file = try OpenFile(folder + "/" + name, .reading, files)
            let size = try file.size()
            switch SegmentHeader.decoded(try file.read(at: 0, count: Int(SegmentHeader.size))) {
            case .header(let header) where header.spool == id && header.firstSequence == first:
                own.append((name, file, size, first, true))
            case .header, .version:
                usedThrough = max(usedThrough, first)
                recovery.problems.append(
                    "\(name) is of another spool or a newer program; it was left alone. Move it out of \(folder).")
            case .damaged:
                own.append((name, file, size, first, false))
            }
        }
        for (index, segment) in own.enumerated() {
            let isLast = index + 1 == own.count
            checkOne(
                segment.file, segment.size, first: segment.first, isSound: segment.isSound, id,
                bound: isLast ? Sequence64.highest : own[index + 1].first, isLast: isLast)
        }
    }

    private mutating func checkOne(
        _ file: OpenFile, _ size: Int64, first: UInt64, isSound: Bool, _ id: UInt64, bound: UInt64, isLast: Bool
    ) {
        var check = SegmentCheck(path: file.path, first: first)
        let previous = checks.last?.segment.lastSequence
        if let previous, first > previous + 1 {
            recovery.problems.append(
                "Records \(previous + 1) to \(first - 1) are missing: a segment before \(check.segment.name) was lost.")
        }
        check.hasSoundHeader = isSound
        // A crash while the file was made leaves less than a header: nothing was lost by that.
        let isUnborn = !isSound && isLast && size <= SegmentHeader.size
        if !isSound, !isUnborn {
            check.segment.isDamaged = true
            recovery.problems.append("\(check.segment.name): its header is damaged; its records are used.")
        }
        check.run(
            file, salt: RecordHeader.salt(spool: id), size: isUnborn ? SegmentHeader.size : size,
            after: max(first - 1, previous ?? 0), bound: bound, isLast: isLast && isSound)
        recovery.problems += check.problems
        checks.append(check)
    }

    private mutating func noteForeign(_ name: String) {
        let isOwn =
            name == Self.lockName || name == Self.identityName || name == Self.identityName + ".tmp"
            || name.hasSuffix(".spool.damaged")
        if !isOwn { recovery.problems.append("\(name) is not a file of the spool; it was left alone.") }
    }

    private mutating func summarize() {
        recovery.segments = checks.count
        for check in checks {
            recovery.records += check.records
            recovery.bytes += check.payloadBytes
            if recovery.firstSequence == nil { recovery.firstSequence = check.firstRecord }
            recovery.lastSequence = check.lastRecord ?? recovery.lastSequence
        }
        // What is torn or unreadable may have held as many records as headers fit into it.
        if let last = checks.last, last.tornBytes > 0 {
            let lost = UInt64(last.tornBytes) / UInt64(RecordHeader.size) + 1
            usedThrough = max(usedThrough, last.segment.lastSequence + lost)
        }
    }

    // MARK: - The active segment

    /// Goes on with the last segment where it is sound, else begins a new one.
    private mutating func activate(_ id: UInt64, _ lock: OpenFile) throws(FileFailure) -> ActiveSegment {
        if let last = checks.last, last.hasSoundHeader, !last.isUnreadable {
            let file = try OpenFile(last.segment.path, .writing, files)
            if last.tornBytes > 0 {
                try file.truncate(to: last.segment.end)
                if settings.isDurable { try file.sync() }
            }
            if !last.segment.isDamaged, last.segment.end < settings.segmentBytes {
                return ActiveSegment(lock: lock, file: file, segment: last.segment)
            }
        }
        if let last = checks.last, last.segment.isDamaged, last.records == 0 {
            // Nothing in it can be used, and the new segment may need its name.
            try files.rename(last.segment.path, to: last.segment.path + ".damaged")
            recovery.problems.append(
                "\(last.segment.name): nothing in it can be used; kept as \(last.segment.name).damaged.")
            checks.removeLast()
            usedThrough = max(usedThrough, last.segment.lastSequence)
        }
        let first = (checks.last?.segment.lastSequence ?? 0) + 1
        let path = folder + "/" + SegmentHeader.fileName(first: first)
        let header = SegmentHeader(spool: id, firstSequence: first)
        let file = try Self.createSegment(path, header, files, isDurable: settings.isDurable)
        checks.removeAll { $0.segment.firstSequence == first }
        let segment = Segment(path: path, firstSequence: first, lastSequence: first - 1, end: SegmentHeader.size)
        return ActiveSegment(lock: lock, file: file, segment: segment)
    }

    /// A void record: numbers that may have been used before are not used again.
    private func skipUsed(_ active: inout ActiveSegment, _ id: UInt64) throws(FileFailure) {
        guard usedThrough > active.segment.lastSequence, usedThrough <= Sequence64.highest else { return }
        var group = RecordGroup()
        group.append([UInt8]().span, sum: 0, sequence: usedThrough, isVoid: true, salt: RecordHeader.salt(spool: id))
        try active.file?.write(group.bytes, at: active.segment.end)
        if settings.isDurable { try active.file?.sync() }
        active.segment.end += Int64(group.bytes.count)
        active.segment.lastSequence = usedThrough
    }

    /// A new segment file with its header, on disk under its name; nothing is left of it when that fails.
    static func createSegment(
        _ path: String, _ header: SegmentHeader, _ files: any FileOperations, isDurable: Bool
    ) throws(FileFailure) -> OpenFile {
        let file = try OpenFile(path, .replacing, files)
        do throws(FileFailure) {
            try file.write(header.encoded(), at: 0)
            if isDurable {
                try file.sync()
                if let slash = path.lastIndex(of: "/") { try files.syncFolder(String(path[..<slash])) }
            }
        } catch {
            try? files.remove(path)
            throw error
        }
        return file
    }
}

extension Spool {
    /// Opens the spool of a folder, made when missing, and checks every record in it: a sequential read of all
    /// segments.
    ///
    /// Blocks; call it at start, before anything waits.
    ///
    /// - Throws: `TocsinError(.spool)` when another process uses the folder or the disk fails; damage does not throw,
    ///   it is reported in the recovery.
    public static func open(
        folder: String, settings: SpoolSettings = SpoolSettings(), observer: SpoolObserver = SpoolObserver(),
        files: any FileOperations = SystemFiles()
    ) throws(TocsinError) -> (spool: Spool, recovery: SpoolRecovery) {
        var opening = SpoolOpening(folder: folder, settings: settings, files: files)
        let spool = try opening.run(observer)
        return (spool, opening.recovery)
    }
}
