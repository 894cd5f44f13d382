import Foundation
import Logging
import Testing
import TocsinApp
import TocsinConfiguration
import TocsinCore
import TocsinEngine
import TocsinJobs
import TocsinSimulator

/// A simulated recording through everything: decoder, engine, store, evaluation.
@Suite struct ReplayRunTests {
    private func replay(_ settings: SimulatorSettings, events: Int) async throws -> ReplayReport {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-replay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var simulator = try Simulator(settings)
        var bytes: [UInt8] = []
        simulator.next(into: &bytes, maxEvents: events)
        let file = folder.appendingPathComponent("recording.json")
        try Data(bytes).write(to: file)
        var configuration = TocsinConfiguration.defaults
        configuration.data.directory = folder.appendingPathComponent("data").path
        let run = try await ReplayRun(
            configuration: configuration, paths: [file.path], evaluatesLabels: settings.includeLabels,
            usesSavedModels: false, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, progress: nil)
        return try await run.run()
    }

    @Test func injectedFaultsOfAMachineAreFound() async throws {
        var settings = SimulatorSettings(profile: .machine, seed: 3)
        settings.includeLabels = true
        settings.anomalyRate = 0.02
        settings.injections = [Injection(.spike, amplitude: 20...30)]
        let report = try await replay(settings, events: 15_000)
        let metrics = report.metrics
        #expect(metrics.received == 45_000)
        #expect(metrics.received == metrics.stored + metrics.late + metrics.duplicate + metrics.deadLettered)
        #expect(metrics.windows > 1000)
        let labels = try #require(report.labels)
        #expect(labels.episodes > 20)
        #expect(labels.recall > 0.8, "recall \(labels.recall)")
    }

    @Test func aCleanFleetStaysQuiet() async throws {
        var settings = SimulatorSettings(profile: .fleet, seed: 5)
        settings.sensors = 50
        settings.anomalyRate = 0
        settings.injections = []
        let report = try await replay(settings, events: 50_000)
        #expect(report.metrics.stored == 50_000)
        #expect(report.alarmsTotal <= 2, "\(report.table)")
    }

    @Test func theTableAndTheJSONSayTheSame() async throws {
        let report = try await replay(SimulatorSettings(profile: .plant), events: 2000)
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(report.json)) as? [String: Any])
        #expect(json["readings"] as? Int == 4000)
        #expect(report.table.contains("4,000"))
        #expect((json["anomalies"] as? [String: Int])?["spike"] ?? 0 > 100)
    }
}
