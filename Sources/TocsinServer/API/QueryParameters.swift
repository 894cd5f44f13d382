internal import Hummingbird
internal import TocsinCore

/// The query of a request, read strictly: unknown names and bad values are answered with 400 and the name.
struct QueryParameters {
    private let values: [(name: String, value: String)]

    /// Of clients that send names which mean nothing here.
    init(_ request: Request) {
        values = (request.uri.query ?? "").split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(halves[0]), halves.count > 1 ? Self.decoded(halves[1]) : "")
        }
    }

    init(_ request: Request, allowed: Set<String>) throws {
        self.init(request)
        for (name, _) in values where !allowed.contains(name) {
            let known = allowed.sorted().joined(separator: ", ")
            throw Problem(.badRequest, "unknown parameter '\(name)'; this address knows \(known)", parameter: name)
        }
    }

    /// As browsers encode forms: `%XX`, and `+` for a space (WHATWG URL, application/x-www-form-urlencoded).
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(decoded)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func text(_ name: String) -> String? {
        values.last { $0.name == name }.map(\.value).flatMap { $0.isEmpty ? nil : $0 }
    }

    func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    func integer(_ name: String, default standard: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let text = text(name) else { return standard }
        guard let number = Int(text), range.contains(number) else {
            let limits = "\(range.lowerBound) to \(range.upperBound)"
            throw Problem(
                .badRequest, "'\(name)' must be a whole number from \(limits), not '\(text)'", parameter: name)
        }
        return number
    }

    /// RFC 3339 or seconds, milliseconds, … since 1970.
    func time(_ name: String) throws -> Timestamp? {
        guard let text = text(name) else { return nil }
        // A '+' of a time zone that was not percent-encoded arrives as a space.
        if let time = Timestamp(text: text) ?? Timestamp(text: text.replacing(" ", with: "+")) { return time }
        throw Problem(
            .badRequest, "'\(name)' must be a time such as 2025-10-01T10:00:00Z or epoch seconds, not '\(text)'",
            parameter: name)
    }

    /// A store looks at everything that it leaves out: far back in time there is a better way.
    private func offset() throws -> Int {
        let offset = try integer("offset", default: 0, in: 0...1_000_000_000)
        guard offset <= Self.deepestOffset else {
            throw Problem(
                .badRequest,
                "'offset' is at most \(Self.deepestOffset); go further back with 'end_time', the time of the last item",
                parameter: "offset")
        }
        return offset
    }

    private static let deepestOffset = 10_000

    func recordQuery() throws -> RecordQuery {
        let query = RecordQuery(
            sensor: text("sensor_id"), metric: text("metric"), start: try time("start_time"),
            end: try time("end_time"), limit: try integer("limit", default: 100, in: 1...10_000),
            offset: try offset())
        if let start = query.start, let end = query.end, end < start {
            throw Problem(.badRequest, "'end_time' is before 'start_time'", parameter: "end_time")
        }
        return query
    }
}
