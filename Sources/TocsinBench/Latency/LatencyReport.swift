internal import TocsinCore
internal import TocsinMeasure

/// What `LatencyBench` found.
public struct LatencyReport: Sendable {
    struct Server: Sendable {
        /// CPU seconds a second.
        var cores: Double
        var peakResidentBytes: Int64
    }

    private let settings: LatencySettings
    private let measurements: OpenLoop.Measurements
    private let server: Server?
    private static let quantiles: [(name: String, value: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1),
    ]

    init(_ settings: LatencySettings, _ measurements: OpenLoop.Measurements, server: Server?) {
        self.settings = settings
        self.measurements = measurements
        self.server = server
    }

    private var rows: [(name: String, key: String, histogram: HdrHistogram)] {
        [
            ("durable acknowledgement (202)", "acknowledgement", measurements.acknowledgement),
            ("verdict stored (anomaly event)", "verdict", measurements.verdict),
            ("readings event on /live", "live", measurements.live),
        ] + (settings.hasWebhook ? [("alarm at the webhook", "webhook", measurements.webhook)] : []) + [
            ("sender's own lateness", "lateness", measurements.lateness)
        ]
    }

    private var offered: String {
        settings.isIdle
            ? "one reading alone every 200 ms"
            : "\(Figure.decimal(settings.rate, digits: 0)) readings/s in batches of \(Figure.grouped(settings.batch)), "
                + "\(settings.connections) connections"
    }

    /// For people.
    public var text: String {
        var table = TextTable(["from the due time, ms, to"] + Self.quantiles.map(\.name) + ["count"])
        for row in rows {
            table.add(
                [row.name]
                    + Self.quantiles.map { quantile in
                        row.histogram.count == 0
                            ? "-"
                            : Figure.decimal(Double(row.histogram.value(atQuantile: quantile.value)) / 1e6, digits: 2)
                    } + [Figure.grouped(row.histogram.count)])
        }
        var lines = [
            Machine.current().line,
            "\(offered), \(Figure.decimal(settings.seconds, digits: 0)) s after "
                + "\(Figure.decimal(settings.warmUpSeconds, digits: 0)) s of warm-up; open loop, HdrHistogram", "",
            table.text, "",
            "An anomaly event is published when its verdict is durable: a reading far off, now and then, on a "
                + "trained sensor (\(Figure.grouped(measurements.spikes)) sent, warm-up included).",
        ]
        if settings.hasWebhook {
            lines.append("The webhook has an alarm when its whole request is there; it answers 204 at once.")
        }
        lines += [
            "Readings reach /live in the rhythm of server.live.interval.",
            "Sender: \(Figure.decimal(share * 100)) % of one core, on the same machine.",
        ]
        if let server {
            lines.append(
                "Server: \(Figure.decimal(server.cores, digits: 2)) cores, peak memory "
                    + Figure.bytes(server.peakResidentBytes) + ".")
        }
        if measurements.gaps > 0 { lines.append("/live had \(measurements.gaps) gaps.") }
        if measurements.refused > 0 {
            lines.append(
                "\(Figure.grouped(measurements.refused)) requests were refused, the first with "
                    + (measurements.firstRefusal ?? "?"))
        }
        return lines.joined(separator: "\n")
    }

    private var share: Double {
        measurements.wallNanoseconds > 0
            ? Double(measurements.cpuNanoseconds) / Double(measurements.wallNanoseconds) : 0
    }

    /// One JSON object and an end of line; latencies in milliseconds.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("latency", &$0)
            $0.field("is_idle", settings.isIdle)
            $0.field("rate", settings.isIdle ? 5 : settings.rate)
            $0.field("batch", settings.isIdle ? 1 : settings.batch)
            $0.field("connections", settings.connections)
            $0.field("seconds", settings.seconds)
            $0.field("requests", measurements.requests)
            $0.field("refused", measurements.refused)
            for row in rows {
                $0.key(row.key + "_ms")
                $0.object { figures in
                    figures.field("count", Int64(clamping: row.histogram.count))
                    figures.field("mean", row.histogram.mean / 1e6)
                    for quantile in Self.quantiles {
                        figures.field(quantile.name, Double(row.histogram.value(atQuantile: quantile.value)) / 1e6)
                    }
                }
            }
            $0.field("sender_cores", share)
            guard let server else { return }
            $0.field("server_cores", server.cores)
            $0.field("server_peak_resident_bytes", server.peakResidentBytes)
        }
        json.newline()
        return json.bytes
    }
}
