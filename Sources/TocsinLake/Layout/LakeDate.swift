internal import TocsinCore

/// Dates as folders have them.
enum LakeDate {
    /// `2025-10-01`.
    static func text(_ day: Int) -> String {
        // The noon of a day is a time that a timestamp holds, also of the first and the last day.
        let noon = Int64(day) * 86_400 + 43_200
        let limit = Int64.max / 1_000_000_000
        return String(Timestamp(nanoseconds: min(max(noon, -limit), limit) * 1_000_000_000).iso8601.prefix(10))
    }

    /// Days since 1970-01-01; nil for what is no date of a timestamp's range.
    static func day(_ text: some StringProtocol) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let dayOfMonth = number(bytes[8..<10]),
            (1...12).contains(month), dayOfMonth >= 1
        else { return nil }
        // Days from civil, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dayOfMonth - 1
        let day = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        // The 31st of a month of 30 days is another day's name.
        guard LakePartition.days.contains(day), self.text(day) == text else { return nil }
        return day
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            guard 48...57 ~= digit else { return nil }
            number = number * 10 + Int(digit - 48)
        }
        return number
    }
}
