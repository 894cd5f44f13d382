internal import TocsinCore
internal import TocsinMeasure

/// The whole way from files to stored verdicts, the raw input made durable in the spool: `tocsin replay --spool` in a
/// process of its own.
public struct WholeLine: Sendable {
    public var readings = 0
    public var seconds = 0.0
    public var cpuSeconds = 0.0
    public var peakResidentBytes: Int64 = 0
    /// Of all runs, in their order.
    public var readingsPerSecond: [Double] = []

    /// The run in the middle.
    public var medianReadingsPerSecond: Double {
        readingsPerSecond.isEmpty ? 0 : readingsPerSecond.sorted()[readingsPerSecond.count / 2]
    }

    /// - Parameter flags: further ones of `tocsin replay`.
    /// - Throws: `TocsinError` when a run fails; what it said stands on standard error.
    static func run(
        _ files: ReadingFiles, flags: [String], repeats: Int, progress: ProgressLine?
    ) throws(TocsinError) -> WholeLine {
        var runs: [WholeLine] = []
        for number in 0..<repeats {
            progress?("whole line, run \(number + 1) of \(repeats)")
            runs.append(try once(files, flags: flags))
        }
        let speeds = runs.map { $0.seconds > 0 ? Double($0.readings) / $0.seconds : 0 }
        guard var median = runs.sorted(by: { $0.seconds < $1.seconds }).dropFirst(repeats / 2).first else {
            return WholeLine()
        }
        median.readingsPerSecond = speeds
        return median
    }

    private static func once(_ files: ReadingFiles, flags: [String]) throws(TocsinError) -> WholeLine {
        let child = try ChildProcess(arguments: ["replay", "--json", "--quiet", "--spool"] + flags + files.paths)
        let answer = String(decoding: child.readAll(), as: UTF8.self)
        let usage = child.wait()
        guard usage.status == 0, let readings = FlatJSON.number("readings", in: answer),
            let seconds = FlatJSON.number("seconds", in: answer)
        else {
            throw TocsinError(
                .file, "tocsin replay ended with \(usage.status)", remedy: "its own message stands above; try it alone")
        }
        return WholeLine(
            readings: Int(clampingDouble: readings), seconds: seconds, cpuSeconds: usage.cpuSeconds,
            peakResidentBytes: usage.peakResidentBytes)
    }
}

/// Reads single fields of a JSON object that this program wrote itself.
package enum FlatJSON {
    /// The first number under a key.
    package static func number(_ key: String, in text: String) -> Double? {
        guard let rest = after("\"\(key)\":", in: text) else { return nil }
        return Double(rest.prefix { "0123456789+-.eE".contains($0) })
    }

    /// The first text under a key, escapes left as they are.
    package static func text(_ key: String, in text: String) -> String? {
        guard let rest = after("\"\(key)\":\"", in: text) else { return nil }
        return String(rest.prefix { $0 != "\"" })
    }

    private static func after(_ mark: String, in text: String) -> Substring? {
        var rest = text.utf8[...]
        let wanted = Array(mark.utf8)
        while let start = rest.firstIndex(of: UInt8(ascii: "\"")) {
            rest = rest[start...]
            if rest.starts(with: wanted) { return Substring(rest.dropFirst(wanted.count)) }
            rest = rest.dropFirst()
        }
        return nil
    }
}

extension Int {
    /// The nearest whole number; 0 for what is no number.
    init(clampingDouble value: Double) {
        self = value.isNaN ? 0 : value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int(value)
    }
}
