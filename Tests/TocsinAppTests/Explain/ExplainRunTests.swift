import Foundation
import Logging
import Testing
import TocsinApp
import TocsinConfiguration
import TocsinCore
import TocsinSimulator

/// From a recording through the engine and the store to an explanation.
@Suite final class ExplainRunTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    private var configuration = TocsinConfiguration.defaults

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        configuration.data.directory = folder.appendingPathComponent("data").path
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func replay(storesEvents: Bool, events: Int) async throws {
        var simulator = try Simulator(SimulatorSettings(profile: .plant))
        var bytes: [UInt8] = []
        simulator.next(into: &bytes, maxEvents: events)
        let file = folder.appendingPathComponent("recording.json")
        try Data(bytes).write(to: file)
        configuration.store.storeEvents = storesEvents
        let run = try await ReplayRun(
            configuration: configuration, paths: [file.path], evaluatesLabels: false, usesSavedModels: false,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, progress: nil)
        _ = try await run.run()
    }

    @Test(arguments: [true, false])
    func theNewestFindingOfAReplayIsExplained(storesEvents: Bool) async throws {
        try await replay(storesEvents: storesEvents, events: 3000)
        let run = ExplainRun(configuration: configuration)
        let newest = try #require(try await run.list(limit: 3).first)
        let explanation = try await run.explain(id: nil)
        #expect(explanation.anomaly.id == newest.id)
        #expect((explanation.main?.origin == .readings) == storesEvents)
        #expect(explanation.stretches.count >= 2)
        #expect(explanation.text.contains(newest.id))
        #expect(try await run.explain(id: String(newest.id.prefix(12))).anomaly.id == newest.id)
        let alarm = try #require(newest.alarmID)
        #expect(try await run.explain(id: alarm).alarm?.id == alarm)
    }

    @Test func aFolderWithoutAStoreIsNamed() async {
        let error = await #expect(throws: TocsinError.self) {
            try await ExplainRun(configuration: configuration).explain(id: nil)
        }
        #expect(error?.code == .usage)
        #expect(error?.place == configuration.storePath)
        #expect(error?.remedy?.contains("--data-dir") == true)
        #expect(!FileManager.default.fileExists(atPath: configuration.storePath))
    }
}
