import Testing
import TocsinCore
import TocsinDetect
import TocsinEngine

@Suite struct AlarmsRulesTests {
    @Test(arguments: [
        ("pump_*", "Pump_3", true), ("pump_*", "pump_", true), ("pump_*", "pum", false), ("*", "", true),
        ("p?mp", "pump", true), ("p?mp", "pmp", false), ("*_a*_b", "x_a_a1_b", true), ("*_a*_b", "x_a_b_c", false),
        ("", "", true), ("", "a", false), ("größe?", "GRÖSSE1", false), ("grö?e", "GRÖßE", true), ("a**b", "ab", true),
        ("*aaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
    ])
    func patternsMatchWholeNamesWithoutCase(pattern: String, name: String, matches: Bool) {
        #expect(NamePattern(pattern).matches(name) == matches)
    }

    @Test func laterRulesWinFieldByField() {
        let rules = AlarmRules(
            rules: [
                AlarmRule(fields: RuleFields(minimumDeviation: 1, onDelay: .seconds(10), deadBand: 2)),
                AlarmRule(sensor: "pump_*", fields: RuleFields(minimumDeviation: 5, severity: .critical)),
                AlarmRule(metric: "temp*", fields: RuleFields(direction: .up)),
                AlarmRule(sensorClass: "Hot", fields: RuleFields(onDelay: .seconds(1))),
            ], classes: [SensorClass(name: "hot", patterns: ["*_9"])])
        let pump = rules.resolve(sensor: "PUMP_3", metric: "temperature")
        #expect(pump.fields.minimumDeviation == 5)
        #expect(pump.onDelay == .seconds(10))
        #expect(pump.deadBand == 2)
        #expect(pump.fields.severity == .critical)
        #expect(pump.fields.direction == .up)
        let fan = rules.resolve(sensor: "fan_9", metric: "speed")
        #expect(fan.fields.minimumDeviation == 1)
        #expect(fan.onDelay == .seconds(1))
        #expect(fan.fields.direction == nil)
        // A finding on the whole sensor is not one on its temperature.
        #expect(rules.resolve(sensor: "pump_3", metric: nil).fields.direction == nil)
        #expect(AlarmRules().resolve(sensor: "x", metric: "y") == .standard)
    }

    @Test func handsItsPartToTheBank() {
        let rule = ResolvedRule(
            RuleFields(minimumDeviation: 3, direction: .down, kinds: [.spike, .multivariate]))
        let settings = rule.bankSettings(base: BankSettings(minimumRelativeDeviation: 0.5))
        #expect(settings.minimumDeviation == 3)
        #expect(settings.minimumRelativeDeviation == 0.5)
        #expect(settings.direction == .down)
        #expect(settings.enabledKinds == [.spike])
        #expect(ResolvedRule.standard.bankSettings(base: settings).direction == .down)
    }

    @Test func judgesVerdictsOfEveryDetector() {
        func admits(_ fields: RuleFields, _ finding: Finding) -> Bool { ResolvedRule(fields).admits(finding.verdict) }
        // 12 is 7 above the middle of 0 to 10.
        let up = AlarmScene.finding(.spike, at: 0, value: 12)
        #expect(admits(RuleFields(minimumDeviation: 7), up))
        #expect(!admits(RuleFields(minimumDeviation: 7.1), up))
        #expect(!admits(RuleFields(minimumRelativeDeviation: 1.5), up))
        #expect(!admits(RuleFields(direction: .down), up))
        #expect(admits(RuleFields(direction: .up), up))
        #expect(!admits(RuleFields(kinds: [.drift]), up))
        #expect(!admits(RuleFields(minimumScore: 0.7), up))
        let range = AlarmScene.finding(.range, at: 0, score: 0.1)
        #expect(admits(RuleFields(minimumScore: 0.7), range))
        #expect(!admits(RuleFields(kinds: []), range))
        #expect(admits(RuleFields(kinds: [], minimumScore: 1), AlarmScene.finding(.fire, at: 0)))
        let noBand = AlarmScene.finding(.stuck, at: 0, low: .nan, high: .nan)
        #expect(admits(RuleFields(minimumDeviation: 100, direction: .up), noBand))
    }

    @Test func saysWhichRuleIsWrong() {
        #expect(throws: TocsinError.self) {
            try AlarmRules(rules: [AlarmRule(sensorClass: "nowhere", fields: RuleFields())]).check()
        }
        #expect(throws: TocsinError.self) {
            try AlarmRules(rules: [AlarmRule(fields: RuleFields(onDelay: .seconds(-1)))]).check()
        }
        #expect(throws: TocsinError.self) {
            try AlarmRules(rules: [AlarmRule(fields: RuleFields(deadBand: .nan))]).check()
        }
        #expect(throws: TocsinError.self) {
            try AlarmRules(rules: [AlarmRule(fields: RuleFields(minimumScore: 2))]).check()
        }
        #expect(throws: Never.self) { try AlarmRules(rules: [AlarmRule(fields: RuleFields(budgetPerDay: 3))]).check() }
    }

    @Test func findsTheAssetOfASensor() {
        let names = AssetNames(groups: [.init(name: "press", patterns: ["hyd_*", "line_1/oil"])])
        #expect(names.asset(of: "HYD_7") == "press")
        #expect(names.asset(of: "line_1/oil") == "press")
        #expect(names.asset(of: "line_1/pump_3/inlet") == "line_1/pump_3")
        #expect(names.asset(of: "pump_3") == "pump_3")
        #expect(names.asset(of: "/x") == "/x")
    }
}
