import Testing
import TocsinAlerts
import TocsinCore

@Suite struct SystemAlertTests {
    private let start = Timestamp(seconds: 1_760_000_000)

    private func run(_ alerts: inout SystemAlerts, _ values: [(Int64, (inout SystemAlerts.Figures) -> Void)])
        -> [String]
    {
        values.flatMap { seconds, set in
            var figures = SystemAlerts.Figures()
            set(&figures)
            return alerts.evaluate(figures, now: start.advanced(by: .seconds(seconds))).map {
                "\(seconds) \($0.step.rawValue) \($0.alarm.sensor) \($0.alarm.severity.rawValue)"
            }
        }
    }

    @Test func everyUsualLimitRaisesWithItsSeverity() {
        var alerts = SystemAlerts()
        let bad: (inout SystemAlerts.Figures) -> Void = { figures in
            figures.dataQuality = 0.69
            figures.anomalyRate = 0.11
            figures.completeness = 0.89
            figures.modelAccuracy = 0.69
            figures.responseSeconds = 5.1
            figures.drift = 0.11
            figures.components = ["kafka": false, "store": true]
        }
        #expect(run(&alerts, [(0, bad), (29, bad)]).isEmpty)
        #expect(
            run(&alerts, [(30, bad)]) == [
                "30 raised tocsin:data-quality critical", "30 raised tocsin:anomaly-rate warning",
                "30 raised tocsin:completeness info", "30 raised tocsin:response warning",
                "30 raised tocsin:model-accuracy critical", "30 raised tocsin:drift info",
                "30 raised tocsin:component/kafka critical",
            ])
        #expect(run(&alerts, [(60, bad), (90, bad)]).isEmpty)
    }

    @Test func aFigureThatSwingsAroundItsLimitDoesNotChatter() {
        var alerts = SystemAlerts()
        let at: (Double) -> (inout SystemAlerts.Figures) -> Void = { value in { $0.dataQuality = value } }
        let swing = (0..<200).map { (Int64($0 * 10), at($0 % 2 == 0 ? 0.69 : 0.71)) }
        // Never below for 30 s.
        #expect(run(&alerts, swing).isEmpty)
        let down = (200..<210).map { (Int64($0 * 10), at(0.6)) }
        #expect(run(&alerts, down).count == 1)
        // 0.71 is within the dead band: it stays raised.
        let near = (210..<300).map { (Int64($0 * 10), at($0 % 2 == 0 ? 0.69 : 0.71)) }
        #expect(run(&alerts, near).isEmpty)
        let good = (300..<310).map { (Int64($0 * 10), at(0.9)) }
        #expect(run(&alerts, good) == ["3060 cleared tocsin:data-quality critical"])
    }

    @Test func whatIsNotKnownChangesNothing() {
        var alerts = SystemAlerts()
        let down: (inout SystemAlerts.Figures) -> Void = { $0.components = ["mqtt": false] }
        #expect(run(&alerts, [(0, down), (30, down)]).count == 1)
        #expect(run(&alerts, [(60, { _ in }), (600, { $0.dataQuality = .nan })]).isEmpty)
        #expect(
            run(&alerts, [(700, { $0.components = ["mqtt": true] }), (760, { $0.components = ["mqtt": true] })]).count
                == 1)
    }

    @Test func aRestartedProcessClearsWhatTheOneBeforeHasRaised() {
        var before = SystemAlerts()
        var figures = SystemAlerts.Figures()
        figures.components = ["store": false]
        _ = before.evaluate(figures, now: start)
        let raised = before.evaluate(figures, now: start.advanced(by: .seconds(30)))
        var after = SystemAlerts(open: raised.map(\.alarm))
        figures.components = ["store": true]
        _ = after.evaluate(figures, now: start.advanced(by: .seconds(100)))
        let cleared = after.evaluate(figures, now: start.advanced(by: .seconds(160)))
        #expect(cleared.map(\.step) == [.cleared] && cleared.first?.alarm.id == raised.first?.alarm.id)
        #expect(cleared.first?.alarm.cleared == start.advanced(by: .seconds(100)))
    }

    @Test func aComponentThatIsGoneIsNotDown() {
        var alerts = SystemAlerts()
        let down: (inout SystemAlerts.Figures) -> Void = { $0.components = ["kafka plant": false, "store": true] }
        #expect(run(&alerts, [(0, down), (30, down)]).count == 1)
        #expect(
            run(&alerts, [(60, { $0.components = ["store": true] })]) == [
                "60 cleared tocsin:component/kafka plant critical"
            ])
        #expect(alerts.openAlarms.isEmpty)
    }

    @Test func oneAlarmStandsForATroubleAndAllEndWhenNobodyWatches() {
        var alerts = SystemAlerts()
        let down: (inout SystemAlerts.Figures) -> Void = { $0.components = ["store": false] }
        #expect(run(&alerts, [(0, down), (30, down)]).count == 1)
        var other = alerts.openAlarms[0]
        #expect(other.kind == .system && SystemAlerts.subject(other) == "component/store")
        var isTaken = alerts.adopt(other)
        #expect(isTaken)
        other.id = "00000000000000ff"
        isTaken = alerts.adopt(other)
        #expect(!isTaken)
        other.sensor = "tocsin:response"
        isTaken = alerts.adopt(other)
        #expect(isTaken)
        let ends = alerts.clearAll(now: start)
        #expect(ends.map(\.step) == [.cleared, .cleared] && ends.allSatisfy { $0.alarm.state == .cleared })
        #expect(alerts.openAlarms.isEmpty)
    }
}
