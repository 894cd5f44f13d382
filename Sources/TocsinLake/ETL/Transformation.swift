public import TocsinCore

/// One SQL file that makes a table of the lake from another: a single SELECT and a head of comments.
///
/// The head's lines `-- input: silver/readings` and `-- partition: day` (or `hour`) say what its view `input` holds and how its
/// result is cut; without them a gold table is made of `silver/readings`, by day.
public struct Transformation: Sendable, Equatable {
    /// `gold/hourly`.
    public var table: String
    /// `silver/readings`, or another table of gold.
    public var input: String
    /// Whether its result is cut into hours; days otherwise.
    public var isHourly: Bool
    public var sql: String
    /// The file as messages name it: its path, or `etl/gold/hourly.sql (built in)`.
    public var place: String

    /// The bronze table that everything is made of, and the first that is made.
    public static let bronze = "bronze/events"
    public static let silver = "silver/readings"
    /// Counts rows by rule; makes no table.
    public static let quality = "silver/quality"

    public init(path: String, sql: String, place: String) throws(TocsinError) {
        self.sql = sql
        self.place = place
        table = String(path.dropLast(4))
        let isSilver = table == Self.silver || table == Self.quality
        input = isSilver ? Self.bronze : Self.silver
        isHourly = isSilver
        for line in sql.split(separator: "\n") {
            let text = line.drop { $0 == " " || $0 == "\r" }
            guard text.hasPrefix("--") else { break }
            let words = text.dropFirst(2).split { $0 == " " || $0 == "\r" || $0 == "\t" }
            guard words.count == 2 else { continue }
            switch words[0] {
            case "input:": input = String(words[1])
            case "partition:" where words[1] == "hour" || words[1] == "day": isHourly = words[1] == "hour"
            case "partition:":
                throw TocsinError(
                    .lake, "'\(String(words[1]).printable)' is no partition.", place: place,
                    remedy: "Write `-- partition: day` or `-- partition: hour`.")
            default: break
            }
        }
        if isSilver, input != Self.bronze || !isHourly {
            throw TocsinError(
                .lake, "\(table) is made of \(Self.bronze), by hour.", place: place,
                remedy: "Write `-- input: \(Self.bronze)` and `-- partition: hour`, or leave both out.")
        }
    }

    /// The SELECT as a subquery takes it: a last semicolon is no part of it.
    var query: String {
        var text = Substring(sql)
        while let last = text.last, last.isWhitespace || last == ";" { text.removeLast() }
        // Behind a comment on the last line a bracket would be lost.
        return text + "\n"
    }

    /// Names the file and what DuckDB says of it.
    func failure(_ error: any Error) -> TocsinError {
        let cause = error as? TocsinError
        return TocsinError(
            .lake, cause?.message ?? "\(error)", place: place, remedy: cause?.remedy ?? "Correct the SQL of this file.",
            isRetriable: cause?.isRetriable ?? false)
    }
}
