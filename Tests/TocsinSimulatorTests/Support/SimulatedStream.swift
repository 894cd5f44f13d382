import Testing
import TocsinCore
import TocsinSimulator

/// A simulated stream as a test reads it: from its CSV form, with labels, by sensor.
struct SimulatedStream {
    struct Row {
        var sensor: String
        /// Event time as text, as written.
        var time: String
        var values: [Double]
        var isAnomalous: Bool
        var kind: String
    }

    var rows: [Row] = []
    var episodes: [InjectedEpisode] = []
    let metrics: [SimulatedMetric]

    init(_ settings: SimulatorSettings, events: Int, until limit: Timestamp = Simulator.latestTime) throws {
        var settings = settings
        settings.format = .csv
        settings.includeLabels = true
        settings.includeEventIDs = false
        metrics = settings.profile.metrics
        var simulator = try Simulator(settings)
        var bytes: [UInt8] = []
        episodes = simulator.next(into: &bytes, maxEvents: events, until: limit).episodes
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map {
            $0.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        rows = try lines.dropFirst().map { fields in
            let values = fields[2..<2 + metrics.count]
            return Row(
                sensor: fields[0], time: fields[1], values: try values.map { try number($0) },
                isAnomalous: fields[fields.count - 2] == "true", kind: fields[fields.count - 1])
        }
    }

    func rows(of sensor: String) -> [Row] { rows.filter { $0.sensor == sensor } }

    func index(of metric: String) throws -> Int { try #require(metrics.firstIndex { $0.name == metric }) }
}

func number(_ text: String) throws -> Double { try #require(Double(text)) }

/// The bytes of a stream, generated in pieces of the given number of events.
func bytes(_ settings: SimulatorSettings, events: Int, chunk: Int = .max) throws -> [UInt8] {
    var simulator = try Simulator(settings)
    var bytes: [UInt8] = []
    var left = events
    while left > 0 {
        let made = simulator.next(into: &bytes, maxEvents: min(chunk, left)).events
        if made == 0 { break }
        left -= made
    }
    return bytes
}

func text(_ settings: SimulatorSettings, events: Int) throws -> String {
    String(decoding: try bytes(settings, events: events), as: UTF8.self)
}

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

func deviation(_ values: [Double]) -> Double {
    let centre = mean(values)
    return mean(values.map { ($0 - centre) * ($0 - centre) }).squareRoot()
}
