internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import TocsinCore
internal import TocsinEngine

/// `GET /live`: server-sent events (WHATWG HTML, section 9.2) with ids, resume by `Last-Event-ID` and heartbeats.
struct LiveRoutes {
    let hub: LiveHub
    let table: SeriesTable
    /// Sensors whose readings one screen may follow.
    private static let sensorLimit = 64

    func add(to router: Router<BasicRequestContext>) {
        router.get("live") { request, _ in
            let parameters = try QueryParameters(request, allowed: ["sensor_id", "last_event_id"])
            let names = parameters.all("sensor_id")
            guard names.count <= Self.sensorLimit else {
                throw Problem(
                    .badRequest, "at most \(Self.sensorLimit) 'sensor_id' can be followed at once",
                    parameter: "sensor_id")
            }
            let lastEventID = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
            let resumeFrom = lastEventID ?? parameters.text("last_event_id")
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
                ],
                body: .init { writer in
                    // Not before: when the client has gone already, this is never run, and nothing is left behind.
                    let subscription = hub.subscribe(sensors: names, table: table, lastEventID: resumeFrom)
                    defer { hub.unsubscribe(subscription) }
                    try await send(subscription, to: &writer)
                    try await writer.finish(nil)
                })
        }
    }

    private func send(_ subscription: LiveSubscription, to writer: inout any ResponseBodyWriter) async throws {
        let generation = String(hub.generation, radix: 16)
        // The browser waits this long before it reconnects.
        try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
        while let events = await subscription.next() {
            var buffer = ByteBuffer()
            // A comment line: keeps proxies from closing a quiet connection, and finds dead peers.
            if events.isEmpty { buffer.writeString(": heartbeat\n\n") }
            for event in events {
                if let id = event.id { buffer.writeString("id: \(generation)-\(id)\n") }
                buffer.writeString("event: \(event.name)\ndata: ")
                buffer.writeBytes(event.data)
                buffer.writeString("\n\n")
            }
            try await writer.write(buffer)
        }
    }
}
