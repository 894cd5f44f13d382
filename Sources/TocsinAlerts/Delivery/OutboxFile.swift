#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Dispatch
internal import Synchronization
public import TocsinCore

/// The outbox as a small file beside the spool: it works while the store is away, and a store that fails is among what
/// people must be told of.
///
/// An append-only list of records, each with its length and checksum; written anew (a second file, forced to disk, then
/// renamed) when it is opened and when most of it is settled. Appends are not forced to disk one by one: a process that
/// is killed loses nothing by that, and what a power cut takes the spool brings forth again, because `keep` forces all to
/// disk before a checkpoint. What cannot be written, because the disk is full, is written with the next record.
public final class OutboxFile: AlertOutbox {
    private struct Box {
        var state = OutboxState()
        var descriptor: Int32
        var bytes = 0
        /// Of them, after the last rewriting.
        var tidyBytes = 0
        /// Why the file is behind the state, where it is.
        var obstacle: TocsinError?
    }

    private let path: String
    private let spool: UInt64
    private let sync: @Sendable (Int32) -> Bool
    private let box: Mutex<Box>
    /// Forcing to disk blocks for milliseconds.
    private let queue = DispatchQueue(label: "tocsin.outbox")
    private static let magic: UInt64 = 0x3154_5542_4f43_4f54
    private static let growth = 256 << 10

    /// - Parameters:
    ///   - spool: the marks are those of this spool; with another one they are forgotten, what waits is not.
    ///   - sync: forces an open file to disk; tests look at it then.
    /// - Throws: `TocsinError(.file)` when the file cannot be opened, or another process has it.
    public init(
        path: String, spool: UInt64, sync: (@Sendable (Int32) -> Bool)? = nil
    ) throws(TocsinError) {
        let descriptor = try Self.opened(path)
        var state = OutboxState()
        let known = Self.read(Self.contents(descriptor), into: &state)
        if known != spool { state.forgetMark() }
        self.path = path
        self.spool = spool
        self.sync = sync ?? { fsync($0) == 0 }
        box = Mutex(Box(state: state, descriptor: descriptor))
        box.withLock { rewrite(&$0) }
    }

    /// For others than the engine, while it does not run: the marks stay as they are.
    /// - Throws: `TocsinError(.file)` when the file cannot be opened or is something else, or another process has it.
    public init(existing path: String) throws(TocsinError) {
        let descriptor = try Self.opened(path, Self.existingFlags)
        var state = OutboxState()
        guard let spool = Self.read(Self.contents(descriptor), into: &state) else {
            close(descriptor)
            throw TocsinError(.file, "this is no list of alerts on their way", place: path)
        }
        self.path = path
        self.spool = spool
        sync = { fsync($0) == 0 }
        box = Mutex(Box(state: state, descriptor: descriptor))
        box.withLock { rewrite(&$0) }
    }

    deinit { box.withLock { _ = close($0.descriptor) } }

    public let isDurable = true
    public var lastMark: AlarmMark { box.withLock { $0.state.lastMark } }
    public var dead: [DeadAlert] { box.withLock { $0.state.dead } }
    public var deadCounts: [String: Int] { box.withLock { $0.state.deadCounts } }

