internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import TocsinCore
internal import TocsinEngine

/// What people do with alarms: `POST /alarms/{id}/acknowledge` and so on, the audit trail, and how well the alarms do.
struct AlarmRoutes {
    let engine: Engine
    let store: any Store
    let clock: any WallClock
    let shelveLimit: Span64
    let desk: any AlertDesk

    private static let longestText = 2000
    private static let longestName = 200

    /// The body of every action; all are optional but where an action needs one.
    private struct Body: Decodable {
        /// Who does it.
        var by: String?
        var comment: String?
        /// `assign`: who is to look after it; empty = nobody any more.
        var to: String?
        /// `shelve`: a duration such as `1h`, or its end.
        var `for`: String?
        var until: String?

        static let fields: Set = ["by", "comment", "to", "for", "until"]

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: AnyField.self)
            func text(_ name: String) throws -> String? {
                do {
                    return try fields.decodeIfPresent(String.self, forKey: AnyField(name))
                } catch {
                    throw Problem(.badRequest, "'\(name)' must be a text", parameter: name)
                }
            }
            by = try text("by")
            comment = try text("comment")
            to = try text("to")
            `for` = try text("for")
            until = try text("until")
        }
    }

    private struct AnyField: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func add(to router: Router<BasicRequestContext>) {
        for verb in AlarmAction.Verb.allCases {
            let word = verb.rawValue.replacing("_", with: "-")
            router.post(RouterPath("alarms/:id/\(word)")) { request, context in
                try await act(verb, on: context.parameters.require("id"), request)
            }
        }
        router.get("alarms/performance") { request, _ in try await performance(request) }
        router.get("alarms/actions") { request, _ in
            let query = try QueryParameters(request, allowed: ["start_time", "limit", "offset"]).recordQuery()
            let actions = try await store.alarmActions(
                alarmID: nil, since: query.start, limit: query.limit, offset: query.offset)
            return Response.json { $0.page(actions, query) { $0.value($1) } }
        }
        router.get("alarms/:id") { _, context in
            let alarm = try await alarm(context.parameters.require("id"))
            return Response.json { $0.value(alarm) }
        }
        router.get("alarms/:id/members") { request, context in
            let summary = try await alarm(context.parameters.require("id"))
            let query = try QueryParameters(request, allowed: ["limit", "offset"]).recordQuery()
            let members = try await members(of: summary).dropFirst(query.offset).prefix(query.limit)
            return Response.json { $0.page(Array(members), query) { $0.value($1) } }
        }
        router.get("alarms/:id/actions") { request, context in
            let id = try context.parameters.require("id")
            let query = try QueryParameters(request, allowed: ["limit", "offset"]).recordQuery()
            let actions = try await store.alarmActions(
                alarmID: id, since: nil, limit: query.limit, offset: query.offset)
            if actions.isEmpty { _ = try await alarm(id) }
            return Response.json { $0.page(actions, query) { $0.value($1) } }
        }
    }

    private func alarm(_ id: String) async throws -> Alarm {
        guard let alarm = try await store.alarm(id: id) else {
            throw Problem(.notFound, "there is no alarm '\(id)'; GET /alarms lists them")
        }
        return alarm
    }

    /// Of a summary, newest first; none of another alarm.
    private func members(of summary: Alarm) async throws -> [Alarm] {
        // A member may have begun before the summary did, never after it ended.
        var query = RecordQuery(start: summary.raised.advanced(by: Self.earliestMember), limit: 10_000)
        if summary.state == .cleared, let end = summary.cleared { query.end = end.advanced(by: .seconds(1)) }
        var members: [Alarm] = []
        while true {
            let page = try await store.alarms(query, state: nil)
            members += page.filter { $0.summary == summary.id }
            query.offset += page.count
            guard page.count == query.limit, query.offset < Self.mostAlarms else { return members }
        }
    }

    private static let earliestMember = Span64.days(-1)

    private func act(_ verb: AlarmAction.Verb, on id: String, _ request: Request) async throws -> Response {
        try CrossSite.refuse(request, "alarms are not touched by pages of other sites")
        let alarm = try await alarm(id)
        let body = try await RequestBody.decode(
            Body.self, of: request, fields: Body.fields, example: Self.example(verb))
        guard let person = Self.name(body.by), !person.isEmpty else {
            throw Problem(
                .badRequest,
                "'by' must say who does it, on one line of at most \(Self.longestName) characters", parameter: "by")
        }
        var text = body.comment.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        guard text?.utf8.count ?? 0 <= Self.longestText else {
            throw Problem(
                .badRequest,
                "'comment' is longer than \(Self.longestText) bytes: write less, or where more is to be read",
                parameter: "comment")
        }
        if text?.isEmpty == true { text = nil }
        var until: Timestamp?
        switch verb {
        case .comment:
            guard text != nil else {
                throw Problem(.badRequest, "'comment' is missing: what is to be noted", parameter: "comment")
            }
        case .assign:
            guard let to = Self.name(body.to) else {
                throw Problem(
                    .badRequest,
                    "'to' must name who looks after it, on one line of at most \(Self.longestName) characters; empty is "
                        + "nobody", parameter: "to")
            }
            text = to.isEmpty ? nil : to
        case .shelve: until = try shelveEnd(body)
        case .acknowledge, .unshelve, .outOfService, .inService: break
        }
        let action = AlarmAction(
            verb, on: alarm, person: person, text: text, until: until, given: alarm.lastSeen, wallTime: clock.now())
        desk.note(action)
        if alarm.kind == .system {
            try await desk.take(action, on: alarm)
        } else {
            _ = try await engine.take(action, on: alarm).wait()
        }
        // Where in the stream it counts from is known once it has its place: not while the store is away.
        let kept = try? await store.alarmActions(alarmID: id, since: nil, limit: 20, offset: 0)
            .first { $0.id == action.id }
        return Response.json(status: .accepted) { $0.value(kept ?? action, isPlaced: kept != nil) }
    }

    /// nil for what is missing or no name: too long, or of several lines.
    private static func name(_ text: String?) -> String? {
        guard let name = text?.trimmingCharacters(in: .whitespacesAndNewlines), name.count <= longestName,
            name.utf8.count <= longestText, name == name.printable
        else { return nil }
        return name
    }

    /// What a body of this verb looks like.
    private static func example(_ verb: AlarmAction.Verb) -> String {
        switch verb {
        case .comment: #"{"by": "Ida", "comment": "bearing is being changed"}"#
        case .assign: #"{"by": "Ida", "to": "Jo"}"#
        case .shelve: #"{"by": "Ida", "for": "2h"}"#
        case .acknowledge, .unshelve, .outOfService, .inService: #"{"by": "Ida", "comment": "on my way"}"#
        }
    }

    private func shelveEnd(_ body: Body) throws -> Timestamp {
        let now = clock.now()
        let end: Timestamp
        guard body.for == nil || body.until == nil else {
            throw Problem(
                .badRequest, "'for' and 'until' are two different wishes: send one of them", parameter: "until")
        }
        if let text = body.for {
            guard let span = Span64(text: text), span.nanoseconds > 0 else {
                throw Problem(.badRequest, "'for' is a duration such as 30m or 8h, not '\(text)'", parameter: "for")
            }
            end = now.advanced(by: span)
        } else if let text = body.until {
            guard let time = Timestamp(text: text), time > now else {
                throw Problem(
                    .badRequest, "'until' is a time to come such as 2026-10-01T10:00:00Z, not '\(text)'",
                    parameter: "until")
            }
            end = time
        } else {
            throw Problem(.badRequest, "send 'for' (30m, 8h) or 'until': nothing is shelved for ever", parameter: "for")
        }
        guard end <= now.advanced(by: shelveLimit) else {
            throw Problem(
                .badRequest,
                "an alarm can be shelved for \(Int(shelveLimit.seconds) / 3600) h at most (alarms.shelveLimit)",
                parameter: body.for == nil ? "until" : "for")
        }
        return end
    }

    /// EEMUA 191 and ISA-18.2 over a span of time: the last day unless said otherwise.
    private func performance(_ request: Request) async throws -> Response {
        var query = try QueryParameters(request, allowed: ["start_time", "end_time"]).recordQuery()
        let end = query.end ?? clock.now()
        let start = query.start ?? end.advanced(by: .days(-1))
        guard start < end else {
            throw Problem(.badRequest, "'end_time' is before 'start_time'", parameter: "end_time")
        }
        (query.start, query.end, query.limit) = (start, end, 10_000)
        var alarms: [Alarm] = []
        while true {
            let page = try await store.alarms(query, state: nil)
            alarms += page
            query.offset += page.count
            guard page.count == query.limit, alarms.count < Self.mostAlarms else { break }
        }
        let performance = AlarmPerformance(
            alarms, open: try await store.openAlarms(), from: start, to: end, now: end)
        return Response.json { $0.value(performance) }
    }

    private static let mostAlarms = 200_000
}
