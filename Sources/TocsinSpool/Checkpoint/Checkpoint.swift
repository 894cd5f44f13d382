internal import Dispatch
internal import Synchronization
public import TocsinCore

/// A sound checkpoint, read piece by piece in the order of writing. Its file stays open: pruning does not disturb.
public final class Checkpoint: Sendable {
    public let info: CheckpointInfo
    private let converters: [CheckpointConverter]
    private let queue: DispatchQueue
    private let start: CheckpointScanner
    private let state: Mutex<State>

    private struct State {
        var scanner: CheckpointScanner
        /// Converted, not yet given; last first.
        var ready: [CheckpointPiece] = []
    }

    init(
        _ info: CheckpointInfo, _ scanner: CheckpointScanner, _ converters: [CheckpointConverter],
        _ queue: DispatchQueue
    ) {
        self.info = info
        self.converters = converters
        self.queue = queue
        start = scanner
        state = Mutex(State(scanner: scanner))
    }

    /// The same one to be read from its start, whatever has been read of this: for several readers at once.
    public func again() -> Checkpoint { Checkpoint(info, start, converters, queue) }

    /// The next piece, converted to the current version; nil after the last. Blocks on file I/O: not for Swift's
    /// cooperative threads, see `nextPieces`.
    ///
    /// - Throws: when the file has become unreadable since it was checked, or a converter refuses a piece.
    public func next() throws(TocsinError) -> CheckpointPiece? {
        let found = state.withLock { state in
            Result { () throws(TocsinError) in try next(&state) }
        }
        return try found.get()
    }

    /// The next pieces until they have `limit` bytes together (at least one); empty after the last. The reading happens
    /// on the folder's queue.
    public func nextPieces(limit: Int = 8 << 20) async throws -> [CheckpointPiece] {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.gather(limit) }) }
        }
    }

    private func gather(_ limit: Int) throws(TocsinError) -> [CheckpointPiece] {
        var pieces: [CheckpointPiece] = []
        var bytes = 0
        while bytes < limit, let piece = try next() {
            bytes += piece.bytes.count
            pieces.append(piece)
        }
        return pieces
    }

    private func next(_ state: inout State) throws(TocsinError) -> CheckpointPiece? {
        while state.ready.isEmpty {
            let piece: CheckpointPiece?
            do throws(CheckpointScanner.Fault) { piece = try state.scanner.next() } catch {
                throw TocsinError(
                    .checkpoint, "The checkpoint was sound and is not any more: \(error.description).",
                    place: info.path,
                    remedy: "Check the disk's health, then start again: an older checkpoint is used.")
            }
            guard let piece else { return nil }
            var pieces = [piece]
            for converter in converters {
                var converted: [CheckpointPiece] = []
                for piece in pieces { converted += try converter.convert(piece) }
                pieces = converted
            }
            state.ready = pieces.reversed()
        }
        return state.ready.popLast()
    }
}
