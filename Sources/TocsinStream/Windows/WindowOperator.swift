public import TocsinCore

/// Sliding event-time windows over any number of series, with all of `WindowStatistic` for each closed window.
///
/// Time is cut into panes as long as the greatest common divisor of all sizes and slides; a reading goes into one
/// pane, however many windows and definitions overlap there (slicing: Carbone et al., "Cutty", CIKM 2016). A pane is
/// sealed when the first window that ends behind it closes; its sums and sorted values are then shared by all windows
/// that hold it. Windows are aligned to the epoch and cover `start ..< start + size`. Each is emitted once, when the
/// watermark has reached its end, if it holds at least one reading; windows of one series come in order of their
/// ends. Readings within the allowed lateness give the same windows in whatever order they arrive.
///
/// ```swift
/// clocks.raise(source, to: highWater)  // once per batch, before its events
/// for event in events {
///     let watermark = clocks.observe(sensor: sensor, time: time, source: source)
///     for reading in readings {
///         let fate = windows.add(series: series, sensor: sensor, time: time, value: value)
///         windows.close(series: series, watermark: watermark, into: &closed)
///     }
/// }
/// windows.advance(source: source, clocks: clocks, into: &closed)  // once per batch
/// windows.flush(into: &closed)  // at the end of the input
/// ```
/// Cost: about 0.3 µs a reading with all statistics of its windows (10,000 series at 1 Hz, a minute every 10 s and 5
/// minutes every minute). `add` does not depend on the overlap; closing merges `size / slide` times log2(panes)
/// sorted keys a reading. Memory: 64 bytes a series and, as far as the longest window reaches back, 16 bytes a
/// reading and about 110 a pane. No malloc once the buffers have grown. Times may be any `Int64`: nothing traps and
/// no loop runs over empty panes.
public struct WindowOperator: Sendable {
    /// What became of a reading.
    public enum Admission: UInt8, Sendable {
        /// It will be part of all windows that cover its time.
        case accepted
        /// A window that covers its time was closed before: it goes into no window.
        case late
        /// Its pane holds `maximumPaneReadings` already: it goes into no window.
        case full
        /// Its pane, still open, holds a reading of the same time already: it goes into no window a second time.
        case duplicate
    }

    private static let searchedReadings = 4096

    /// Most readings of one series in one pane.
    public static let maximumPaneReadings = 1 << 20

    /// 64 bytes: one cache line.
    struct SeriesState: Sendable {
        /// All windows that end at or before this pane's start are done; older readings are late.
        var sealedBefore = Int64.min
        /// When (event time, ns) the next window closes; the maximum if there is none.
        var due = Int64.max
        /// The open pane that took the last reading, and its block.
        var currentPane = Int64.min
        var interval = TypicalInterval()
        /// Readings in the pane sealed last: the room given to the next one.
        var usualCount: UInt32 = 0
        var currentBlock: BlockPool.Reference = 0
        var directory: BlockPool.Reference = 0
        var directoryRoom: UInt32 = 0
        var paneCount: UInt32 = 0
        var sealedPanes: UInt32 = 0
        var sensor: UInt32 = 0
    }

    let plan: WindowPlan
    var states: [SeriesState] = []
    var pool = BlockPool()
    var sealer = PaneSealer()
    var runs = SortedRuns()
    /// Per definition, end (in panes) of the next window that holds readings: scratch of `closeWindows`.
    var ends: [Int64]
    /// Per source, the high-water mark (ns) of the last sweep over all series.
    var sweptHighWaters: [Int64] = []

    /// - Throws: `TocsinError` (configuration) if there is no definition or more than 255, a size is no multiple of
    ///   its slide, either is no whole number of milliseconds, or a window falls into more than 100,000 panes.
    public init(definitions: [WindowDefinition]) throws(TocsinError) {
        plan = try WindowPlan(definitions)
        ends = Array(repeating: 0, count: definitions.count)
    }

    /// Length of a pane: the greatest common divisor of all sizes and slides.
    public var paneLength: Span64 { Span64(nanoseconds: plan.paneNanoseconds) }

    /// Bytes held at present for all series, working buffers left out.
    public var memoryBytes: Int { states.count * MemoryLayout<SeriesState>.stride + pool.bytes }

    /// Puts a reading into its pane. A value that is NaN or infinite spoils the statistics of its windows, nothing
    /// else.
    public mutating func add(series: SeriesID, sensor: SensorID, time: Timestamp, value: Double) -> Admission {
        let index = Int(series.index)
        if index >= states.count {
            states.append(contentsOf: repeatElement(SeriesState(), count: index + 1 - states.count))
        }
        let pane = plan.pane(of: time.nanoseconds)
        if pane < states[index].sealedBefore { return .late }
        if pane != states[index].currentPane {
            states[index].sensor = sensor.index
            selectPane(pane, of: index)
        }
        var offset = BlockPool.offset(states[index].currentBlock)
        let header = pool.words[offset]
        let count = OpenPane.count(header)
        if count > 0 {
            let last = Int64(bitPattern: pool.words[offset + OpenPane.headerWords + 2 * count - 2])
            if time.nanoseconds <= last || header & OpenPane.disordered != 0 {
                if holds(time, offset: offset, count: count) { return .duplicate }
                pool.words[offset] |= OpenPane.disordered
            }
        }
        if count >= Self.maximumPaneReadings { return .full }
        if count == OpenPane.room(header) { offset = growCurrentPane(of: index) }
        let slot = offset + OpenPane.headerWords + 2 * count
        pool.words[slot] = UInt64(bitPattern: time.nanoseconds)
        pool.words[slot + 1] = value.bitPattern
        pool.words[offset] += 1
        return .accepted
    }

