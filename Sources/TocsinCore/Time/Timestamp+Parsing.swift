extension Timestamp {
    /// The time in ISO 8601 / RFC 3339 text, or nil. About 20 ns.
    ///
    /// `2025-10-01T10:00:00.250+02:00`; the separator is `T`, `t` or a space; seconds, the whole time of day, and the
    /// zone may be missing (UTC then); the zone is `Z`, `±hh:mm`, `±hhmm` or `±hh`; the fraction follows `.` or `,`
    /// and is cut behind nine digits. Second 60, a leap second, is the start of the next minute. Nil before 1970 and
    /// after 2262.
    public init?(iso8601 text: Span<UInt8>) {
        guard text.count >= 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-") else { return nil }
        let year = Self.twoDigits(text, at: 0) * 100 + Self.twoDigits(text, at: 2)
        let month = Self.twoDigits(text, at: 5)
        let day = Self.twoDigits(text, at: 8)
        // A zone can move the last day of 1969 into 1970. Digits that are none come out far too large.
        guard 1969...2262 ~= year, 1...12 ~= month, day >= 1, day <= CivilDate.days(inMonth: month, of: year)
        else { return nil }
        var second = CivilDate(year: year, month: month, day: day).daysSinceEpoch * 86_400
        var nanosecond: Int64 = 0
        if text.count > 10 {
            guard let time = Self.timeOfDay(text) else { return nil }
            second += time.second
            nanosecond = time.nanosecond
        }
        self.init(second: second, nanosecond: nanosecond)
    }

    /// As `init(iso8601:)`, for text that is already a string.
    public init?(iso8601 text: String) {
        self.init(iso8601: text.utf8.span)
    }

    /// Seconds since the epoch and a part of a second (0…999,999,999 ns); nil outside 1970…2262.
    init?(second: Int64, nanosecond: Int64) {
        guard second >= 0 else { return nil }
        let (scaled, tooLarge) = second.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = scaled.addingReportingOverflow(nanosecond)
        guard !tooLarge, !overflow else { return nil }
        self.init(nanoseconds: sum)
    }

    /// Everything behind the date; the second is relative to the day's start in UTC.
    private static func timeOfDay(_ text: Span<UInt8>) -> (second: Int64, nanosecond: Int64)? {
        let separator = text[10]
        guard text.count >= 16,
            separator == UInt8(ascii: "T") || separator == UInt8(ascii: " ")
                || separator == UInt8(ascii: "t"), text[13] == UInt8(ascii: ":")
        else { return nil }
        let hour = twoDigits(text, at: 11)
        let minute = twoDigits(text, at: 14)
        guard hour <= 23, minute <= 59 else { return nil }
        var second: Int64 = 0
        var nanosecond: Int64 = 0
        var position = 16
        if position < text.count, text[position] == UInt8(ascii: ":") {
            guard position + 3 <= text.count else { return nil }
            second = twoDigits(text, at: position + 1)
            guard second <= 60 else { return nil }
            position += 3
            if position < text.count, text[position] == UInt8(ascii: ".") || text[position] == UInt8(ascii: ",") {
                guard let digits = fraction(text, at: &position) else { return nil }
                nanosecond = digits
            }
        }
        guard let offset = zone(text, at: position) else { return nil }
        if second == 60 { nanosecond = 0 }
        return (hour * 3600 + minute * 60 + second - offset, nanosecond)
    }

    /// The digits behind the point as nanoseconds; moves behind them. Nil where there are none.
    private static func fraction(_ text: Span<UInt8>, at position: inout Int) -> Int64? {
        position += 1
        let start = position
        var nanosecond: Int64 = 0
        var unit: Int64 = 100_000_000
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            nanosecond += Int64(digit) * unit
            unit /= 10
            position += 1
        }
        return position > start ? nanosecond : nil
    }

    /// Seconds east of UTC of the zone that must end the text.
    private static func zone(_ text: Span<UInt8>, at start: Int) -> Int64? {
        guard start < text.count else { return 0 }
        let sign = text[start]
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return start + 1 == text.count ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), start + 3 <= text.count else { return nil }
        let hours = twoDigits(text, at: start + 1)
        var minutes: Int64 = 0
        switch text.count - start {
        case 3: break
        case 5: minutes = twoDigits(text, at: start + 3)
        case 6 where text[start + 3] == UInt8(ascii: ":"): minutes = twoDigits(text, at: start + 4)
        default: return nil
        }
        guard hours <= 23, minutes <= 59 else { return nil }
        let offset = hours * 3600 + minutes * 60
        return sign == UInt8(ascii: "-") ? -offset : offset
    }

    /// 0…99, or at least 10,000 where either byte is no digit, so that every range check refuses it.
    @inline(__always)
    private static func twoDigits(_ text: Span<UInt8>, at position: Int) -> Int64 {
        let tens = text[position] &- UInt8(ascii: "0")
        let units = text[position + 1] &- UInt8(ascii: "0")
        guard tens <= 9, units <= 9 else { return 10_000 }
        return Int64(tens) * 10 + Int64(units)
    }
}
