internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import TocsinCore

/// What the store holds: events, anomalies, alarms, windows.
struct RecordRoutes {
    let store: any Store

    func add(to router: Router<BasicRequestContext>) {
        router.get("events/latest") { request, _ in
            let query = try QueryParameters(request, allowed: ["sensor_id", "limit", "offset"]).recordQuery()
            let events = try await store.events(query)
            return Response.json { $0.page(events, query) { $0.value($1) } }
        }
        router.get("anomalies/latest") { request, _ in
            let query = try QueryParameters(request, allowed: ["sensor_id", "limit", "offset"]).recordQuery()
            let anomalies = try await store.anomalies(query)
            return Response.json { $0.page(anomalies, query) { $0.value($1) } }
        }
        router.get("anomalies") { request, _ in
            let allowed: Set = ["sensor_id", "metric", "start_time", "end_time", "limit", "offset"]
            let query = try QueryParameters(request, allowed: allowed).recordQuery()
            let anomalies = try await store.anomalies(query)
            return Response.json { $0.page(anomalies, query) { $0.value($1) } }
        }
        router.get("alarms") { request, _ in
            let allowed: Set = ["state", "sensor_id", "start_time", "end_time", "limit", "offset"]
            let parameters = try QueryParameters(request, allowed: allowed)
            let query = try parameters.recordQuery()
            var state: Alarm.State?
            if let text = parameters.text("state") {
                guard let known = Alarm.State(rawValue: text) else {
                    throw Problem(.badRequest, "'state' is open or cleared, not '\(text)'", parameter: "state")
                }
                state = known
            }
            let alarms = try await store.alarms(query, state: state)
            return Response.json { $0.page(alarms, query) { $0.value($1) } }
        }
        router.get("windows") { request, _ in
            let allowed: Set = ["sensor_id", "metric", "start_time", "end_time", "limit", "offset"]
            let query = try QueryParameters(request, allowed: allowed).recordQuery()
            let windows = try await store.windows(query)
            return Response.json { $0.page(windows, query) { $0.value($1) } }
        }
    }
}

extension Response {
    /// A JSON answer written without intermediate objects.
    static func json(
        status: HTTPResponse.Status = .ok, _ body: (inout JSONWriter) -> Void
    ) -> Response {
        var writer = JSONWriter()
        body(&writer)
        return Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }
}

extension JSONWriter {
    mutating func page<Item>(
        _ items: [Item], _ query: RecordQuery, write: (inout JSONWriter, Item) -> Void
    ) {
        object {
            $0.key("items")
            $0.array { list in
                for item in items { write(&list, item) }
            }
            $0.field("limit", query.limit)
            $0.field("offset", query.offset)
        }
    }

    mutating func value(_ event: StoredEvent) {
        object {
            $0.field("sensor_id", event.sensor)
            $0.field("timestamp", event.time)
            $0.field("received", event.received)
            $0.field("source", event.source)
            $0.field("late", event.isLate)
            $0.key("readings")
            $0.object { readings in
                for reading in event.readings { readings.field(reading.metric, reading.value) }
            }
            $0.key("units")
            $0.object { units in
                for reading in event.readings {
                    if let unit = reading.unit { units.field(reading.metric, unit) }
                }
            }
        }
    }

    mutating func value(_ window: StoredWindow) {
        object {
            $0.field("sensor_id", window.sensor)
            $0.field("metric", window.metric)
            $0.field("start", window.start)
            $0.field("end", window.end)
            $0.key("statistics")
            $0.object { statistics in
                for (statistic, value) in zip(WindowStatistic.allCases, window.statistics) {
                    statistics.field(statistic.name, value)
                }
            }
            $0.field("score", window.score)
        }
    }
}
