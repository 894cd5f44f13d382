internal import TocsinCore

/// The view `windows`: the chunks unpacked by SQL alone, for people with a shell. `WindowSearch` is the fast way.
enum WindowView {
    private static let whole = ["series", "start"]
    private static let real = WindowChunkPacker.heads.map(\.name) + ["score"]

    /// `LIMIT -1 OFFSET 0` keeps SQLite from merging the layers, which would unpack a column once per digit.
    static var sql: String {
        let columns = whole + real
        return """
            CREATE VIEW windows (chunk_id, start, series_id, size, slide, \(real.joined(separator: ", "))) AS
            SELECT chunk_id, start, series, size, slide, CAST(count AS INTEGER),
                \(real.dropFirst().joined(separator: ", "))
            FROM (
                SELECT *, row_number() OVER (
                    PARTITION BY start, series, size, slide ORDER BY count DESC, chunk_id DESC, row DESC) AS place
                FROM (
                    SELECT chunk_id, row, size, slide, \(whole.map { "\($0)_whole AS \($0)" }.joined(separator: ", ")),
                        \(real.map { "\(number($0)) AS \($0)" }.joined(separator: ",\n            "))
                    FROM (
                        SELECT chunk_id, row, size, slide,
                            \(columns.map(unpacked).joined(separator: ",\n                "))
                        FROM (
                            SELECT c.id AS chunk_id, r.row AS row, c.size AS size, c.slide AS slide,
                                \(columns.map(slices).joined(separator: ",\n                    "))
                            FROM window_chunks c CROSS JOIN window_row_numbers r ON r.row < c.rows
                            LIMIT -1 OFFSET 0)
                        LIMIT -1 OFFSET 0)
                    LIMIT -1 OFFSET 0))
            WHERE place = 1;
            """
    }

    // Bytes count from 1: checksum 1-4, kind 5, exponent 6, width 7, base 9-16, then the rows.
    private static func slices(_ name: String) -> String {
        let width = "instr('12345678', substr(hex(substr(c.\(name), 7, 1)), 2))"
        return """
            hex(substr(c.\(name), 5, 12)) AS \(name)_head,
            substr('0000000000000000' || hex(substr(c.\(name), 17 + r.row * \(width), \(width))), -16) AS \(name)_digits
            """
    }

    private static func unpacked(_ name: String) -> String {
        """
        CAST(substr(\(name)_head, 2, 1) AS INTEGER) AS \(name)_kind,
        CAST('1e' || substr(\(name)_head, 4, 1) AS REAL) AS \(name)_power,
        (\(integer("\(name)_head", from: 9))) + (\(integer("\(name)_digits", from: 1))) AS \(name)_whole
        """
    }

    /// Sixteen hexadecimal digits as an integer.
    private static func integer(_ text: String, from first: Int) -> String {
        (0..<16).map { digit in
            "instr('123456789ABCDEF', substr(\(text), \(first + digit), 1)) << \(60 - 4 * digit)"
        }.map { "(\($0))" }.joined(separator: " | ")
    }

    private static func number(_ name: String) -> String {
        let whole = "\(name)_whole"
        let exponent = "(\(whole) >> 52 & 2047)"
        let fraction = "(\(whole) & 4503599627370495)"
        let magnitude = """
            CASE \(exponent) WHEN 0 THEN \(fraction) * pow(2.0, -1074)
            WHEN 2047 THEN iif(\(fraction) = 0, 9e999, NULL)
            ELSE (\(fraction) | 4503599627370496) * pow(2.0, \(exponent) - 1075) END
            """
        return """
            CASE \(name)_kind WHEN 0 THEN CAST(\(whole) AS REAL) WHEN 2 THEN \(whole) / \(name)_power
            ELSE iif(\(whole) < 0, -1.0, 1.0) * \(magnitude) END
            """
    }
}
