internal import TocsinCore

/// Thins a series to what a screen can show: of every column of pixels its first, smallest, greatest and last value.
///
/// The lines through these look the same as the lines through all: M4 (Jugel, Jerzak, Hackenbroich, Markl: "M4: A
/// Visualization-Oriented Time Series Data Aggregation", VLDB 2014). One pass, memory by columns.
struct PixelColumns {
    struct Point: Equatable {
        /// In columns from the left edge.
        var x: Double
        var value: Double
    }

    private struct Column {
        var index: Int
        var first: Point
        var last: Point
        var low: Point
        var high: Point

        init(_ index: Int, _ point: Point) {
            self.index = index
            (first, last, low, high) = (point, point, point, point)
        }

        mutating func take(_ point: Point) {
            last = point
            if point.value < low.value { low = point }
            if point.value > high.value { high = point }
        }
    }

    private let start: Timestamp
    private let scale: Double
    private let columns: Int
    private var column: Column?
    private var isBroken = false
    private(set) var segments: [[Point]] = []

    /// - Parameter columns: pixels between `start` and `end`.
    init(from start: Timestamp, to end: Timestamp, columns: Double) {
        self.start = start
        let span = max(1, Double(end.since(start).nanoseconds))
        scale = columns / span
        self.columns = Int(min(max(columns, 1), 20_000))
    }

    /// The runs of joined points, in order of time; a value that is no finite number, or a gap longer than `longest`,
    /// begins a new one. Breaks inside of one column of pixels do not show and are passed over.
    static func segments(
        of line: ChartLine, from start: Timestamp, to end: Timestamp, columns: Double
    ) -> [[Point]] {
        var thinning = PixelColumns(from: start, to: end, columns: columns)
        let count = min(line.times.count, line.values.count)
        let longest = line.longestGap?.nanoseconds ?? .max
        var previous: Timestamp?
        for row in Order.ofTimes(line.times, count: count) {
            let time = line.times[row]
            guard line.values[row].isFinite else {
                thinning.isBroken = true
                continue
            }
            if let previous, time.since(previous).nanoseconds > longest { thinning.isBroken = true }
            previous = time
            if time >= start, time <= end { thinning.take(time, line.values[row]) }
        }
        thinning.close()
        return thinning.segments
    }

    private mutating func take(_ time: Timestamp, _ value: Double) {
        let x = Double(time.since(start).nanoseconds) * scale
        let index = min(max(Int(x), 0), columns)
        let point = Point(x: x, value: value)
        if column?.index == index {
            column?.take(point)
            // What follows a break in the same column is drawn on top of what stood before it.
            isBroken = false
            return
        }
        close()
        if isBroken || segments.isEmpty { segments.append([]) }
        isBroken = false
        column = Column(index, point)
    }

    /// Up to four points, each once, in order of time.
    private mutating func close() {
        guard let column else { return }
        let inner = column.low.x <= column.high.x ? [column.low, column.high] : [column.high, column.low]
        var run = segments.popLast() ?? []
        let start = run.count
        for point in [column.first] + inner + [column.last] {
            if run.count == start || run.last != point { run.append(point) }
        }
        segments.append(run)
        self.column = nil
    }
}

/// The rows of a series in order of time, without sorting where they are in order, as almost always.
enum Order {
    static func ofTimes(_ times: [Timestamp], count: Int) -> [Int] {
        var isSorted = true
        for row in 0..<max(0, count - 1) where times[row] > times[row + 1] {
            isSorted = false
            break
        }
        let rows = Array(0..<count)
        return isSorted ? rows : rows.sorted { times[$0] != times[$1] ? times[$0] < times[$1] : $0 < $1 }
    }
}
