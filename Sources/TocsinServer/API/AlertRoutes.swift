internal import HTTPTypes
internal import Hummingbird
internal import TocsinCore

/// The alerts on their way: `GET /alerts/channels`, `GET /alerts/dead`, and what is to become of dead letters.
struct AlertRoutes {
    let desk: any AlertDesk

    /// The body of both actions: `{"ids": [17]}` or `{"all": true}`, and perhaps a channel.
    private struct Body: Decodable {
        var ids: [UInt64]?
        var all: Bool?
        var channel: String?
    }

    func add(to router: Router<BasicRequestContext>) {
        router.get("alerts/channels") { _, _ in
            let counts = Dictionary(desk.counts.map { ($0.channel, $0) }) { first, _ in first }
            return Response.json { json in
                json.object {
                    $0.key("items")
                    $0.array { list in
                        for channel in desk.channels { list.value(channel, counts[channel.name]) }
                    }
                }
            }
        }
        router.get("alerts/dead") { request, _ in
            let parameters = try QueryParameters(request, allowed: ["channel", "limit", "offset"])
            let query = try parameters.recordQuery()
            let channel = parameters.text("channel")
            if let channel { try checkName(channel) }
            let all = desk.dead.filter { channel == nil || $0.channel == channel }
            let page = Array(all.reversed().dropFirst(query.offset).prefix(query.limit))
            return Response.json { json in
                json.object {
                    $0.key("items")
                    $0.array { list in for letter in page { list.value(letter) } }
                    $0.field("total", all.count)
                    $0.field("limit", query.limit)
                    $0.field("offset", query.offset)
                }
            }
        }
        router.post("alerts/dead/resend") { request, _ in
            try await act(request, "resent") { desk.resend($0, channel: $1) }
        }
        router.post("alerts/dead/discard") { request, _ in
            try await act(request, "discarded") { desk.discard($0, channel: $1) }
        }
    }

    private func act(
        _ request: Request, _ word: String, _ body: (Set<UInt64>?, String?) -> Int
    ) async throws -> Response {
        try CrossSite.refuse(request, "dead letters are not touched by pages of other sites")
        let wanted = try await RequestBody.decode(
            Body.self, of: request, fields: ["ids", "all", "channel"],
            example: #"{"ids": [17], "channel": "…"} or {"all": true}"#)
        // Neither by mistake: everything has to be asked for.
        guard (wanted.ids?.isEmpty == false) != (wanted.all == true) else {
            throw Problem(.badRequest, "send 'ids', as GET /alerts/dead lists them, or 'all': true", parameter: "ids")
        }
        if let channel = wanted.channel { try checkName(channel) }
        let count = body(wanted.ids.map(Set.init), wanted.channel)
        if count == 0, wanted.ids != nil {
            throw Problem(.notFound, "there is no such dead letter; GET /alerts/dead lists them", parameter: "ids")
        }
        return Response.json { $0.object { $0.field(word, count) } }
    }

    private func checkName(_ channel: String) throws {
        // Channels that are no longer configured may have letters too.
        guard !desk.channels.contains(where: { $0.name == channel }),
            !desk.dead.contains(where: { $0.channel == channel })
        else { return }
        throw Problem(
            .notFound, "there is no channel '\(channel.printable)'; GET /alerts/channels lists them",
            parameter: "channel")
    }
}

extension JSONWriter {
    fileprivate mutating func value(_ channel: AlertChannelRecord, _ counts: AlertCounts?) {
        object {
            $0.field("channel", channel.name)
            $0.field("waiting", channel.waiting)
            $0.field("held_back", channel.heldBack)
            $0.field("dead", channel.dead)
            $0.field("delivered", counts?.delivered ?? 0)
            $0.field("failed", counts?.failed ?? 0)
            $0.field("suppressed", counts?.suppressed ?? 0)
            $0.field("failures", channel.failures)
            $0.field("last_error", channel.lastError)
            $0.field("last_delivered", channel.lastDelivered)
            $0.field("rests_until", channel.restsUntil)
        }
    }

    fileprivate mutating func value(_ letter: DeadAlertRecord) {
        object {
            $0.field("id", Int64(clamping: letter.number))
            $0.field("channel", letter.channel)
            $0.field("recorded", letter.recorded)
            $0.field("given_up", letter.givenUp)
            $0.field("attempts", letter.attempts)
            $0.field("reason", letter.reason)
            $0.field("step", letter.change.step.rawValue)
            $0.key("alarm")
            $0.value(letter.change.alarm)
        }
    }
}
