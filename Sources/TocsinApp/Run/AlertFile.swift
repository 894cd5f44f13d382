#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Synchronization
internal import TocsinConnectors
internal import TocsinCore

/// The alerts on their way, in a small file: after a crash nobody is told twice, and nothing that was still waiting for a
/// channel is forgotten.
///
/// An append-only list of records: alarm changes to be told, and how far each channel has come. Rewritten with what is
/// left when it is opened, emptied when everything in it is done. Not forced to disk: a process that is ended loses nothing
/// by that, and a power cut may have a few alerts told again.
final class AlertFile: AlertJournal {
    private enum Kind: UInt8 { case changes = 1, through = 2 }

    private struct State {
        var through: [String: AlarmMark] = [:]
        var lastWritten = AlarmMark.none
        var bytes = 0
    }

    let left: [(changes: [AlarmChange], first: AlarmMark)]
    private let spool: UInt64
    private let descriptor: Int32
    private let state: Mutex<State>
    private static let magic: UInt64 = 0x5452_454c_4153_4354
    private static let tidyBytes = 256 << 10

    /// - Parameter spool: the records' numbers are those of this spool; a file of another one is begun anew.
    /// - Throws: `TocsinError(.file)` when the file cannot be opened.
    init(path: String, spool: UInt64) throws(TocsinError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0o640)
        guard descriptor >= 0 else {
            throw TocsinError(
                .file, "cannot open the list of alerts on their way: \(String(cString: strerror(errno)))", place: path,
                remedy: "give this user the right to write there")
        }
        var state = State()
        var entries: [(changes: [AlarmChange], first: AlarmMark)] = []
        var reader = StateReader(Self.contents(descriptor))
        if reader.read(UInt64.self) == Self.magic, reader.read(UInt64.self) == spool {
            while let record = reader.readBlob(), Self.read(record, &state, &entries) {}
        }
        let done = state.through
        left = entries.filter { entry in
            done.isEmpty || done.values.contains { $0 < entry.first.advanced(by: entry.changes.count - 1) }
        }
        self.spool = spool
        self.descriptor = descriptor
        self.state = Mutex(state)
        rewrite()
    }

    deinit { close(descriptor) }

    var lastWritten: AlarmMark { state.withLock { $0.lastWritten } }
    func through(_ channel: String) -> AlarmMark { state.withLock { $0.through[channel] ?? .none } }

    func write(_ changes: [AlarmChange], from first: AlarmMark) {
        guard !changes.isEmpty else { return }
        state.withLock { state in
            state.lastWritten = max(state.lastWritten, first.advanced(by: changes.count - 1))
            append(Self.record(changes, first), &state)
        }
    }

    func note(_ channel: String, through: AlarmMark) {
        let isTidy = state.withLock { state in
            guard through > state.through[channel] ?? .none else { return true }
            state.through[channel] = through
            append(Self.record(channel, through), &state)
            return state.bytes < Self.tidyBytes || state.through.values.contains { $0 < state.lastWritten }
        }
        if !isTidy { rewrite() }
    }

    /// What is not written now is written with the next change of the same kind: at worst an alert is told again.
    private func append(_ record: [UInt8], _ state: inout State) {
        var writer = StateWriter()
        writer.write(blob: record)
        _ = writer.bytes.withUnsafeBytes { Self.put(descriptor, $0) }
        state.bytes += writer.bytes.count
    }

    /// Begins the file again with how far the channels are and, when it is opened, with what is left.
    private func rewrite() {
        state.withLock { state in
            var writer = StateWriter()
            writer.write(Self.magic)
            writer.write(spool)
            let isOpening = state.bytes == 0
            for (channel, through) in state.through { writer.write(blob: Self.record(channel, through)) }
            if isOpening { for entry in left { writer.write(blob: Self.record(entry.changes, entry.first)) } }
            _ = ftruncate(descriptor, 0)
            _ = writer.bytes.withUnsafeBytes { Self.put(descriptor, $0) }
            state.bytes = writer.bytes.count
        }
    }

    private static func record(_ changes: [AlarmChange], _ first: AlarmMark) -> [UInt8] {
        var writer = StateWriter()
        writer.write(Kind.changes.rawValue)
        writer.write(first.sequence)
        writer.write(first.change)
        writer.write(varint: UInt64(changes.count))
        for change in changes { change.save(to: &writer) }
        return writer.bytes
    }

    private static func record(_ channel: String, _ through: AlarmMark) -> [UInt8] {
        var writer = StateWriter()
        writer.write(Kind.through.rawValue)
        writer.write(through.sequence)
        writer.write(through.change)
        writer.write(text: channel)
        return writer.bytes
    }

    /// False for nonsense: what follows is not read.
    private static func read(
        _ record: ArraySlice<UInt8>, _ state: inout State,
        _ entries: inout [(changes: [AlarmChange], first: AlarmMark)]
    ) -> Bool {
        var reader = StateReader(record)
        guard let kind = reader.read(UInt8.self).flatMap(Kind.init(rawValue:)), let sequence = reader.read(UInt64.self),
            let change = reader.read(UInt32.self)
        else { return false }
        let mark = AlarmMark(sequence: sequence, change: change)
        switch kind {
        case .through:
            guard let channel = reader.readText() else { return false }
            state.through[channel] = max(state.through[channel] ?? .none, mark)
            state.lastWritten = max(state.lastWritten, mark)
        case .changes:
            guard let count = reader.readCount(of: 8) else { return false }
            var changes: [AlarmChange] = []
            for _ in 0..<count {
                guard let change = AlarmChange(&reader) else { return false }
                changes.append(change)
            }
            guard !changes.isEmpty else { return false }
            entries.append((changes, mark))
            state.lastWritten = max(state.lastWritten, mark.advanced(by: changes.count - 1))
        }
        return true
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

    /// The C function: this class has a method of the same name.
    private static func put(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
