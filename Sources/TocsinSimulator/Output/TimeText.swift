internal import TocsinCore

/// The text of the current time, rebuilt only when the second changes.
struct TimeText: Sendable {
    /// `2025-10-01T00:00:02.400Z`, or without the fraction on whole seconds.
    private(set) var bytes: [UInt8] = []
    private var millisecond = Int64.min
    private var second = Int64.min

    /// `milliseconds` since 1970, not negative.
    @inline(__always)
    mutating func set(_ milliseconds: Int64) {
        if milliseconds != millisecond { rebuild(milliseconds) }
    }

    @inline(never)
    private mutating func rebuild(_ milliseconds: Int64) {
        millisecond = milliseconds
        let fraction = milliseconds % 1000
        if milliseconds / 1000 != second {
            second = milliseconds / 1000
            bytes.removeAll(keepingCapacity: true)
            Timestamp(nanoseconds: second * 1_000_000_000).appendISO8601(to: &bytes)
        }
        bytes.removeLast(bytes.count - 19)
        if fraction != 0 {
            bytes.append(UInt8(ascii: "."))
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / 100))
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / 10 % 10))
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction % 10))
        }
        bytes.append(UInt8(ascii: "Z"))
    }
}
