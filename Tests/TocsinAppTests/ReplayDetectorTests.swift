import Foundation
import Logging
import Testing
import TocsinApp
import TocsinConfiguration
import TocsinCore
import TocsinEngine

/// A recording judged by one detector alone, through the same rules and incidents as live.
@Suite final class ReplayDetectorTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-judges-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A reading every ten seconds, noise of one, three in a row far above from row 900 on, and one at 1,200.
    private func recording(_ metrics: [String], rows: Int = 1500, sensors: Int = 1) throws -> String {
        var state: UInt64 = 11
        var lines = ["ts,sensor_id,\(metrics.joined(separator: ","))"]
        for row in 0..<rows {
            for sensor in 0..<sensors {
                var sum = 0.0
                for _ in 0..<12 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    sum += Double(state >> 11) / Double(1 << 53)
                }
                let value = (900..<903).contains(row) || row == 1200 ? 80 : 20 + (sum - 6)
                let values = metrics.indices.map { "\(value * Double($0 + 1))" }.joined(separator: ",")
                lines.append("\(1_760_000_000 + 10 * row),pump\(sensor),\(values)")
            }
        }
        let file = folder.appendingPathComponent("in-\(UUID().uuidString).csv")
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    private func replay(
        _ path: String, _ options: ReplayOptions, change: (inout TocsinConfiguration) -> Void = { _ in }
    ) async throws -> (report: ReplayReport, anomalies: [Anomaly]) {
        var configuration = TocsinConfiguration.defaults
        configuration.data.directory = folder.appendingPathComponent("data-\(UUID().uuidString)").path
        change(&configuration)
        let found = Found()
        let run = try await ReplayRun(
            configuration: configuration, paths: [path], options: options, evaluatesLabels: false,
            usesSavedModels: false, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, progress: nil,
            observer: { found.add($0.anomalies) })
        return (try await run.run(), found.all)
    }

    @Test func everyNameStandsForADetector() {
        for name in ReplayDetector.names { #expect(ReplayDetector(name: name)?.name == name) }
        #expect(Set(ReplayDetector.names).count == ReplayDetector.names.count)
        #expect(Set(ScoringChoice.names).isSubset(of: ReplayDetector.names))
        #expect(ReplayDetector(name: "nosuch") == nil)
    }

    @Test(arguments: ["bank", "event-forest", "window-forest", "ensemble", "fire"])
    func aPartOfTheEngineSpeaksAlone(name: String) async throws {
        let detector = try #require(ReplayDetector(name: name))
        let (report, anomalies) = try await replay(
            recording(["temperature", "load", "smoke"]), ReplayOptions(detector: detector))
        let voices: [String: Set<String>] = [
            "bank": ["bank"], "event-forest": ["event-forest"], "window-forest": ["window-forest"],
            "ensemble": ["novelty", "asset-chart"], "fire": ["fire", "safety-limits"],
        ]
        #expect(report.detector == name)
        #expect(report.metrics.stored == 4500)
        let heard = Set(anomalies.map(\.detector.name))
        #expect(heard.isSubset(of: voices[name] ?? []), "\(heard)")
        if name == "bank" { #expect(anomalies.contains { $0.kind == .spike }) }
    }

    @Test(arguments: ["novelty", "shingle-clusters", "windowed-gaussian"])
    func aJudgeFindsTheEventAsOneIncident(name: String) async throws {
        let detector = try #require(ReplayDetector(name: name))
        let (report, anomalies) = try await replay(
            recording(["temperature"]), ReplayOptions(detector: detector, trainRows: 600))
        let event = 1_760_000_000 + 9000.0
        #expect(anomalies.contains { abs($0.time.seconds - event) <= 160 && $0.model == name }, "\(anomalies)")
        #expect(report.metrics.anomalies == UInt64(anomalies.count))
        #expect(report.alarmsTotal >= 1 && report.alarmsTotal <= anomalies.count)
        #expect(report.alarms.contains { $0.kind == .pattern && $0.metric == "temperature" })
    }

    @Test func theRulesHoldForAJudge() async throws {
        let options = ReplayOptions(detector: .judge("windowed-gaussian"), trainRows: 600)
        let path = try recording(["temperature"])
        let (report, _) = try await replay(path, options) { $0.alarms.onDelay = .days(1) }
        #expect(report.alarmsTotal == 0)
    }

    @Test func aJudgeOfSeveralMetricsSaysWhomItCannotJudge() async throws {
        let options = ReplayOptions(detector: .judge("asset-chart"), trainRows: 600)
        let (report, anomalies) = try await replay(recording(["temperature", "load"], sensors: 2), options)
        #expect(anomalies.allSatisfy { $0.kind == .multivariate && $0.metric == nil })
        #expect(report.notes == ["fitted on the first 600 rows of each sensor"])
        await #expect(throws: TocsinError.self) { try await self.replay(self.recording(["temperature"]), options) }
        await #expect(throws: TocsinError.self) {
            try await self.replay(self.recording(["temperature", "load"], rows: 500), options)
        }
    }

    @Test func aModelIsAskedForWhereItIsNeededAndRefusedWhereItIsNot() async throws {
        let path = try recording(["temperature", "smoke"], rows: 100)
        for options in [
            ReplayOptions(detector: .engine(.randomForest)),
            ReplayOptions(detector: .judge("forest"), models: [path]), ReplayOptions(models: [path]),
        ] {
            await #expect(throws: TocsinError.self) { try await self.replay(path, options) }
        }
    }

    @Test func picturesShowEverySensorWithItsIncidents() async throws {
        let plots = folder.appendingPathComponent("plots").path
        let (report, _) = try await replay(
            recording(["temperature", "load"], sensors: 2), ReplayOptions(plots: plots))
        #expect(report.pictures == 2)
        let names = try FileManager.default.contentsOfDirectory(atPath: plots).sorted()
        #expect(names == ["pump0.svg", "pump1.svg"])
        let picture = try String(contentsOfFile: plots + "/pump0.svg", encoding: .utf8)
        for word in ["temperature", "load", "expected", "incident", "spike"] {
            #expect(picture.contains(word), "\(word) is not in the picture")
        }
    }
}

private final class Found: @unchecked Sendable {
    private let lock = NSLock()
    private var anomalies: [Anomaly] = []
    func add(_ more: [Anomaly]) { lock.withLock { anomalies += more } }
    var all: [Anomaly] { lock.withLock { anomalies } }
}
