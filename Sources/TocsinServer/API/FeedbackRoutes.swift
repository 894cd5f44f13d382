internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import TocsinCore
internal import TocsinEngine

/// What people say of alarms: `POST /alarms/{id}/feedback`, and what was said.
struct FeedbackRoutes {
    let engine: Engine
    let store: any Store

    /// The body: `{"feedback": "false", "note": "door was open"}`.
    private struct Body: Decodable {
        var feedback: String
        var recurrence: String?
        var note: String?
    }

    func add(to router: Router<BasicRequestContext>) {
        router.post("alarms/:id/feedback") { request, context in
            try CrossSite.refuse(request, "answers are not taken from pages of other sites")
            let id = try context.parameters.require("id")
            guard let alarm = try await store.alarm(id: id) else {
                throw Problem(.notFound, "there is no alarm '\(id)'; GET /alarms lists them")
            }
            guard alarm.kind != .system else {
                throw Problem(.badRequest, "an alarm of the program itself teaches no detector; acknowledge it instead")
            }
            let body = try await RequestBody.decode(
                Body.self, of: request, fields: ["feedback", "recurrence", "note"],
                example: #"{"feedback": "real" | "false" | "expected"}"#)
            guard let word = FeedbackWord(rawValue: body.feedback) else {
                throw Problem(
                    .badRequest, "'feedback' is real, false or expected, not '\(body.feedback)'", parameter: "feedback")
            }
            let recurrence = try body.recurrence.map { text in
                guard let known = Recurrence(rawValue: text) else {
                    throw Problem(
                        .badRequest, "'recurrence' is weekly, daily or always, not '\(text)'", parameter: "recurrence")
                }
                return known
            }
            var feedback = Feedback(word, on: alarm, recurrence: recurrence, given: alarm.lastSeen)
            feedback.note = body.note.map { String($0.prefix(2000)) }
            _ = try await engine.take(feedback).wait()
            return Response.json(status: .accepted) { $0.value(feedback) }
        }
        router.get("feedback") { request, _ in
            let query = try QueryParameters(request, allowed: ["start_time", "limit", "offset"]).recordQuery()
            let all = try await store.feedback(since: query.start ?? Timestamp(nanoseconds: .min))
            let page = Array(all.reversed().dropFirst(query.offset).prefix(query.limit))
            return Response.json { $0.page(page, query) { $0.value($1) } }
        }
    }
}
