internal import CLakeSQL
public import TocsinCore

/// The SQL files of the lake: those of the program, replaced by those of the same name in a folder of the user, which may
/// add others (`gold/shifts.sql` makes the table gold/shifts).
public struct Transformations: Sendable {
    public let silver: Transformation
    public let quality: Transformation
    /// Each behind the one that it is made of.
    public let gold: [Transformation]

    /// Tables that come from the operational store; no SQL makes them.
    static let given = ["gold/anomalies", "gold/alarms", "gold/windows"]

    /// The files of the program, as (path below etl/, text).
    public static var builtIn: [(path: String, sql: String)] {
        var count = 0
        guard let files = tls_files(&count) else { return [] }
        return UnsafeBufferPointer(start: files, count: count).map { file in
            (
                String(cString: file.path),
                String(decoding: UnsafeBufferPointer(start: file.bytes, count: file.length), as: UTF8.self)
            )
        }
    }

    /// - Parameter folder: the user's; nil: the program's files only.
    /// - Throws: `TocsinError` naming the file that cannot be read or does not fit.
    public init(folder: String? = nil) throws(TocsinError) {
        var all: [String: Transformation] = [:]
        for (path, sql) in Self.builtIn {
            let one = try Transformation(path: path, sql: sql, place: "etl/\(path) (built in)")
            all[one.table] = one
        }
        if let folder {
            for one in try Self.read(folder) { all[one.table] = one }
        }
        guard let silver = all.removeValue(forKey: Transformation.silver),
            let quality = all.removeValue(forKey: Transformation.quality)
        else { throw TocsinError(.lake, "The program was built without its transformations.", place: "etl") }
        self.silver = silver
        self.quality = quality
        gold = try Self.ordered(all.values.sorted { $0.table < $1.table })
    }

    /// Those of the user's folder: `silver/*.sql` and `gold/*.sql`.
    private static func read(_ folder: String) throws(TocsinError) -> [Transformation] {
        var found: [Transformation] = []
        for layer in ["silver", "gold"] {
            for entry in try LocalFiles.entries(of: "\(folder)/\(layer)") where entry.name.hasSuffix(".sql") {
                let (path, place) = ("\(layer)/\(entry.name)", "\(folder)/\(layer)/\(entry.name)")
                guard !entry.isFolder, !entry.name.hasPrefix("."), let bytes = try LocalFiles.read(place) else {
                    continue
                }
                let name = entry.name.dropLast(4)
                let isSound =
                    !name.isEmpty
                    && name.utf8.allSatisfy {
                        97...122 ~= $0 || 48...57 ~= $0 || $0 == UInt8(ascii: "_")
                    }
                let one = try Transformation(path: path, sql: String(decoding: bytes, as: UTF8.self), place: place)
                guard isSound, !given.contains(one.table),
                    layer == "gold" || one.table == Transformation.silver || one.table == Transformation.quality
                else {
                    throw TocsinError(
                        .lake, "\(one.table.printable) cannot be made by SQL.", place: place,
                        remedy:
                            "Name it gold/<small letters, digits, _>.sql, but not after \(given.joined(separator: ", ")); "
                            + "of silver readings.sql and quality.sql can be replaced.")
                }
                found.append(one)
            }
        }
        return found
    }

    /// Tables in groups: those of a group are made of what the groups before it have made, and do not wait for one another.
    static func levels(_ tables: [Transformation]) -> [[Transformation]] {
        var depth: [String: Int] = [:]
        var levels: [[Transformation]] = []
        for one in tables {
            let level = depth[one.input].map { $0 + 1 } ?? 0
            depth[one.table] = level
            if level == levels.count { levels.append([]) }
            levels[level].append(one)
        }
        return levels
    }

    private static func ordered(_ tables: [Transformation]) throws(TocsinError) -> [Transformation] {
        var ordered: [Transformation] = []
        var rest = tables
        while !rest.isEmpty {
            let ready = rest.filter { one in
                one.input == Transformation.silver || ordered.contains { $0.table == one.input }
            }
            guard !ready.isEmpty else {
                throw TocsinError(
                    .lake, "Its input \(rest[0].input.printable) is no table that SQL makes, or is made of itself.",
                    place: rest[0].place,
                    remedy: "Write `-- input: silver/readings`, or the name of a table of gold.")
            }
            for one in ready {
                if let input = ordered.first(where: { $0.table == one.input }), one.isHourly, !input.isHourly {
                    throw TocsinError(
                        .lake, "Hours cannot be made of \(input.table), which has days.", place: one.place,
                        remedy: "Write `-- partition: day`.")
                }
            }
            ordered += ready
            rest.removeAll { one in ready.contains { $0.table == one.table } }
        }
        return ordered
    }
}
