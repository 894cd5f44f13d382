import Foundation
import Logging
import Testing
import TocsinApp
import TocsinConfiguration
import TocsinCore
import TocsinStore

/// A letter goes only when everything that it stands for is in, and stays as it was otherwise.
@Suite final class DeadLetterBoxTests {
    private let folder: URL
    private var configuration = TocsinConfiguration.defaults
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let start: Int64 = 1_759_276_800

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-box-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        configuration.data.directory = folder.appendingPathComponent("data").path
        configuration.store.storeEvents = true
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func feed(_ name: String, _ lines: [String]) async throws {
        let file = folder.appendingPathComponent(name)
        try (lines.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
        let run = try await ReplayRun(
            configuration: configuration, paths: [file.path], evaluatesLabels: false, usesSavedModels: false,
            logger: logger, progress: nil)
        _ = try await run.run()
    }

    private func letters() async throws -> [DeadLetter] {
        try await DeadLetterBox(configuration: configuration).list(reason: nil, limit: 100, offset: 0)
    }

    /// What a letter is, without what a list adds.
    private func identities(_ letters: [DeadLetter]) -> [String] {
        letters.map { "\($0.id) \($0.reason) \($0.position) \($0.readings) \($0.detail)" }.sorted()
    }

    private func replay(_ reason: DeadLetterReason? = nil) async throws -> [Int] {
        let outcome = try await DeadLetterBox(configuration: configuration).replay(
            ids: nil, reason: reason, logger: logger)
        return [outcome.sent, outcome.accepted, outcome.refused]
    }

    private func readings(of metric: String, second: Int64) async throws -> [Double] {
        let store = try SQLiteStore(
            path: configuration.storePath, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        let events = try await store.events(RecordQuery(metric: metric, limit: 1000))
        try await store.close()
        var values: [Double] = []
        for event in events where event.time == Self.time(second) {
            for reading in event.readings where reading.metric == metric { values.append(reading.value) }
        }
        return values
    }

    private static func time(_ second: Int64) -> Timestamp {
        Timestamp(nanoseconds: (start + second) * 1_000_000_000)
    }

    private func rows(_ count: Int, with extra: [Int: String]) -> [String] {
        (0..<count).map { extra[$0] ?? "pump,\(Self.start + Int64($0)),\(20 + $0 % 3),50" }
    }

    @Test func rowsThatAreRefusedAgainStayAsTheyAre() async throws {
        let extra = [
            5: "pump,\(Self.start + 5),20,abc", 10: "pump,never,20,50", 15: "pump,\(Self.start + 15),500,50",
            20: "pump,\(Self.start + 999_999_999),20,50", 25: "pump,20",
        ]
        try await feed("table.csv", ["sensor_id,timestamp,temperature,humidity"] + rows(40, with: extra))
        let before = identities(try await letters())
        #expect(before.count == 5)
        for _ in 0..<2 {
            #expect(try await replay() == [5, 0, 5])
            #expect(identities(try await letters()) == before)
        }
        configuration.input.validRanges["temperature"] = -50...600
        #expect(try await replay() == [5, 1, 4])
        #expect(try await readings(of: "temperature", second: 15) == [500])
        #expect(Set(try await letters().map(\.reason)) == [.notANumber, .badTime, .future, .malformed])
    }

    @Test func textWhereANumberBelongsIsNotIn() async throws {
        func line(_ second: Int64, _ humidity: String) -> String {
            #"{"sensor_id":"pump","timestamp":\#(Self.start + second),"temperature":20,"humidity":\#(humidity)}"#
        }
        try await feed("lines.json", (0..<10).map { line($0, $0 == 7 ? #""abc""# : "50") })
        #expect(try await letters().map(\.reason) == [.notANumber])
        #expect(try await replay() == [1, 0, 1])
        // No metric any more, by word of the user.
        configuration.input.mapping.ignore = ["Humidity"]
        #expect(try await replay() == [1, 1, 0])
        #expect(try await letters().isEmpty)
    }

    @Test func aRowWhoseTimeIsMendedKeepsItsLetterForTheTextInIt() async throws {
        configuration.input.mapping.timeFormat = .iso8601
        let good = (0..<10 as Range<Int64>).map { "pump,\(Self.time($0).iso8601),20,50" }
        let bad = ["pump,\(Self.start + 20),20,abc", "pump,\(Self.start + 21),20,51"]
        try await feed("table.csv", ["sensor_id,timestamp,temperature,humidity"] + good + bad)
        #expect(try await letters().map(\.reason) == [.badTime, .badTime])
        configuration.input.mapping.timeFormat = .auto
        #expect(try await replay() == [2, 1, 1])
        #expect(try await letters().first?.payload.count(where: { $0 == UInt8(ascii: "c") }) == 1)
        #expect(try await readings(of: "humidity", second: 21) == [51])
    }

    @Test func windowsKeepTheirCountsWhenALetterIsAccepted() async throws {
        let extra = [15: "pump,\(Self.start + 15),500,50"]
        try await feed("table.csv", ["sensor_id,timestamp,temperature,humidity"] + rows(200, with: extra))
        func counts() async throws -> [Double] {
            let store = try SQLiteStore(
                path: configuration.storePath, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
            let windows = try await store.windows(RecordQuery(sensor: "pump", metric: "temperature", limit: 1000))
            try await store.close()
            return windows.sorted { ($0.start, $0.end) < ($1.start, $1.end) }.compactMap(\.statistics.first)
        }
        let before = try await counts()
        #expect(before.contains { $0 > 10 })
        configuration.input.validRanges["temperature"] = -50...600
        #expect(try await replay() == [1, 1, 0])
        #expect(try await counts() == before)
    }
}