    /// Whether an open pane has a reading of this time among its newest arrivals.
    private func holds(_ time: Timestamp, offset: Int, count: Int) -> Bool {
        let words = pool.words.span
        let wanted = UInt64(bitPattern: time.nanoseconds)
        let first = offset + OpenPane.headerWords
        // Bounded, or a sensor that floods one pane out of order would make each reading cost more than the last.
        var position = first + 2 * count - 2
        let end = max(first, position - 2 * Self.searchedReadings)
        while position >= end {
            if words[position] == wanted { return true }
            position -= 2
        }
        return false
    }

    /// Makes `pane`, which is not sealed, the current one of the series; opens it if need be.
    private mutating func selectPane(_ pane: Int64, of index: Int) {
        let directory = BlockPool.offset(states[index].directory)
        // Readings mostly go to the newest pane: search from the end.
        var entry = Int(states[index].paneCount)
        while entry > 0, Int64(bitPattern: pool.words[directory + 2 * entry - 2]) > pane { entry -= 1 }
        states[index].currentPane = pane
        if entry > 0, Int64(bitPattern: pool.words[directory + 2 * entry - 2]) == pane {
            states[index].currentBlock = PaneEntry.block(pool.words[directory + 2 * entry - 1])
            return
        }
        let room = max(3, min(Int(states[index].usualCount), 1024))
        let block = allocateOpenPane(room: room, count: 0)
        states[index].currentBlock = block
        insert(pane, block, at: entry, of: index)
        let end = plan.time(ofPane: plan.firstEnd(holding: pane))
        states[index].due = min(states[index].due, end)
    }

    private mutating func allocateOpenPane(room: Int, count: Int) -> BlockPool.Reference {
        let words = BlockPool.roundedWords(OpenPane.words(room: room))
        let block = pool.allocate(words: words)
        pool.words[BlockPool.offset(block)] = OpenPane.header(count: count, room: OpenPane.room(words: words))
        return block
    }

    /// Inserts a directory entry, making room if need be.
    private mutating func insert(_ pane: Int64, _ block: BlockPool.Reference, at entry: Int, of index: Int) {
        let count = Int(states[index].paneCount)
        let room = Int(states[index].directoryRoom)
        if count == room {
            let newRoom = room + max(4, room / 2)
            let target = pool.allocate(words: 2 * newRoom)
            if room > 0 {
                let (from, to) = (BlockPool.offset(states[index].directory), BlockPool.offset(target))
                for word in 0..<2 * count { pool.words[to + word] = pool.words[from + word] }
                pool.free(states[index].directory, words: 2 * room)
            }
            states[index].directory = target
            states[index].directoryRoom = UInt32(newRoom)
        }
        let directory = BlockPool.offset(states[index].directory)
        var position = 2 * count
        while position > 2 * entry {
            pool.words[directory + position] = pool.words[directory + position - 2]
            pool.words[directory + position + 1] = pool.words[directory + position - 1]
            position -= 2
        }
        pool.words[directory + position] = UInt64(bitPattern: pane)
        pool.words[directory + position + 1] = PaneEntry.word(block, count: 0)
        states[index].paneCount += 1
    }

    /// Doubles the room of the current pane; gives the offset of its new block.
    private mutating func growCurrentPane(of index: Int) -> Int {
        let old = states[index].currentBlock
        let oldOffset = BlockPool.offset(old)
        let count = OpenPane.count(pool.words[oldOffset])
        let room = OpenPane.room(pool.words[oldOffset])
        let block = allocateOpenPane(room: 2 * room, count: count)
        let offset = BlockPool.offset(block)
        pool.words[offset] |= pool.words[oldOffset] & OpenPane.disordered
        for word in OpenPane.headerWords..<OpenPane.words(room: count) {
            pool.words[offset + word] = pool.words[oldOffset + word]
        }
        pool.free(old, words: OpenPane.words(room: room))
        states[index].currentBlock = block
        let directory = BlockPool.offset(states[index].directory)
        var entry = Int(states[index].paneCount) - 1
        while Int64(bitPattern: pool.words[directory + 2 * entry]) != states[index].currentPane { entry -= 1 }
        pool.words[directory + 2 * entry + 1] = PaneEntry.word(block, count: 0)
        return offset
    }
}
