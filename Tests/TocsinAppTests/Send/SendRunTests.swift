import Foundation
import Testing
import TocsinApp
import TocsinConfiguration
import TocsinCore
import TocsinSimulator

@Suite("recordings into a file")
struct SendRunTests {
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-send-\(UUID())")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }

        func path(_ name: String) -> String { url.appendingPathComponent(name).path }

        func write(_ name: String, _ text: String) throws -> String {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
            return path(name)
        }

        func lines(_ name: String) throws -> [String] {
            try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n").map(String.init)
        }
    }

    private let folder: Folder

    init() throws { folder = try Folder() }

    private func send(_ paths: [String], _ options: SendRun.Options, flags: [String: String] = [:]) async throws
        -> SendReport
    {
        let configuration = try ConfigurationLoader(file: nil, environment: [:], flags: flags).load().configuration
        let run = try SendRun(
            configuration: configuration, paths: paths, to: SinkSettings(address: folder.path("out")), options: options,
            obeysSignals: false)
        return try await run.run()
    }

    private func fast() -> SendRun.Options {
        var options = SendRun.Options()
        options.speed = 0
        return options
    }

    private func rows(_ count: Int) -> String {
        "ts,a\n" + (0..<count).map { "\(1_760_000_000 + $0),\($0)\n" }.joined()
    }

    @Test("every message once, in order, and the broken ones named")
    func all() async throws {
        let table = try folder.write("pump.csv", rows(3) + "1760000003,abc\n1760000004,4\n")
        let lines = try folder.write("more.json", #"{"sensor_id":"x","a":1}"# + "\nnonsense\n")
        let report = try await send([table, lines], fast())
        #expect(
            try folder.lines("out") == [
                #"{"sensor_id":"pump","ts":1760000000,"a":0}"#, #"{"sensor_id":"pump","ts":1760000001,"a":1}"#,
                #"{"sensor_id":"pump","ts":1760000002,"a":2}"#, #"{"sensor_id":"pump","ts":1760000004,"a":4}"#,
                #"{"sensor_id":"x","a":1}"#,
            ])
        #expect(report.summary.progress.confirmed == 5)
        #expect(report.unreadable == 2)
        #expect(report.firstFault?.contains("Line 5") == true)
    }

    @Test("skip and limit cut the same sequence")
    func parts() async throws {
        let table = try folder.write("pump.csv", rows(10_000))
        _ = try await send([table], fast())
        let whole = try folder.lines("out")
        var options = fast()
        options.limit = 6000
        #expect(try await send([table], options).summary.progress.confirmed == 6000)
        var parts = try folder.lines("out")
        options = fast()
        options.skip = 6000
        _ = try await send([table], options)
        parts += try folder.lines("out")
        #expect(whole.count == 10_000)
        #expect(parts == whole)
    }

    @Test("a loop with new times repeats no event")
    func loop() async throws {
        let file = try folder.write(
            "x.json",
            (0..<3).map { #"{"event_id":"e\#($0)","sensor_id":"x","ts":\#(1_760_000_000 + $0),"a":1}"# + "\n" }.joined()
        )
        var options = fast()
        options.isLooped = true
        options.isRestamped = true
        options.limit = 8
        _ = try await send([file], options)
        let lines = try folder.lines("out")
        #expect(lines.count == 8)
        #expect(Set(lines.map { $0.split(separator: "\"")[3] }).count == 8)
        let times = lines.compactMap { $0.split(separator: "\"ts\":").last.flatMap { Double($0.prefix { $0 != "," }) } }
        #expect(times.count == 8 && zip(times, times.dropFirst()).allSatisfy(<))
        #expect(abs(Date().timeIntervalSince1970 - (times.last ?? 0)) < 600)
    }

    @Test("the pace is kept")
    func pace() async throws {
        let table = try folder.write("pump.csv", rows(3))
        var options = SendRun.Options()
        options.speed = 20
        let report = try await send([table], options)
        #expect(report.summary.progress.seconds >= 0.1)
        #expect(try folder.lines("out").count == 3)
    }

    @Test("what came before a damage is sent, and the damage told")
    func damaged() async throws {
        let table = try folder.write("a.csv", rows(2))
        await #expect(throws: TocsinError.self) { try await send([table, folder.path("missing.csv")], fast()) }
        let failure = try folder.write("cut.gz", "\u{1f}")
        let error = await #expect(throws: SendFailure.self) { try await send([table, failure], fast()) }
        #expect(error?.summary.progress.confirmed == 2)
        #expect(try folder.lines("out").count == 2)
    }

    @Test("the simulator's events arrive whole")
    func simulate() async throws {
        var settings = SimulatorSettings(profile: .plant, seed: 3)
        settings.format = .csv
        let run = try SimulateRun(
            settings: settings, pacing: .init(speed: 0, rate: 0, maxEvents: 5000),
            to: SinkSettings(address: folder.path("out")), episodesPath: nil, obeysSignals: false)
        let summary = try await run.run()
        #expect(summary.progress.confirmed == 5000)
        let lines = try folder.lines("out")
        #expect(lines.count == 5001)
        #expect(lines.first?.hasPrefix("event_id,") == true || lines.first?.hasPrefix("sensor_id,") == true)
    }
}
