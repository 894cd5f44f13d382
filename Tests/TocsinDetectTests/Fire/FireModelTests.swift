import Testing
import TocsinCore
import TocsinDetect

/// Recordings with fires of one kind: gas first, particles late and little.
enum FireForests {
    static func recordings(_ count: Int, fires: Bool = true) -> (rows: [Double], labels: [Bool], recordings: [Int]) {
        var rows: [Double] = []
        var labels: [Bool] = []
        var numbers: [Int] = []
        for number in 0..<count {
            var room = FireRoom(seed: UInt64(100 + number))
            for second in 0..<1500 {
                let age = fires && second >= 900 + number * 50 ? Double(second - 900 - number * 50) : 0
                rows += room.row(smoke: 0, gas: min(age * 10, 3000))
                labels.append(age > 0)
                numbers.append(number)
            }
        }
        return (rows, labels, numbers)
    }

    /// A model that gives nothing a probability.
    static func never() throws -> FireModel? {
        let width = FireDetector.featureNames.count
        let forest = try RandomForest.classifier(
            rows: Array(repeating: 0, count: 20 * width), names: FireDetector.featureNames,
            labels: Array(repeating: 0, count: 20), classes: 2, settings: .init(trees: 2), seed: 1
        ).forest
        return FireModel(forest: forest, threshold: 0.5)
    }
}

@Suite struct FireModelTests {
    @Test func aTrainedForestFindsWhatTheRulesDoNot() throws {
        let data = FireForests.recordings(6)
        let (model, report) = try FireModel.train(
            rows: data.rows, columns: FireRoom.names, labels: data.labels, recordings: data.recordings,
            settings: .init(trees: 40))
        #expect(report.onsets == 6 && report.foundInUnseenBlocks >= 5 && report.falseAlarms == 0)
        #expect(report.importances.first?.feature.contains("olatile") == true || !report.importances.isEmpty)
        #expect(report.falseAlarmsPerDayAtMost.isFinite && report.quietDays > 0.03)
        let again = try FireModel(saved: model.saved())
        #expect(again.threshold == model.threshold)
        // A seventh room.
        for candidate in [nil, model, again] {
            var detector = try #require(FireDetector(metrics: FireRoom.names, model: candidate))
            var room = FireRoom(seed: 55)
            var raised: [Int] = []
            for second in 0..<1500 {
                let result = detector.observe(
                    room.row(gas: second > 1000 ? Double(second - 1000) * 10 : 0), at: fireTime(second))
                if result.step == .raised {
                    raised.append(second)
                    #expect(result.cause == .forest && detector.explain()?.sentence.contains("forest") == true)
                }
            }
            #expect(
                candidate == nil ? raised.isEmpty : raised.count == 1 && (1000...1060).contains(raised[0]), "\(raised)")
        }
    }

    @Test func labelsThatTeachNoChangeAreRefused() throws {
        let quiet = FireForests.recordings(2, fires: false)
        #expect(throws: TocsinError.self) {
            try FireModel.train(
                rows: quiet.rows, columns: FireRoom.names, labels: quiet.labels, recordings: quiet.recordings)
        }
        #expect(throws: TocsinError.self) {
            try FireModel.train(rows: [1, 2], columns: ["temperature"], labels: [true, false], recordings: [0, 0])
        }
        #expect(throws: TocsinError.self) {
            try FireModel.train(rows: [1], columns: ["smoke", "co"], labels: [true], recordings: [0])
        }
    }

    @Test func damagedModelsAreRefused() throws {
        let saved = try #require(try FireForests.never()).saved()
        #expect(throws: TocsinError.self) { try FireModel(saved: Array(saved.dropLast())) }
        #expect(throws: TocsinError.self) { try FireModel(saved: []) }
        for place in stride(from: 0, to: saved.count, by: 97) {
            var damaged = saved
            damaged[place] ^= 0x41
            #expect(throws: TocsinError.self) { try FireModel(saved: damaged) }
        }
    }
}
