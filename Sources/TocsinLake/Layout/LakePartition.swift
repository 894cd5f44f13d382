public import TocsinCore

/// A day or an hour of event time (UTC), and the folder that holds it: `date=2025-10-01/hour=07`.
public struct LakePartition: Hashable, Comparable, Sendable {
    /// Days since 1970-01-01.
    public let day: Int
    /// 0 to 23; nil: the whole day.
    public let hour: Int?

    /// The whole day.
    /// - Parameter day: days since 1970-01-01; brought into a timestamp's range.
    public init(day: Int) {
        self.day = min(max(day, Self.days.lowerBound), Self.days.upperBound)
        hour = nil
    }

    /// - Parameter hour: 0 to 23; brought into that range.
    public init(day: Int, hour: Int) {
        self.day = min(max(day, Self.days.lowerBound), Self.days.upperBound)
        self.hour = min(max(hour, 0), 23)
    }

    /// The hour that a time is in.
    public init(hourOf time: Timestamp) { self.init(hoursSinceEpoch: Self.hoursSinceEpoch(time)) }

    /// The day that a time is in.
    public init(dayOf time: Timestamp) { self.init(day: Self.floored(time.nanoseconds, Self.dayLength)) }

    /// The partition of `table` that a time is in.
    public init(of time: Timestamp, in table: LakeTable) {
        self = table.isHourly ? LakePartition(hourOf: time) : LakePartition(dayOf: time)
    }

    public init(hoursSinceEpoch hours: Int) {
        let day = Self.floored(Int64(hours), 24)
        self.init(day: day, hour: hours - day * 24)
    }

    /// The whole day that this one is in.
    public var wholeDay: LakePartition { LakePartition(day: day) }

    /// The 24 hours of its day, or itself when it is one.
    public var hours: [LakePartition] { hour == nil ? (0..<24).map { LakePartition(day: day, hour: $0) } : [self] }

    /// Its first moment; saturates at the ends of time.
    public var start: Timestamp {
        let (nanoseconds, overflow) = Int64(day).multipliedReportingOverflow(by: Self.dayLength)
        guard !overflow else { return Timestamp(nanoseconds: day < 0 ? .min : .max) }
        return Timestamp(nanoseconds: nanoseconds).advanced(by: .hours(Int64(hour ?? 0)))
    }

    /// The first moment after it.
    public var end: Timestamp {
        hour == nil ? LakePartition(day: day, hour: 23).end : start.advanced(by: .hours(1))
    }

    /// `date=2025-10-01/hour=07`, or `date=2025-10-01`.
    public var path: String {
        guard let hour else { return "date=\(date)" }
        return "date=\(date)/hour=\(hour < 10 ? "0" : "")\(hour)"
    }

    /// `2025-10-01`.
    public var date: String { LakeDate.text(day) }

    /// Reads what `path` gives; also `hour=7`. nil for anything else.
    public init?(path: some StringProtocol) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts[0].hasPrefix("date="), let day = LakeDate.day(parts[0].dropFirst(5))
        else { return nil }
        guard parts.count == 2 else {
            self.init(day: day)
            return
        }
        let digits = parts[1].dropFirst(5)
        guard parts[1].hasPrefix("hour="), (1...2).contains(digits.count), digits.utf8.allSatisfy({ 48...57 ~= $0 }),
            let hour = Int(digits), hour < 24
        else { return nil }
        self.init(day: day, hour: hour)
    }

    /// In the order of time; a day before its hours.
    public static func < (left: LakePartition, right: LakePartition) -> Bool {
        (left.day, left.hour ?? -1) < (right.day, right.hour ?? -1)
    }

    /// Whole hours since 1970-01-01, rounded down: the hour of an event without making a partition of it.
    @inlinable
    public static func hoursSinceEpoch(_ time: Timestamp) -> Int { floored(time.nanoseconds, 3_600_000_000_000) }

    @usableFromInline
    static func floored(_ number: Int64, _ divisor: Int64) -> Int {
        let quotient = number / divisor
        return Int(number % divisor < 0 ? quotient - 1 : quotient)
    }

    private static let dayLength: Int64 = 86_400_000_000_000
    /// Those that a `Timestamp` reaches.
    static let days = -106_752...106_751
}
