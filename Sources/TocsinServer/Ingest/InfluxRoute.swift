internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import TocsinCore
internal import TocsinDecode

/// `POST /api/v2/write` and `/write` as InfluxDB has them, so that Telegraf and others can send here unchanged: line
/// protocol, answered with 204 when all of it is durable.
struct InfluxRoute {
    let intake: IngestIntake

    func add(to router: Router<BasicRequestContext>) {
        for path in ["api/v2/write", "write"] {
            router.post(RouterPath(path)) { request, context in
                do {
                    return try await write(request)
                } catch {
                    if Problem.isWorthLogging(error) {
                        context.logger.error("request failed", metadata: ["error": "\(error)", "path": "/\(path)"])
                    }
                    return Self.answer(Problem(error, to: request))
                }
            }
            router.refuse(allBut: [.post], at: RouterPath(path)) { problem, _ in Self.answer(problem) }
        }
        // What clients ask before they write.
        router.get("ping") { _, _ in Response(status: .noContent, headers: Self.version) }
        router.head("ping") { _, _ in Response(status: .noContent, headers: Self.version) }
    }

    private static var version: HTTPFields {
        var headers = HTTPFields()
        if let name = HTTPField.Name("X-Influxdb-Version") { headers[name] = "2.7 (tocsin)" }
        return headers
    }

    private func write(_ request: Request) async throws -> Response {
        // Names of buckets and databases mean nothing here; whatever else a client sends, neither.
        let query = QueryParameters(request)
        let word = query.text("precision") ?? "ns"
        guard let precision = InfluxPrecision(parameter: word) else {
            throw Problem(.badRequest, "'precision' is ns, us, ms, s, m or h, not '\(word)'", parameter: "precision")
        }
        let manner = IngestIntake.Manner(
            format: .lineProtocol(precision: precision.rawValue), keyParameter: query.text("p"))
        return try await intake.take(request, manner) { batch, summary in
            let first = batch.rejects.min { $0.payload.offset < $1.payload.offset }
            // What was read and cannot be, such as a time to come, is known only once it has been judged.
            guard let fault = first?.detail ?? (summary.deadLettered > 0 ? summary.refusals.first?.detail : nil) else {
                return IngestAnswer(status: 204)
            }
            // As InfluxDB answers a partial write: what was good is stored, and nothing is to be sent again.
            let line = first.map { reject in
                batch.bytes.prefix(Int(reject.payload.offset)).count { $0 == UInt8(ascii: "\n") } + 1
            }
            let taken = summary.stored + summary.late + summary.duplicate + summary.spooled
            return IngestAnswer(
                status: 400, contentType: Self.contentType,
                body: Self.document(
                    "invalid",
                    "partial write: \(fault); \(summary.deadLettered) dead letter(s) were kept, "
                        + "\(taken) reading(s) taken", line: line))
        }.response
    }

    private static let contentType = "application/json; charset=utf-8"

    /// In InfluxDB's form, which its clients log.
    private static func answer(_ problem: Problem) -> Response {
        let codes: [Int: String] = [
            400: "invalid", 401: "unauthorized", 403: "forbidden", 405: "method not allowed", 409: "conflict",
            413: "request too large",
            415: "invalid", 422: "unprocessable entity", 429: "too many requests", 503: "unavailable",
        ]
        let document = document(codes[problem.status.code] ?? "internal error", problem.detail, line: nil)
        var headers = problem.headers
        headers[.contentType] = contentType
        return Response(status: problem.status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: document)))
    }

    /// - Parameter line: the first one at fault, counted from 1.
    private static func document(_ code: String, _ message: String, line: Int?) -> [UInt8] {
        var json = JSONWriter()
        json.object {
            $0.field("code", code)
            $0.field("message", message)
            if let line { $0.field("line", line) }
        }
        return json.bytes
    }
}
