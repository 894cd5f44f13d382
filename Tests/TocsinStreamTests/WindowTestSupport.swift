import TocsinCore
import TocsinStream

/// A small reproducible generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

struct TestReading {
    var series: UInt32
    var time: Int64
    var value: Double
}

/// One closed window, comparable as a whole: NaN equals NaN.
struct ClosedWindow: Equatable, Comparable {
    var series: UInt32
    var definition: UInt8
    var start: Int64
    var statistics: [UInt64]

    static func < (left: ClosedWindow, right: ClosedWindow) -> Bool {
        (left.series, left.definition, left.start) < (right.series, right.definition, right.start)
    }

    func value(_ statistic: WindowStatistic) -> Double { Double(bitPattern: statistics[statistic.rawValue]) }
}

extension WindowBatch {
    /// In order of emission.
    var windows: [ClosedWindow] {
        (0..<count).map { row in
            ClosedWindow(
                series: series[row].index, definition: definition[row], start: start[row].nanoseconds,
                statistics: statistics[row * WindowStatistic.columns..<(row + 1) * WindowStatistic.columns].map(
                    \.bitPattern))
        }
    }
}

let second: Int64 = 1_000_000_000

/// Clocks and windows joined as the engine joins them; every series is a sensor of its own, all of one source.
struct WindowHarness {
    var clocks: SensorClocks
    var windows: WindowOperator
    var closed = WindowBatch()
    var refused = 0
    let source = SourceID(0)

    init(_ definitions: [WindowDefinition], lateness: Int64 = 30 * second) throws {
        clocks = SensorClocks(allowedLateness: Span64(nanoseconds: lateness))
        windows = try WindowOperator(definitions: definitions)
    }

    @discardableResult
    mutating func add(_ series: UInt32 = 0, _ time: Int64, _ value: Double = 1) -> WindowOperator.Admission {
        let stamp = Timestamp(nanoseconds: time)
        clocks.raise(source, to: stamp)
        let watermark = clocks.observe(sensor: SensorID(series), time: stamp, source: source)
        let admission = windows.add(series: SeriesID(series), sensor: SensorID(series), time: stamp, value: value)
        if admission != .accepted { refused += 1 }
        windows.close(series: SeriesID(series), watermark: watermark, into: &closed)
        return admission
    }

    mutating func advance(to time: Int64? = nil) {
        if let time { clocks.raise(source, to: Timestamp(nanoseconds: time)) }
        windows.advance(source: source, clocks: clocks, into: &closed)
    }

    mutating func flush() { windows.flush(into: &closed) }
}

extension WindowDefinition {
    init(_ size: Int64, every slide: Int64) { self.init(size: .seconds(size), slide: .seconds(slide)) }
}
