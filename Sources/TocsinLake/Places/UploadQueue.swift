internal import Synchronization
public import TocsinCore

/// Files on local disk that wait for a remote place; sent in the order in which they came, whatever happens between.
///
/// ```swift
/// let queue = try UploadQueue(folder: "state/outgoing", to: bucket)
/// try await queue.add(file: "staging/1.parquet", as: "bronze/events/…/part-1.parquet")
/// try await queue.run()   // until cancelled
/// ```
/// A file is on disk under its number and name from `add` until it is sent: neither a crash nor a place that is away for
/// days loses one. One that was sent just before a crash is sent again, over itself.
public final class UploadQueue: Sendable {
    private struct Waiting {
        var number: UInt64
        var name: String
        var bytes: Int64
        var since: Timestamp
    }

    private struct State {
        var waiting: [Waiting] = []
        var nextNumber: UInt64 = 1
        var attempts = 0
        var figures = UploadFigures()
    }

    public let storage: any ObjectStorage
    public let settings: UploadSettings
    private let folder: String
    private let clock: any WallClock
    private let random: @Sendable () -> Double
    private let state: Mutex<State>
    private let disk = BlockingQueue("tocsin.lake.outgoing")
    private let added: AsyncStream<Void>
    private let addedContinuation: AsyncStream<Void>.Continuation

    /// Takes up what an earlier process left in `folder`, which is made where it is missing.
    /// - Parameter random: 0 to 1, for the length of waits.
    public init(
        folder: String, to storage: any ObjectStorage, settings: UploadSettings = UploadSettings(),
        clock: any WallClock = SystemClock(), random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) throws(TocsinError) {
        self.folder = folder
        self.storage = storage
        self.settings = settings
        self.clock = clock
        self.random = random
        (added, addedContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        try LocalFiles.makeFolder(folder)
        var state = State()
        for entry in try LocalFiles.entries(of: folder) where !entry.isFolder {
            guard let (number, name) = Self.parse(entry.name) else {
                // Half a copy: what it was made of is still where it was.
                if entry.name.hasSuffix(".new") { try LocalFiles.remove(folder + "/" + entry.name) }
                continue
            }
            state.waiting.append(Waiting(number: number, name: name, bytes: entry.bytes, since: entry.changed))
        }
        state.waiting.sort { $0.number < $1.number }
        if let last = state.waiting.last { state.nextNumber = last.number &+ 1 }
        self.state = Mutex(state)
    }

    /// Whether what waits is within the limit.
    public var hasRoom: Bool { waitingBytes < settings.maximumBytes }

    private var waitingBytes: Int64 { state.withLock { $0.waiting.reduce(0) { $0 + $1.bytes } } }

    public var figures: UploadFigures {
        let now = clock.now()
        return state.withLock { state in
            var figures = state.figures
            figures.files = state.waiting.count
            figures.bytes = state.waiting.reduce(0) { $0 + $1.bytes }
            figures.oldestSeconds = state.waiting.first.map { max(0, now.since($0.since).seconds) } ?? 0
            return figures
        }
    }

    /// Names of the files that wait, in the order in which they will be sent.
    public var names: [String] { state.withLock { $0.waiting.map(\.name) } }

    /// The same of a queue that another process may be working on.
    public static func names(in folder: String) throws -> Set<String> {
        Set(try LocalFiles.entries(of: folder).compactMap { $0.isFolder ? nil : parse($0.name)?.name })
    }

    /// Takes over the file at `path`, which must already be forced to disk; it is gone from there afterwards. One that
    /// waits under the same name is replaced, in its place in the order.
    /// - Throws: `TocsinError`, retriable where the disk may get better.
    public func add(file path: String, as name: String) async throws {
        guard let bytes = LocalFiles.size(path) else { throw LocalFiles.failure("The file cannot be read", path) }
        let number = state.withLock { state -> UInt64 in
            if let same = state.waiting.first(where: { $0.name == name }) { return same.number }
            defer { state.nextNumber += 1 }
            return state.nextNumber
        }
        let target = try self.path(number, name)
        try await disk.run { [folder] in
            try LocalFiles.move(path, to: target)
            try LocalFiles.sync(folder: folder)
        }
        let now = clock.now()
        state.withLock { state in
            state.waiting.removeAll { $0.number == number }
            let place = state.waiting.firstIndex { $0.number > number } ?? state.waiting.count
            state.waiting.insert(Waiting(number: number, name: name, bytes: bytes, since: now), at: place)
        }
        addedContinuation.yield()
    }

    /// Sends until it is cancelled.
    public func run(
        sleep: @Sendable (Span64) async throws -> Void = { try await Task.sleep(for: .nanoseconds($0.nanoseconds)) }
    ) async throws {
        var more = added.makeAsyncIterator()
        while true {
            try Task.checkCancellation()
            switch try await step() {
            case .sent: continue
            case .failed(let wait): try await sleep(wait)
            case .idle:
                await more.next()
            }
        }
    }

    /// What one attempt came to.
    public enum Step: Sendable, Equatable {
        case sent
        /// Nothing waits.
        case idle
        /// To be tried again after that time.
        case failed(Span64)
    }

    /// Sends the oldest file, one attempt.
    /// - Throws: `CancellationError` only.
    public func step() async throws -> Step {
        guard let first = state.withLock({ $0.waiting.first }) else { return .idle }
        do {
            let path = try path(first.number, first.name)
            try await storage.put(file: path, as: first.name)
            try await disk.run { try LocalFiles.remove(path) }
            state.withLock { state in
                state.waiting.removeAll { $0.number == first.number }
                state.attempts = 0
                state.figures.sentFiles += 1
                state.figures.sentBytes += first.bytes
                state.figures.lastError = nil
                state.figures.awaySince = nil
            }
            return .sent
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            let (now, random) = (clock.now(), min(max(random(), 0), 1))
            return state.withLock { state in
                state.attempts += 1
                state.figures.failures += 1
                state.figures.lastError = "\(error)"
                state.figures.awaySince = state.figures.awaySince ?? now
                return .failed(Self.wait(attempts: state.attempts, settings, random))
            }
        }
    }

    /// Between the half and the whole of the doubled delay ("equal jitter"), so that many do not come back at once.
    private static func wait(attempts: Int, _ settings: UploadSettings, _ random: Double) -> Span64 {
        let doubled = settings.firstRetryDelay.seconds * Double(1 << min(attempts - 1, 30))
        let whole = min(doubled, settings.longestRetryDelay.seconds)
        return .milliseconds(Int64((whole * (0.5 + 0.5 * random) * 1000).rounded()))
    }

    // Names of files: the number, so that they are sent in order, and the name in the lake with its slashes written
    // otherwise. One rename makes an entry whole.

    private func path(_ number: UInt64, _ name: String) throws(TocsinError) -> String {
        let digits = String(number)
        let text =
            String(repeating: "0", count: 20 - digits.utf8.count) + digits + "~"
            + name.replacing("%", with: "%25").replacing("/", with: "%2F")
        guard text.utf8.count <= 250, !name.isEmpty else {
            throw TocsinError(.lake, "The name of a file to be sent is empty or too long.", place: name)
        }
        return folder + "/" + text
    }

    private static func parse(_ text: String) -> (number: UInt64, name: String)? {
        let parts = text.split(separator: "~", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 20, let number = UInt64(parts[0]), number < .max,
            !text.hasSuffix(".new")
        else { return nil }
        return (number, String(parts[1]).replacing("%2F", with: "/").replacing("%25", with: "%"))
    }
}
