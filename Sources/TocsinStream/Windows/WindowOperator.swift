internal import CTocsinKernels
public import TocsinCore

/// Sliding event-time windows over any number of series, with all of `WindowStatistic` for each closed window.
///
/// A series keeps one compressed, lossless log of its readings in order of event time, as far back as a window still
/// to close can reach; every window is computed from it when it closes, whatever overlaps. Windows are aligned to the
/// epoch and cover `start ..< start + size`. Each is emitted once, when the watermark has reached its end, if it holds
/// at least one reading; windows of one series come in order of their ends. Readings within the allowed lateness give
/// bit for bit the same windows in whatever order they arrive.
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
/// Cost: `add` in order about 25 ns; a reading out of order rewrites its block of up to 64 readings, about 1 µs.
/// Overlap is paid when windows close: `size / slide` times about 6 ns for each reading and definition (13 ns for
/// values that are no decimals). At 1 Hz with a minute every 10 s and 5 minutes every minute that is 110 ns a reading
/// in all, and up to half as much more with a million series and `prefetch` ahead, since their state lies in memory.
///
/// Memory: 72 bytes a series, 24 for each block of up to 64 readings, and for each reading the bits of its block's
/// range of values (10 or 11 for a temperature with two decimals) and of its distance from a regular grid of times
/// (none at whole seconds); 64 bits for values that are no decimals of up to seven digits. At 1 Hz with the windows
/// above: 0.8 KiB a series with two decimals, 0.95 KiB with three, 4.5 KiB for random doubles at jittering nanoseconds.
/// No malloc once the pool has grown. Times may be any `Int64`: nothing traps and no loop runs over empty time.
/// A copy shares the logs until one of the two changes, which then copies them all.
public struct WindowOperator: Sendable {
    /// What became of a reading.
    public enum Admission: UInt8, Sendable {
        /// It will be part of all windows that cover its time.
        case accepted
        /// A window that covers its time was closed before: it goes into no window.
        case late
        /// The series' log has `maximumBlocks` already: it goes into no window.
        case full
        /// The log holds a reading of the same time already: it goes into no window a second time.
        case duplicate
    }

    /// Most blocks of one series' log: about four million readings that came in order.
    public static let maximumBlocks = 1 << 16

    /// 64 bytes: one cache line.
    struct SeriesState: Sendable {
        /// All windows that end at or before this pane's start are done; older readings are late.
        var closedBefore = Int64.min
        /// Time of the newest reading of the log, if there is one.
        var newest = Int64.min
        /// Learned from the readings before the end of the last window emitted.
        var interval = TypicalInterval()
        var sensor: UInt32 = 0
        var blocks = BlockList()
    }

    let plan: WindowPlan
    let body: tk_body
    var states: [SeriesState] = []
    /// By series, when (event time, ns) its next window closes; the maximum if there is none. Apart from the states, so
    /// that a scan over all series reads little.
    var dues: [Int64] = []
    var pool = BlockPool()
    var scratch = BlockScratch()
    var window = WindowScratch()
    /// Per definition, end (in panes) of the next window that holds readings: scratch of `closeWindows`.
    var ends: [Int64]
    /// Per source, the high-water mark (ns) of the last search for due series.
    var sweptHighWaters: [Int64] = []

    /// - Throws: `TocsinError` (configuration) if there is no definition or more than 255, a size is no multiple of
    ///   its slide, either is no whole number of milliseconds, or a window falls into more than 100,000 panes.
    public init(definitions: [WindowDefinition]) throws(TocsinError) {
        try self.init(definitions: definitions, kernel: .best)
    }

    /// With hand-written bodies of the kernels other than the fastest ones; the processor must have what they use.
    package init(definitions: [WindowDefinition], kernel: Kernel) throws(TocsinError) {
        body = kernel.body
        plan = try WindowPlan(definitions)
        ends = Array(repeating: 0, count: definitions.count)
    }

    /// Bytes held at present for all series, freed blocks included, working buffers left out.
    public var memoryBytes: Int {
        states.count * (MemoryLayout<SeriesState>.stride + MemoryLayout<Int64>.stride) + pool.bytes
    }

    /// Makes room for the state of a series.
    @inline(__always)
    mutating func reserve(_ index: Int) {
        if index < states.count { return }
        let missing = index + 1 - states.count
        states.append(contentsOf: repeatElement(SeriesState(), count: missing))
        dues.append(contentsOf: repeatElement(.max, count: missing))
    }

    /// Asks for the state of a series to come into the cache, some readings before it is needed: about 1 ns.
    @inline(__always)
    public func prefetch(series: SeriesID) {
        let index = Int(series.index)
        guard index < states.count else { return }
        unsafe states.withUnsafeBufferPointer { unsafe tk_prefetch($0.baseAddress.map { unsafe $0 + index }) }
        unsafe dues.withUnsafeBufferPointer { unsafe tk_prefetch($0.baseAddress.map { unsafe $0 + index }) }
    }
}
