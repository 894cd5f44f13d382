internal import TocsinCore

/// The date of an HTTP header (RFC 9110, IMF-fixdate): `Fri, 24 May 2013 00:00:00 GMT`.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Nil for any other form.
    static func time(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT" || words[5] == "UTC", words[1].utf8.count == 2,
            let month = months.firstIndex(of: String(words[2])), words[3].utf8.count == 4, words[4].utf8.count == 8
        else { return nil }
        let number = month + 1
        return Timestamp(iso8601: "\(words[3])-\(number < 10 ? "0" : "")\(number)-\(words[1])T\(words[4])Z")
    }
}
