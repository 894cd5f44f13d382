internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import TocsinCore
internal import TocsinEngine
internal import TocsinSpool

/// How it is: health for orchestrators, overview and sensors for people, metrics for Prometheus.
struct StatusRoutes {
    let engine: Engine
    let overview: OverviewMonitor
    let desk: any AlertDesk

    func add(to router: Router<BasicRequestContext>) {
        addProbe("livez", to: router) { Response.json { $0.object { $0.field("status", "ok") } } }
        addProbe("readyz", to: router) { self.health(onlyReadiness: true) }
        addProbe("health", to: router) { self.health(onlyReadiness: false) }
        router.get("api/overview") { _, _ in
            Response.json { overview.write(to: &$0) }
        }
        router.get("sensors") { request, _ in
            let parameters = try QueryParameters(request, allowed: ["q", "limit", "offset"])
            let limit = try parameters.integer("limit", default: 100, in: 1...1000)
            let offset = try parameters.integer("offset", default: 0, in: 0...100_000_000)
            let page = engine.directory.sensors(search: parameters.text("q"), limit: limit, offset: offset)
            return Response.json {
                $0.object {
                    $0.key("items")
                    $0.array { list in
                        for sensor in page.items { list.value(sensor) }
                    }
                    $0.field("total", page.total)
                    $0.field("limit", limit)
                    $0.field("offset", offset)
                }
            }
        }
        router.get("metrics") { _, _ in
            let exposition = PrometheusExposition(engine: engine, overview: overview, alerts: desk.counts)
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: exposition.text)))
        }
    }

    /// Some monitors ask for the status alone.
    private func addProbe(
        _ path: RouterPath, to router: Router<BasicRequestContext>, _ answer: @escaping @Sendable () -> Response
    ) {
        router.get(path) { _, _ in answer() }
        router.head(path) { _, _ in answer().createHeadResponse() }
        router.refuse(allBut: [.get, .head], at: path)
    }

    /// 200 while input is taken, also when what the store refuses waits in the spool (`degraded`); 503 with the reason
    /// when it is not. `/readyz` also says no while draining.
    private func health(onlyReadiness: Bool) -> Response {
        let condition = engine.condition
        let isFine: Bool
        var status: String
        var reason: String?
        switch condition {
        case .running: (isFine, status) = (true, "ok")
        case .draining: (isFine, status) = (!onlyReadiness, "draining")
        case .spooling(let fault): (isFine, status, reason) = (true, "degraded", fault)
        case .stalled(let fault): (isFine, status, reason) = (false, "stalled", fault)
        }
        // A broker that is away keeps nothing from being taken in: it is said, and the process is not restarted for it.
        let connectors = overview.connectors.all
        let storeFails = reason != nil
        if status == "ok", let failing = connectors.first(where: { !$0.isHealthy }) {
            (status, reason) = ("degraded", "\(failing.kind) \(failing.name): \(failing.text)")
        }
        return Response.json(status: isFine ? .ok : .serviceUnavailable) {
            $0.object {
                $0.field("status", status)
                $0.field("version", tocsinVersion)
                $0.field("uptime_seconds", overview.uptime.seconds.rounded())
                if let reason { $0.field("reason", reason) }
                if let reason = overview.lake?.condition.reason { $0.field("lake_reason", reason) }
                $0.key("checks")
                $0.object {
                    $0.field("engine", status)
                    $0.field("store", storeFails ? "failing" : "ok")
                    if let spool = engine.spool {
                        $0.field("spool", spool.figures.condition == .working ? "ok" : "failing")
                    }
                    if let lake = overview.lake { $0.field("lake", lake.condition.word) }
                    for connector in connectors {
                        $0.field("\(connector.kind) \(connector.name)", connector.isHealthy ? "ok" : "failing")
                    }
                }
                guard !connectors.isEmpty else { return }
                $0.key("connectors")
                $0.array { list in for connector in connectors { list.value(connector) } }
            }
        }
    }
}

extension JSONWriter {
    mutating func value(_ sensor: SensorSnapshot) {
        object {
            $0.field("sensor_id", sensor.name)
            $0.field("zone", sensor.zone)
            $0.field("state", sensor.state.rawValue)
            $0.field("last_seen", sensor.lastSeen)
            $0.key("metrics")
            $0.array { list in
                for metric in sensor.metrics {
                    list.object {
                        $0.field("metric", metric.name)
                        $0.field("unit", metric.unit)
                        $0.field("value", metric.last.value)
                        $0.field("expected_low", metric.last.low)
                        $0.field("expected_high", metric.last.high)
                    }
                }
            }
            $0.field("alarms_open", sensor.alarmsOpen)
        }
    }
}
