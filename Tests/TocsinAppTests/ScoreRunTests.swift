import Foundation
import Testing
import TocsinApp
import TocsinConfiguration
import TocsinCore
import TocsinJobs

@Suite final class ScoreRunTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-score-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func rows(_ count: Int, broken: Set<Int> = []) -> [String] {
        var state: UInt64 = 7
        return (0..<count).map { row in
            var sum = 0.0
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                sum += Double(state >> 11) / Double(1 << 53)
            }
            if broken.contains(row) { return "rubbish,,," }
            let value = row % 500 == 499 ? 90 : 20 + (sum - 6)
            return "\(1_760_000_000 + row),pump,\(value),\(value * 2)"
        }
    }

    private func score(
        _ lines: [String], detector: ScoringChoice = .byRow(.standard), values: [String] = ["temperature", "load"],
        group: String? = "device", header: String = "temperature,load"
    ) throws -> (lines: [String], summary: ScoreRun.Summary) {
        let input = folder.appendingPathComponent("in-\(UUID().uuidString).csv")
        let output = folder.appendingPathComponent("out-\(UUID().uuidString).csv")
        try (["ts,device,\(header)"] + lines).joined(separator: "\n").write(
            to: input, atomically: true, encoding: .utf8)
        let summary = try ScoreRun(
            .init(
                path: input.path, timeColumn: "ts", valueColumns: values, groupColumn: group, detector: detector,
                trainRows: 300, output: output.path)
        ).run()
        let text = try String(contentsOf: output, encoding: .utf8)
        return (text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init), summary)
    }

    @Test(arguments: ScoringChoice.names.filter { $0 != "fire" && $0 != "random-forest" })
    func neverLooksAhead(name: String) throws {
        let detector = try #require(ScoringChoice(name: name))
        let all = rows(1500)
        let whole = try score(all, detector: detector).lines
        let part = try score(Array(all.prefix(900)), detector: detector).lines
        #expect(whole.count == 1501)
        #expect(part.count == 901)
        #expect(Array(whole.prefix(901)) == part)
    }

    @Test func fireIsFoundByRowsOfASmokeSensor() throws {
        let columns = ["PM2.5", "TVOC"]
        let lines = (0..<1500).map { row in
            let burns = max(0, row - 1199)
            let flicker = Double(row % 7) / 50
            return
                "\(1_760_000_000 + row),kitchen,\(1 + flicker + Double(burns) * 20),\(100 + 10 * flicker + Double(burns) * 40)"
        }
        let fire = try #require(ScoringChoice(name: "fire"))
        let whole = try score(lines, detector: fire, values: columns, header: "PM2.5,TVOC").lines
        let found = whole.dropFirst().enumerated().filter { $0.element.hasSuffix(",1,fire") }.map(\.offset)
        #expect(found.first.map { (1200..<1215).contains($0) } == true)
        #expect(found.contains(1499))
        let part = try score(Array(lines.prefix(1210)), detector: fire, values: columns, header: "PM2.5,TVOC")
            .lines
        #expect(Array(whole.prefix(1211)) == part)
    }

    @Test func fireIsRefusedWhereNothingTellsOfIt() throws {
        let fire = try #require(ScoringChoice(name: "fire"))
        let none = #expect(throws: TocsinError.self) { try score(rows(10), detector: fire) }
        #expect(none?.message.contains("of no smoke or fire sensor") == true)
        let forest = try #require(ScoringChoice(name: "random-forest"))
        let untrained = #expect(throws: TocsinError.self) {
            try score(
                ["1760000000,a,1,20"], detector: forest, values: ["PM2.5", "TVOC"], header: "PM2.5,TVOC")
        }
        #expect(untrained?.message.contains("needs a trained model") == true)
    }

    @Test func findsTheSpikesAndNamesThem() throws {
        let (lines, summary) = try score(rows(1500))
        #expect(lines[0] == "time,score,p_value,is_anomaly,kind")
        for row in [499, 999, 1499] {
            let fields = lines[row + 1].split(separator: ",", omittingEmptySubsequences: false)
            #expect(fields[3] == "1", "row \(row): \(lines[row + 1])")
            #expect(fields[4] == "spike")
        }
        #expect(summary.anomalous <= 6)
        #expect(lines[1].hasPrefix("2025-10-09T08:53:20Z,"))
    }

    @Test func noveltyMarksTheFirstSpikeAndLittleElse() throws {
        let (lines, summary) = try score(rows(1500), detector: .byRow(.novelty))
        // The others are as high: what has been seen once is known.
        let fields = lines[500].split(separator: ",", omittingEmptySubsequences: false)
        #expect(fields[3] == "1", "\(lines[500])")
        #expect(summary.anomalous <= 12)
    }

    @Test func aDetectorOfTheJudgesLearnsFromTheFirstRowsAndFindsTheSpikes() throws {
        let (lines, summary) = try score(rows(1500), detector: .byRecording("windowed-gaussian"))
        #expect(lines[300].hasSuffix(",,,0,"), "the first 300 rows are learnt from: \(lines[300])")
        let fields = lines[500].split(separator: ",", omittingEmptySubsequences: false)
        #expect(fields[3] == "1" && fields[4] == "multivariate", "\(lines[500])")
        #expect(Double(fields[1]) ?? 0 >= 0.5)
        #expect((Double(fields[2]) ?? 1) < 0.01, "the earlier scores were lower: \(lines[500])")
        #expect(summary.anomalous >= 3)
    }

    @Test func aDetectorOfSeveralMetricsRefusesOne() {
        let error = #expect(throws: TocsinError.self) {
            try score(rows(400), detector: .byRecording("asset-chart"), values: ["load"])
        }
        #expect(error?.code == .usage)
    }

    @Test func unreadableRowsKeepTheirPlace() throws {
        let (lines, summary) = try score(rows(200, broken: [0, 50, 199]))
        #expect(lines.count == 201)
        #expect(lines[1] == ",,,0,")
        #expect(lines[51] == ",,,0,")
        #expect(lines[200] == ",,,0,")
        #expect(summary.unreadable == 3)
        #expect(!summary.problems.isEmpty)
    }

    @Test func aMissingColumnIsNamedWithThoseThatThereAre() {
        let error = #expect(throws: TocsinError.self) { try score(rows(10), values: ["pressure"]) }
        #expect(error?.description.contains("no column 'pressure'") == true)
        #expect(error?.description.contains("temperature") == true)
    }

    @Test func aTrainedModelScoresFromTheFirstRowAndOtherColumnsAreRefused() async throws {
        let input = folder.appendingPathComponent("train.csv")
        try (["ts,device,temperature,load"] + rows(1000)).joined(separator: "\n")
            .write(to: input, atomically: true, encoding: .utf8)
        let model = folder.appendingPathComponent("plant.forest").path
        _ = try await TrainRun(configuration: .defaults, from: .files([input.path]), to: .file(model)).run()
        let output = folder.appendingPathComponent("scored.csv")
        func score(_ values: [String]) throws -> ScoreRun.Summary {
            try ScoreRun(
                .init(
                    path: input.path, timeColumn: "ts", valueColumns: values, groupColumn: "device",
                    detector: .byRow(.forest),
                    trainRows: 300, modelPath: model, output: output.path)
            ).run()
        }
        #expect(try score(["temperature", "load"]).anomalous >= 2)
        let first = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")[1]
        #expect(!first.contains(",,"))
        #expect(throws: TocsinError.self) { try score(["load"]) }
    }
}
