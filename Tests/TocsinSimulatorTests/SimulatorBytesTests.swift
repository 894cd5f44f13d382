import Foundation
import Testing
import TocsinCore
import TocsinSimulator

@Suite struct SimulatorBytesTests {
    @Test(arguments: SimulatorProfile.allCases)
    func `equal settings give equal bytes, another seed other bytes`(_ profile: SimulatorProfile) throws {
        let settings = SimulatorSettings(profile: profile, seed: 5)
        let first = try bytes(settings, events: 20_000)
        #expect(try bytes(settings, events: 20_000) == first)
        #expect(try bytes(SimulatorSettings(profile: profile, seed: 6), events: 20_000) != first)
    }

    @Test(arguments: SimulatorProfile.allCases, SimulatorFormat.allCases)
    func `bytes and ground truth do not depend on chunks`(_ profile: SimulatorProfile, _ format: SimulatorFormat) throws
    {
        guard profile != .smoke || format != .narrow else { return }
        var settings = SimulatorSettings(profile: profile, seed: 9)
        settings.sensors = min(settings.sensors, 40)
        settings.format = format
        settings.includeLabels = true
        settings.anomalyRate = 0.3
        let whole = try bytes(settings, events: 5000)
        for size in [1, 7, 999] { #expect(try bytes(settings, events: 5000, chunk: size) == whole) }

        var once = try Simulator(settings)
        var paced = try Simulator(settings)
        var onceBytes: [UInt8] = []
        var pacedBytes: [UInt8] = []
        let end = settings.start.advanced(by: .seconds(900))
        let truth = once.next(into: &onceBytes, maxEvents: .max, until: end).episodes
        var pacedTruth: [InjectedEpisode] = []
        while paced.nextTime <= end {
            let limit = min(end, paced.nextTime.advanced(by: .milliseconds(1370)))
            pacedTruth += paced.next(into: &pacedBytes, maxEvents: .max, until: limit).episodes
        }
        #expect(pacedBytes == onceBytes)
        #expect(pacedTruth == truth)
    }

    @Test(arguments: SimulatorProfile.allCases)
    func `times never go back, and the chunk names the first and the last`(_ profile: SimulatorProfile) throws {
        let stream = try SimulatedStream(SimulatorSettings(profile: profile), events: 15_000)
        // Fractions are written only where needed; "Z" sorts after ".", so compare the parts.
        let keys = stream.rows.map { row in
            row.time.replacing("Z", with: "").split(separator: ".").map(String.init)
        }
        #expect(zip(keys, keys.dropFirst()).allSatisfy { !$1.lexicographicallyPrecedes($0) })
        var settings = SimulatorSettings(profile: profile)
        settings.format = .csv
        var simulator = try Simulator(settings)
        var output: [UInt8] = []
        let chunk = simulator.next(into: &output, maxEvents: 15_000)
        #expect(chunk.events == 15_000 && chunk.readings == 15_000 * profile.metrics.count)
        #expect(chunk.firstTime == settings.start)
        if profile != .smoke { #expect(chunk.lastTime?.iso8601 == stream.rows.last?.time) }
    }

    @Test func `the limit holds back what is not due`() throws {
        var settings = SimulatorSettings(profile: .plant)
        settings.anomalyRate = 0
        var simulator = try Simulator(settings)
        var output: [UInt8] = []
        let start = settings.start
        #expect(simulator.nextTime == start)
        #expect(simulator.next(into: &output, maxEvents: 9, until: start.advanced(by: .milliseconds(2399))).events == 1)
        #expect(simulator.nextTime == start.advanced(by: .milliseconds(2400)))
        #expect(simulator.next(into: &output, maxEvents: 9, until: start.advanced(by: .milliseconds(2399))).events == 0)
        #expect(simulator.next(into: &output, maxEvents: 9, until: start.advanced(by: .milliseconds(4800))).events == 2)
    }

    @Test func `the stream ends before the year 2262`() throws {
        var settings = SimulatorSettings(profile: .machine)
        settings.interval = .days(1)
        settings.start = Timestamp(nanoseconds: Simulator.latestTime.nanoseconds - Span64.days(10).nanoseconds)
        settings.anomalyRate = 0.9
        settings.injections = [Injection(.silence, duration: .days(300)...(.days(365)))]
        var simulator = try Simulator(settings)
        var output: [UInt8] = []
        let chunk = simulator.next(into: &output, maxEvents: .max)
        #expect(chunk.events <= 33)
        #expect(chunk.episodes.allSatisfy { $0.end <= Simulator.latestTime })
        #expect(simulator.next(into: &output, maxEvents: .max).events == 0)
    }

    @Test(arguments: SimulatorProfile.allCases, [SimulatorFormat.wide, .narrow])
    func `lines are JSON objects with exactly the promised keys`(_ profile: SimulatorProfile, _ format: SimulatorFormat)
        throws
    {
        guard profile != .smoke || format != .narrow else { return }
        var settings = SimulatorSettings(profile: profile, seed: 3)
        settings.format = format
        settings.anomalyRate = 0.2
        for labels in [false, true] {
            settings.includeLabels = labels
            var identifiers = Set<String>()
            let lines = try text(settings, events: 1000).split(separator: "\n")
            #expect(lines.count == 1000)
            for line in lines {
                let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                var keys: Set = ["sensor_id", profile == .smoke ? "UTC" : "timestamp"]
                if settings.includeEventIDs {
                    keys.insert("event_id")
                    let identifier = try #require(object["event_id"] as? String)
                    #expect(UUID(uuidString: identifier) != nil)
                    #expect(identifiers.insert(identifier).inserted)
                }
                if format == .narrow {
                    keys.formUnion(["metric", "value", "meta"])
                } else {
                    keys.formUnion(profile.metrics.map(\.name))
                }
                if profile == .smoke { keys.formUnion(["CNT", "Fire Alarm"]) }
                if labels {
                    keys.insert("anomaly_injected")
                    if try #require(object["anomaly_injected"] as? Bool) { keys.insert("anomaly_type") }
                }
                #expect(Set(object.keys) == keys)
            }
        }
    }

    @Test func `the documented forms, byte for byte`() throws {
        var settings = SimulatorSettings(profile: .fleet)
        settings.noiseFactor = 0
        settings.dailyFactor = 0
        settings.offsetFactor = 0
        settings.anomalyRate = 0
        settings.sensors = 42
        settings.staggersSensors = false
        #expect(
            try text(settings, events: 42).split(separator: "\n").last
                == #"{"sensor_id":"sensor_000042","timestamp":"2025-10-01T00:00:00Z","metric":"temperature","value":25.00,"#
                + #""meta":{"unit":"celsius","location":"zone_42"}}"#)
        settings = SimulatorSettings(profile: .plant)
        settings.noiseFactor = 0
        settings.dailyFactor = 0
        settings.offsetFactor = 0
        settings.anomalyRate = 0
        settings.includeEventIDs = false
        #expect(
            try text(settings, events: 2).split(separator: "\n").last
                == #"{"sensor_id":"sensor_2","timestamp":"2025-10-01T00:00:02.400Z","#
                + #""temperature":25.00,"humidity":50.00}"#)
    }

    @Test func `labels add fields and change nothing else`() throws {
        var settings = SimulatorSettings(profile: .machine)
        settings.anomalyRate = 0.3
        let bare = try text(settings, events: 4000)
        #expect(!bare.contains("anomaly"))
        settings.includeLabels = true
        let labelled = try text(settings, events: 4000)
        #expect(labelled.contains(#""anomaly_injected":true,"anomaly_type":""#))
        #expect(labelled.replacing(/,"anomaly_injected":(false|true,"anomaly_type":"[a-z]+")/, with: "") == bare)
    }

    @Test func `in the narrow form only the concerned metric is labelled`() throws {
        var settings = SimulatorSettings(profile: .machine)
        settings.format = .narrow
        settings.includeLabels = true
        settings.anomalyRate = 0.3
        settings.injections = [Injection(.spike)]
        var simulator = try Simulator(settings)
        var output: [UInt8] = []
        let truth = simulator.next(into: &output, maxEvents: 9000).episodes
        let labelled = String(decoding: output, as: UTF8.self).split(separator: "\n").filter { $0.contains("true") }
        #expect(labelled.count == truth.count)
        for (line, episode) in zip(labelled, truth.sorted { ($0.start, $0.sensor) < ($1.start, $1.sensor) }) {
            #expect(line.contains(try #require(episode.metric)) && line.contains(episode.start.iso8601))
        }
    }
}