    /// Dead letters and waiting items of a file that another process may have open.
    public static func look(at path: String) -> (dead: [DeadAlert], waiting: [String: Int]) {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return ([], [:]) }
        defer { close(descriptor) }
        var state = OutboxState()
        _ = read(contents(descriptor), into: &state)
        // Members of a summary that is still to come are not told themselves.
        let waiting = state.lanes.map { lane in
            (lane, state.waiting(in: lane).count { $0.change.isTold || $0.change.alarm.summary == nil })
        }
        return (state.dead, Dictionary(uniqueKeysWithValues: waiting))
    }

    public func open(lanes: [String]) -> Int {
        box.withLock { box in
            let before = box.state.dead.count
            append(.lanes(lanes), &box)
            return max(0, box.state.dead.count - before)
        }
    }

    public func put(_ changes: [AlarmChange], mark: AlarmMark?, now: Timestamp) -> [AlertItem] {
        guard !changes.isEmpty else { return [] }
        return box.withLock { box in
            let first = box.state.nextNumber
            let last = mark?.advanced(by: changes.count - 1) ?? .none
            append(.put(changes, first: first, lastMark: last, recorded: now), &box)
            return AlertItem.numbered(changes, from: first, now)
        }
    }

    public func settle(_ numbers: [UInt64], in lane: String, as settlement: AlertSettlement) {
        guard !numbers.isEmpty else { return }
        box.withLock { append(.settle(numbers, lane: lane, settlement), &$0) }
    }

    public func waiting(in lane: String) -> [AlertItem] { box.withLock { $0.state.waiting(in: lane) } }
    public func openAlarms(in lane: String) -> [Alarm] { box.withLock { $0.state.openAlarms(in: lane) } }

    public func requeue(_ numbers: Set<UInt64>?, in lane: String, now: Timestamp) -> [AlertItem] {
        box.withLock { box in
            let found = box.state.deadNumbers(numbers, in: lane)
            guard !found.isEmpty, box.state.lanes.contains(lane) else { return [] }
            let first = box.state.nextNumber
            append(.requeue(found, lane: lane, first: first, recorded: now), &box)
            return box.state.waiting(in: lane).filter { $0.number >= first }
        }
    }

    public func discard(_ numbers: Set<UInt64>?, in lane: String) -> Int {
        box.withLock { box in
            let found = box.state.deadNumbers(numbers, in: lane)
            if !found.isEmpty { append(.discard(found, lane: lane), &box) }
            return found.count
        }
    }

    public func keep() async throws(TocsinError) {
        let obstacle: TocsinError? = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.force()) }
        }
        if let obstacle { throw obstacle }
    }

    /// Nobody who puts something waits for the disk meanwhile.
    private func force() -> TocsinError? {
        let (copy, obstacle): (Int32, TocsinError?) = box.withLock { box in
            if box.obstacle != nil { rewrite(&box) }
            if let obstacle = box.obstacle { return (-1, obstacle) }
            // A descriptor of its own: rewriting closes the other one, and has forced everything to disk then.
            let copy = fcntl(box.descriptor, F_DUPFD_CLOEXEC, 0)
            return (copy, copy < 0 ? Self.obstacle(at: path) : nil)
        }
        guard copy >= 0 else { return obstacle }
        defer { close(copy) }
        if sync(copy) { return nil }
        // What the kernel could not write once it does not try again: only a file written anew is known to be whole.
        let failure = Self.obstacle(at: path)
        box.withLock { $0.obstacle = failure }
        return failure
    }

    /// What the last call to the system ran into.
    private static func obstacle(at path: String) -> TocsinError {
        let reason = String(cString: strerror(errno))
        return TocsinError(
            .file, "the list of alerts on their way cannot be written to disk: \(reason)", place: path,
            remedy: "free space there, or give this user the right to write and to open the folder", isRetriable: true)
    }

    private func append(_ record: OutboxRecord, _ box: inout Box) {
        box.state.apply(record)
        let isTidy = box.state.isIdle ? box.bytes < Self.growth : box.bytes < box.tidyBytes * 4 + Self.growth
        guard isTidy, box.obstacle == nil else { return rewrite(&box) }
        let bytes = Self.framed(record)
        if Self.put(box.descriptor, bytes) {
            box.bytes += bytes.count
        } else {
            box.obstacle = Self.obstacle(at: path)
            // Half a record would hide what comes behind it.
            _ = ftruncate(box.descriptor, off_t(box.bytes))
        }
    }

    /// The state alone, in a new file that takes the old one's place at once.
    private func rewrite(_ box: inout Box) {
        var writer = StateWriter()
        writer.write(Self.magic)
        writer.write(spool)
        for record in box.state.records { writer.write(raw: Self.framed(record)) }
        let next = path + ".new"
        _ = unlink(next)
        let descriptor = Self.openFile(next, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            box.obstacle = Self.obstacle(at: next)
            return
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.put(descriptor, writer.bytes), sync(descriptor),
            rename(next, path) == 0
        else {
            box.obstacle = Self.obstacle(at: next)
            close(descriptor)
            _ = unlink(next)
            return
        }
        close(box.descriptor)
        box.descriptor = descriptor
        box.bytes = writer.bytes.count
        box.tidyBytes = writer.bytes.count
        box.obstacle = folderObstacle()
    }

    /// The new file's name is in the folder, and that must be on disk as well.
    private func folderObstacle() -> TocsinError? {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = Self.openFile(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return Self.obstacle(at: folder) }
        defer { close(descriptor) }
        // Some file systems know no such thing for folders.
        guard !sync(descriptor), ![EINVAL, ENOTSUP, EOPNOTSUPP].contains(errno) else { return nil }
        return Self.obstacle(at: folder)
    }

    private static func framed(_ record: OutboxRecord) -> [UInt8] {
        let bytes = record.bytes
        var hash = StableHash()
        hash.combine(bytes)
        var writer = StateWriter()
        writer.write(UInt32(truncatingIfNeeded: bytes.count))
        writer.write(UInt32(truncatingIfNeeded: hash.value))
        writer.write(raw: bytes)
        return writer.bytes
    }

    /// Up to the first record that is torn; the spool's id, or nil where it is no outbox.
    private static func read(_ bytes: [UInt8], into state: inout OutboxState) -> UInt64? {
        var reader = StateReader(bytes)
        guard let kind = reader.read(UInt64.self), let spool = reader.read(UInt64.self) else { return nil }
        if kind == EarlierOutbox.magic { return EarlierOutbox.read(&reader, into: &state) ? spool : nil }
        guard kind == magic else { return nil }
        while let count = reader.read(UInt32.self), let check = reader.read(UInt32.self),
            let body = reader.readRaw(count: Int(count))
        {
            var hash = StableHash()
            hash.combine(body)
            guard UInt32(truncatingIfNeeded: hash.value) == check else { break }
            // A kind of a newer program: the others still count.
            if let record = OutboxRecord(body) { state.apply(record) }
        }
        return spool
    }

    private static let existingFlags = O_RDWR | O_CLOEXEC | O_APPEND

    private static func opened(
        _ path: String, _ flags: Int32 = existingFlags | O_CREAT
    ) throws(TocsinError) -> Int32 {
        let descriptor = openFile(path, flags)
        guard descriptor >= 0 else {
            throw TocsinError(
                .file, "cannot open the list of alerts on their way: \(String(cString: strerror(errno)))", place: path,
                remedy: "give this user the right to write there")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw TocsinError(
                .file, "another process works with the list of alerts on their way", place: path,
                remedy: "ask that process, or end it")
        }
        return descriptor
    }

    private static func contents(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = part.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(bytes.count)) }
            guard count > 0 else { return bytes }
            bytes += part[..<count]
        }
    }

    private static func openFile(_ path: String, _ flags: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.open(path, flags, 0o640)
        #else
        Darwin.open(path, flags, 0o640)
        #endif
    }

    /// All of it, or false; `errno` says why.
    private static func put(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = write(descriptor, part.baseAddress, part.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
