internal import Synchronization
internal import TocsinCore

/// Writes one checkpoint beside the running engine; ends with `finish` or `cancel`. After an error only `cancel` is
/// left.
public final class CheckpointWriter: Sendable {
    private let folder: CheckpointFolder
    private let header: CheckpointHeader
    private let state: Mutex<State>

    private struct State {
        /// nil when the writer has ended.
        var file: OpenFile?
        var offset: Int64 = 0
        var footer = CheckpointFooter()
        var buffer = StateWriter()
        var unforced: Int64 = 0
    }

    /// Small pieces go out together.
    private static let bufferBytes = 1 << 20
    /// The disk is forced every so often, so that the end of a large checkpoint does not hold up the spool's own flush.
    private static let forcedBytes: Int64 = 4 << 20

    /// On the folder's queue.
    init(_ folder: CheckpointFolder, _ header: CheckpointHeader) throws(FileFailure) {
        self.folder = folder
        self.header = header
        let name = folder.path + "/" + CheckpointHeader.fileName(header.sequence) + ".tmp"
        var state = State(file: try OpenFile(name, .replacing, folder.files))
        let bytes = header.encoded()
        state.buffer.write(raw: bytes.span)
        state.footer.sum = CRC32C.of(bytes.span)
        self.state = Mutex(state)
    }

    /// Appends a piece of a section; a reader gets it whole. Suspends until it is written, so pieces of some MiB bound
    /// the memory.
    public func append(_ section: CheckpointSection, _ bytes: [UInt8]) async throws {
        guard bytes.count <= PieceHeader.longest else {
            throw TocsinError(
                .checkpoint, "A checkpoint piece of \(bytes.count) bytes is longer than 1 GiB.",
                remedy: "Append the section in several pieces.")
        }
        try await folder.onQueue { () throws(FileFailure) in try self.write(section, bytes) }
    }

    /// Ends the checkpoint: when this returns it is on disk under its name.
    ///
    /// - Throws: retriable, when the disk fails; nothing is left of the checkpoint then.
    @discardableResult
    public func finish() async throws -> CheckpointInfo {
        try await folder.onQueue { () throws(FileFailure) in
            do throws(FileFailure) {
                return try self.end()
            } catch {
                self.discard()
                throw error
            }
        }
    }

    /// Gives the checkpoint up and removes its file.
    public func cancel() async {
        try? await folder.onQueue { () throws(FileFailure) in self.discard() }
    }

    private func write(_ section: CheckpointSection, _ bytes: [UInt8]) throws(FileFailure) {
        let piece = PieceHeader(section: section, length: bytes.count, sum: CRC32C.of(bytes.span))
        let written = state.withLock { state in
            Result { () throws(FileFailure) in
                guard state.file != nil else { throw ended }
                let start = state.buffer.bytes.count
                piece.write(to: &state.buffer)
                let head = start..<start + PieceHeader.size
                state.footer.sum = CRC32C.of(state.buffer.bytes, head, after: state.footer.sum)
                state.footer.pieces += 1
                state.footer.bytes += UInt64(bytes.count)
                if bytes.count >= Self.bufferBytes / 4 {
                    // A large piece is not copied.
                    try flush(&state)
                    try put(bytes, &state)
                } else {
                    state.buffer.write(raw: bytes.span)
                    if state.buffer.bytes.count >= Self.bufferBytes { try flush(&state) }
                }
            }
        }
        try written.get()
    }

    private func flush(_ state: inout State) throws(FileFailure) {
        try put(state.buffer.bytes, &state)
        state.buffer.removeAll()
    }

    private func put(_ bytes: [UInt8], _ state: inout State) throws(FileFailure) {
        try state.file?.write(bytes, at: state.offset)
        state.offset += Int64(bytes.count)
        state.unforced += Int64(bytes.count)
        if state.unforced >= Self.forcedBytes, folder.settings.isDurable {
            try state.file?.sync()
            state.unforced = 0
        }
    }

    private func end() throws(FileFailure) -> CheckpointInfo {
        let ended = state.withLock { state in
            Result { () throws(FileFailure) in
                guard let file = state.file else { throw self.ended }
                state.buffer.write(raw: state.footer.encoded().span)
                try flush(&state)
                if folder.settings.isDurable { try file.sync() }
                let path = folder.path + "/" + CheckpointHeader.fileName(header.sequence)
                try folder.files.rename(file.path, to: path)
                state.file = nil
                if folder.settings.isDurable { try folder.files.syncFolder(folder.path) }
                return CheckpointInfo(
                    sequence: header.sequence, createdAt: header.createdAt, version: header.version, path: path,
                    bytes: state.offset, pieces: state.footer.pieces)
            }
        }
        return try ended.get()
    }

    private func discard() {
        state.withLock { state in
            guard let file = state.file else { return }
            try? folder.files.remove(file.path)
            state.file = nil
        }
    }

    private var ended: FileFailure {
        FileFailure(
            operation: "write", path: folder.path + "/" + CheckpointHeader.fileName(header.sequence), code: 0,
            reason: "this checkpoint has ended")
    }
}
