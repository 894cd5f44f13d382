/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds ignored (POSIX time).
///
/// Range: years 1677 to 2262. All arithmetic on times in the hot path is on `nanoseconds` itself.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// `Timestamp(seconds: 1.5)`; fractions below a nanosecond are rounded. Traps outside the range: for trusted input.
    public init(seconds: Double) { nanoseconds = Int64((seconds * 1e9).rounded()) }

    @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

    @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Saturating, so that absurd but parseable times cannot trap.
    @inlinable public func advanced(by span: Span64) -> Timestamp {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(span.nanoseconds)
        return Timestamp(nanoseconds: overflow ? (span.nanoseconds < 0 ? .min : .max) : sum)
    }

    /// Saturating distance `self - other`.
    @inlinable public func since(_ other: Timestamp) -> Span64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(other.nanoseconds)
        return Span64(nanoseconds: overflow ? (nanoseconds < other.nanoseconds ? .min : .max) : difference)
    }
}

/// A length of time in nanoseconds. `Swift.Duration` is 128 bits wide; this one fits a register and a column.
public struct Span64: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static func nanoseconds(_ count: Int64) -> Span64 { Span64(nanoseconds: count) }
    @inlinable public static func milliseconds(_ count: Int64) -> Span64 { Span64(nanoseconds: count * 1_000_000) }
    @inlinable public static func seconds(_ count: Int64) -> Span64 { Span64(nanoseconds: count * 1_000_000_000) }
    @inlinable public static func minutes(_ count: Int64) -> Span64 { seconds(count * 60) }
    @inlinable public static func hours(_ count: Int64) -> Span64 { seconds(count * 3600) }
    @inlinable public static func days(_ count: Int64) -> Span64 { seconds(count * 86_400) }

    @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

    @inlinable public static func < (left: Span64, right: Span64) -> Bool { left.nanoseconds < right.nanoseconds }
}
