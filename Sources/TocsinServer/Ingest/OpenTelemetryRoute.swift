internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import TocsinCore
internal import TocsinDecode

/// `POST /v1/metrics`: OpenTelemetry's OTLP/HTTP 1.x, protobuf and JSON, so that collectors can send here unchanged.
struct OpenTelemetryRoute {
    let intake: IngestIntake

    func add(to router: Router<BasicRequestContext>) {
        router.post("v1/metrics") { request, context in
            // Errors are in the request's own form; where that is unknown, in the one that people can read.
            let isJSON = Self.isJSON(request)
            do {
                guard let isJSON else { throw Self.unknownForm(request) }
                return try await take(request, isJSON)
            } catch {
                if Problem.isWorthLogging(error) {
                    context.logger.error("request failed", metadata: ["error": "\(error)", "path": "/v1/metrics"])
                }
                return Self.answer(Problem(error, to: request), isJSON ?? true)
            }
        }
        router.refuse(allBut: [.post], at: "v1/metrics") { problem, request in
            Self.answer(problem, Self.isJSON(request) ?? true)
        }
    }

    private static func answer(_ problem: Problem, _ isJSON: Bool) -> Response {
        var headers = problem.headers
        headers[.contentType] = contentType(isJSON)
        let body = status(problem, isJSON)
        return Response(status: problem.status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }

    private func take(_ request: Request, _ isJSON: Bool) async throws -> Response {
        let manner = IngestIntake.Manner(
            format: isJSON ? .openTelemetryJSON : .openTelemetryProtobuf, takesEmptyBody: !isJSON)
        return try await intake.take(request, manner) { batch, summary in
            // A body that is no request at all is the sender's fault: it must not be sent again.
            if batch.eventCount == 0, let first = batch.rejects.first {
                let problem = Problem(.badRequest, first.detail)
                return IngestAnswer(
                    status: 400, contentType: Self.contentType(isJSON), body: Self.status(problem, isJSON))
            }
            let message = summary.refusals.first.map { "\(summary.deadLettered) refused: \($0.detail)" } ?? ""
            return IngestAnswer(
                status: 200, contentType: Self.contentType(isJSON),
                body: OTLPResponse.encode(
                    rejected: summary.deadLettered, message: message, as: isJSON ? .json : .protobuf))
        }.response
    }

    /// google.rpc.Status, as OTLP/HTTP asks for.
    private static func status(_ problem: Problem, _ isJSON: Bool) -> [UInt8] {
        // google.rpc.Code: what gRPC would have said.
        let code =
            switch problem.status.code {
            case 400, 415, 422: 3
            case 405: 12
            case 401: 16
            case 403: 7
            case 409: 10
            case 408: 4
            case 413, 429: 8
            case 503: 14
            default: 13
            }
        return OTLPResponse.encode(code: code, message: problem.detail, as: isJSON ? .json : .protobuf)
    }

    private static func contentType(_ isJSON: Bool) -> String {
        isJSON ? "application/json" : "application/x-protobuf"
    }

    /// nil for a type that is not OTLP.
    private static func isJSON(_ request: Request) -> Bool? {
        switch essence(request) {
        case "application/x-protobuf", "application/protobuf": false
        case "application/json": true
        default: nil
        }
    }

    private static func essence(_ request: Request) -> String {
        (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
    }

    private static func unknownForm(_ request: Request) -> Problem {
        Problem(
            .unsupportedMediaType,
            "Content-Type '\(essence(request))' is not OTLP; use application/x-protobuf or application/json")
    }
}
