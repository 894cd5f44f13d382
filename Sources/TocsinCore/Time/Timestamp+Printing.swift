extension Timestamp {
    /// Appends RFC 3339 in UTC, with as many fraction digits as needed of 0, 3, 6, 9: `2025-10-01T10:00:00.250Z`.
    public func appendISO8601(to bytes: inout [UInt8]) {
        let (second, nanosecond) = nanoseconds.flooredDivision(by: 1_000_000_000)
        let (day, secondOfDay) = second.flooredDivision(by: 86_400)
        let date = CivilDate(daysSinceEpoch: day)
        Self.append(date.year, width: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.month, width: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.day, width: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        Self.append(secondOfDay / 3600, width: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(secondOfDay / 60 % 60, width: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(secondOfDay % 60, width: 2, to: &bytes)
        if nanosecond != 0 {
            bytes.append(UInt8(ascii: "."))
            if nanosecond % 1_000_000 == 0 {
                Self.append(nanosecond / 1_000_000, width: 3, to: &bytes)
            } else if nanosecond % 1000 == 0 {
                Self.append(nanosecond / 1000, width: 6, to: &bytes)
            } else {
                Self.append(nanosecond, width: 9, to: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    public var iso8601: String {
        var bytes: [UInt8] = []
        appendISO8601(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ number: Int64, width: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        for _ in 0..<width { bytes.append(UInt8(ascii: "0")) }
        var rest = number
        var position = start + width - 1
        while position >= start {
            bytes[position] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
            position -= 1
        }
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String { iso8601 }
}

extension Int64 {
    /// Quotient rounded down and a remainder that is never negative.
    func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
