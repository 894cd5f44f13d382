internal import TocsinCore

/// The header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date in one of HTTP's three forms.
enum RetryAfter {
    /// More is not believed: a receiver that said a day would silence its channel until all that waits is given up.
    private static let longest = 900.0

    /// nil for nonsense; never negative, at most 15 minutes.
    static func duration(_ text: String, now: Timestamp) -> Duration? {
        let text = text.trimmingSpaces
        if let seconds = Double(text), seconds.isFinite, seconds >= 0 {
            return .milliseconds(Int64((min(seconds, longest) * 1000).rounded(.up)))
        }
        guard let time = date(text) else { return nil }
        return .milliseconds(Int64((min(max(time.since(now).seconds, 0), longest) * 1000).rounded(.up)))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
    static func date(_ text: String) -> Timestamp? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        guard words.count >= 5 else { return nil }
        let isUnixForm = !text.contains(",")
        let (dayWord, monthWord, yearWord, clock) =
            isUnixForm ? (words[2], words[1], words[4], words[3]) : (words[1], words[2], words[3], words[4])
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        guard let month = names.firstIndex(of: monthWord.lowercased()), let day = UInt8(dayWord),
            var year = UInt16(yearWord)
        else { return nil }
        if yearWord.count == 2 { year += year < 70 ? 2000 : 1900 }
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return Timestamp(iso8601: "\(padded(Int(year), 4))-\(padded(month + 1, 2))-\(padded(Int(day), 2))T\(clock)Z")
    }
}

extension String {
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let head = drop(while: isSpace)
        guard let last = head.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(head[...last])
    }
}
