internal import TocsinCore
internal import TocsinLake
internal import TocsinServer

/// Answers the dashboard's fixed questions over the lake.
struct LakeAnswers: Sendable {
    private let place: LakePlace

    init(_ place: LakePlace) { self.place = place }

    /// One JSON array.
    func answer(_ question: LakeQuestion) async throws -> [UInt8] {
        if question.name == .storage { return try await storage() }
        let sql = Self.sql(question)
        return try await place.session.run { session in
            let answer = Bytes()
            var output = JSONOutput { answer.all += $0 }
            try session.run(sql, to: &output)
            return answer.all
        }
    }

    private final class Bytes { var all: [UInt8] = [] }

    private func storage() async throws -> [UInt8] {
        var json = JSONWriter()
        let sizes =
            if let known = place.stock.sizes { known } else { try await LakeTableSize.all(of: place.storage) }
        json.array { list in
            for size in sizes {
                list.object {
                    $0.field("table", size.table)
                    $0.field("layer", size.layer.rawValue)
                    $0.field("files", size.files)
                    $0.field("bytes", size.bytes)
                    $0.field("oldest", size.oldest)
                    $0.field("newest", size.newest)
                }
            }
        }
        return json.bytes
    }

    private static func sql(_ question: LakeQuestion) -> String {
        let (query, table) = (question.query, question.name == .daily ? "daily" : "hourly")
        let time = question.name == .daily ? "day" : "hour"
        var conditions: [String] = []
        if let sensor = query.sensor { conditions.append("sensor = \(DuckDB.literal(sensor))") }
        if let metric = query.metric { conditions.append("metric = \(DuckDB.literal(metric))") }
        if let start = query.start { conditions.append("\(time) >= make_timestamp(\(start.nanoseconds / 1000))") }
        if let end = query.end { conditions.append("\(time) < make_timestamp(\(end.nanoseconds / 1000))") }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return
            "SELECT * FROM \(table)\(filter) ORDER BY \(time) DESC, sensor, metric LIMIT \(query.limit) OFFSET \(query.offset)"
    }
}
