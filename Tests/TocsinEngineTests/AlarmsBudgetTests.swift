import Testing
import TocsinCore
import TocsinEngine

@Suite struct AlarmsBudgetTests {
    private let settings = AlarmSettings(flood: nil, budgetPerDay: 3)

    @Test func beyondTheBudgetWarningsAreSummarised() throws {
        var desk = AlarmDesk(settings: settings)
        var notices: [AlarmNotice] = []
        for hour in 0..<10 { notices += desk.take(AlarmScene.finding(at: Double(hour) * 3600)) }
        let raised = notices.filter { $0.isTold && $0.change.step == .raised }
        #expect(raised.count == 4)
        #expect(
            raised.last?.change.alarm.sentence
                == "budget of 3 alarms a day for pump_1 exceeded: 1 more on 1 sensor since "
                + "2025-10-09 03:00:00 UTC: drift of temperature of pump_1")
        #expect(desk.openAlarms.filter { $0.id.hasPrefix("s") }.first.map { desk.members(of: $0.id).count } == 7)
        // Another asset has its own; the next day it begins anew.
        #expect(desk.take(AlarmScene.finding(sensor: 2, at: 36_000)).last?.isTold == true)
        let next = desk.take(AlarmScene.finding(at: 86_400 + 60))
        #expect(next.last?.change.step == .raised && next.last?.isTold == true)
        #expect(next.contains { $0.change.step == .cleared && $0.change.alarm.cleared == AlarmScene.at(86_400) })
    }

    @Test func criticalOnesAreAlwaysToldAndCostNothing() {
        var desk = AlarmDesk(settings: settings)
        for hour in 0..<10 {
            let notices = desk.take(AlarmScene.finding(.range, at: Double(hour) * 3600))
            #expect(!notices.contains { !$0.isTold })
        }
        #expect(desk.take(AlarmScene.finding(at: 36_001)).last?.isTold == true)
    }

    @Test func aRuleMaySetItForSomeSensors() {
        var desk = AlarmDesk(settings: AlarmSettings(flood: nil))
        let strict = ResolvedRule(RuleFields(budgetPerDay: 0))
        let first = desk.take(AlarmScene.finding(at: 0), rule: strict)
        #expect(first.map(\.isTold) == [false, true])
        #expect(desk.take(AlarmScene.finding(sensor: 2, at: 0)).map(\.isTold) == [true])
    }

    private func verdict(
        _ score: Double, at hour: Double, sensor: String = "a", kind: AnomalyKind = .spike, of name: String = ""
    ) -> AlarmBudget.ScoredVerdict {
        AlarmBudget.ScoredVerdict(
            sensor: sensor, asset: sensor, sensorClass: name, kind: kind, time: AlarmScene.at(hour * 3600), score: score
        )
    }

    @Test func choosesTheLowestThresholdThatKeepsTheBudget() throws {
        // One asset with incidents of rising score each hour, for two days.
        let verdicts = (0..<48).map { verdict(0.5 + Double($0) / 100, at: Double($0)) }
        let report = try #require(AlarmBudget.tune(verdicts, perDay: 3, days: 2).first)
        #expect(report.alarmsBefore == 48 && report.alarmsAfter == 6)
        #expect(abs(report.threshold - 0.92) < 1e-9 && abs(report.strongestDropped - 0.91) < 1e-9)
        #expect(report.worstBefore == 24 && report.worstAfter == 3)
        #expect(report.dropped == [.spike: 42])
    }

    @Test func theBusiestAssetOfAClassDecidesAndClassesAreApart() {
        var verdicts = (0..<24).map { verdict(0.5 + Double($0) / 100, at: Double($0), sensor: "a", of: "pumps") }
        verdicts += (0..<2).map { verdict(0.6, at: Double($0), sensor: "b", of: "pumps") }
        verdicts += (0..<2).map { verdict(0.6, at: Double($0), sensor: "c", of: "fans") }
        verdicts += (0..<9).map { verdict(0.1, at: Double($0), sensor: "c", kind: .fire, of: "fans") }
        let reports = AlarmBudget.tune(verdicts, perDay: 3, days: 1)
        #expect(reports.map(\.sensorClass) == ["fans", "pumps"])
        #expect(reports[0].threshold == 0 && reports[0].strongestDropped.isNaN && reports[0].critical == 9)
        #expect(abs(reports[1].threshold - 0.71) < 1e-9 && reports[1].assets == 2)
    }

    @Test func groupsVerdictsAsTheBookDoes() {
        // Ten verdicts a minute apart are one incident; without those in the middle it is two.
        let scores = [0.9, 0.9, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.9, 0.9]
        let verdicts = scores.enumerated().map { verdict($0.element, at: Double($0.offset) / 12) }
        #expect(AlarmBudget.tune(verdicts, perDay: 1, days: 1).first?.threshold == 0)
        // At most none a day: above everything.
        let none = AlarmBudget.tune(verdicts, perDay: 0, days: 1).first
        #expect(none?.alarmsAfter == 0 && (none?.threshold ?? 0) > 0.9)
    }

    @Test func everyThresholdAgreesWithCountingAnew() {
        var random = SeededRow(seed: 7)
        let verdicts = (0..<400).map { _ in
            verdict(
                Double(random.next() % 40) / 40, at: Double(random.next() % 4800) / 100,
                sensor: "s\(random.next() % 3)", kind: random.next() % 2 == 0 ? .spike : .drift)
        }
        for perDay in [1.0, 3, 10, 40] {
            guard let report = AlarmBudget.tune(verdicts, perDay: perDay, days: 2).first else { continue }
            let kept = incidents(verdicts.filter { $0.score >= report.threshold })
            #expect(kept.values.reduce(0, +) == report.alarmsAfter)
            #expect(kept.values.allSatisfy { Double($0) <= perDay * 2 })
            // One step lower is too much.
            if report.threshold > 0 {
                let more = incidents(verdicts.filter { $0.score >= report.strongestDropped })
                #expect(more.values.contains { Double($0) > perDay * 2 })
            }
        }
    }

    /// By asset.
    private func incidents(_ verdicts: [AlarmBudget.ScoredVerdict]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for (_, list) in Dictionary(grouping: verdicts, by: { "\($0.sensor) \($0.kind)" }) {
            var last: Timestamp?
            for verdict in list.sorted(by: { $0.time < $1.time }) {
                if last.map({ verdict.time.since($0) > .minutes(15) }) ?? true {
                    counts[verdict.asset, default: 0] += 1
                }
                last = verdict.time
            }
        }
        return counts
    }
}

/// A seeded row of numbers.
struct SeededRow {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33)
    }
}
