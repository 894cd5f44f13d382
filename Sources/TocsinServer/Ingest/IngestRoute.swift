internal import HTTPTypes
internal import Hummingbird
internal import TocsinCore

/// `POST /ingest`: JSON lines, a JSON array or CSV; answered with 202 only when every reading in it is durable.
struct IngestRoute {
    let intake: IngestIntake

    func add(to router: Router<BasicRequestContext>) {
        let path: RouterPath = "ingest"
        router.post(path) { request, _ in
            let path = request.uri.path
            return try await intake.take(request, .init(format: Self.format(of: request))) { batch, summary in
                Self.answer(batch, summary, path)
            }.response
        }
        router.refuse(allBut: [.post], at: path)
    }

    private static func answer(_ batch: Batch, _ summary: DeliverySummary, _ path: String) -> IngestAnswer {
        guard batch.inputCount > 0 else {
            return answer(
                Problem(
                    .badRequest, "the body holds no readings; send JSON lines, a JSON array, or CSV with a header"),
                path)
        }
        if batch.eventCount == 0, let first = batch.rejects.first {
            return answer(
                Problem(
                    .badRequest,
                    "nothing in the body could be read: \(first.detail); \(summary.deadLettered) dead letter(s) "
                        + "were kept"), path)
        }
        return answer(summary)
    }

    private static func answer(_ problem: Problem, _ path: String) -> IngestAnswer {
        IngestAnswer(
            status: problem.status.code, contentType: "application/problem+json", body: problem.document(path))
    }

    private static func format(of request: Request) throws -> IngestFormat {
        // An empty one says as little as none.
        guard let type = request.headers[.contentType], !type.allSatisfy(\.isWhitespace) else { return .automatic }
        let essence = type.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        switch essence {
        case "application/json", "application/x-ndjson", "application/jsonl", "application/ndjson",
            "application/json-lines", "text/json":
            return .json
        case "text/csv", "application/csv": return .csv
        // What curl sends with --data-binary when nobody says otherwise.
        case "application/x-www-form-urlencoded", "application/octet-stream", "text/plain": return .automatic
        default:
            throw Problem(
                .unsupportedMediaType,
                "Content-Type '\(essence)' is not understood; use application/json, application/x-ndjson or text/csv")
        }
    }

    private static func answer(_ summary: DeliverySummary) -> IngestAnswer {
        var json = JSONWriter()
        json.object {
            $0.field("accepted", summary.stored + summary.late + summary.spooled)
            $0.field("late", summary.late)
            $0.field("duplicate", summary.duplicate)
            $0.field("dead_lettered", summary.deadLettered)
            if summary.spooled > 0 { $0.field("spooled", summary.spooled) }
            guard !summary.refusals.isEmpty else { return }
            $0.key("problems")
            $0.array { list in
                for refusal in summary.refusals {
                    list.object {
                        $0.field("reason", refusal.reason.rawValue)
                        $0.field("detail", refusal.detail)
                    }
                }
            }
        }
        return IngestAnswer(status: 202, contentType: "application/json; charset=utf-8", body: json.bytes)
    }
}
