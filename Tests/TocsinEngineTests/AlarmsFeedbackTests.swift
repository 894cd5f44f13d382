import Testing
import TocsinCore
import TocsinEngine

@Suite struct AlarmsFeedbackTests {
    private let day = 86_400.0

    /// A desk that has raised one spike at the given time and was told what it is; the incident is long over.
    private func desk(_ words: FeedbackWord..., at seconds: Double = 0, score: Double = 0.6) throws -> AlarmDesk {
        var desk = AlarmDesk(settings: AlarmSettings(flood: nil))
        let raised = desk.take(AlarmScene.finding(.spike, at: seconds, score: score))
        let alarm = try #require(raised.last?.change.alarm)
        for word in words { _ = desk.take(Feedback(word, on: alarm, given: AlarmScene.at(seconds + 60))) }
        _ = desk.advance(to: AlarmScene.at(seconds + 3600))
        return desk
    }

    private func raises(
        _ desk: inout AlarmDesk, at seconds: Double, score: Double = 0.6, kind: AnomalyKind = .spike,
        metric: String = "temperature"
    ) -> Bool {
        let notices = desk.take(AlarmScene.finding(kind, metric: metric, at: seconds, score: score))
        return notices.contains { $0.change.step == .raised || $0.change.step == .reopened }
    }

    @Test func falseClosesTheIncidentAndEqualFindingsRaiseNoMore() throws {
        var desk = AlarmDesk()
        let alarm = try #require(desk.take(AlarmScene.finding(.spike, at: 0)).last?.change.alarm)
        let closed = desk.take(Feedback(.falseAlarm, on: alarm, given: AlarmScene.at(30)))
        #expect(closed.isApplied && closed.notices.map(\.change.step) == [.cleared])
        let again = desk.book(AlarmScene.finding(.spike, at: 40), rule: .standard, progress: AlarmScene.at(40))
        #expect(again.outcome == .heldBack(.calledFalse) && again.isNews)
        #expect(again.sentence == "finding 0.6 (no alarm: called false before)")
        #expect(desk.openCount == 0 && desk.counts.calledFalse == 1)
        // Odds of 0.6 are 1.5; 2.25 is the score 0.692.
        #expect(!raises(&desk, at: 50, score: 0.69))
        #expect(raises(&desk, at: 60, score: 0.70))
    }

    @Test func itConcernsOnlyThatKindAndMetric() throws {
        var desk = try desk(.falseAlarm)
        #expect(raises(&desk, at: day, kind: .drift))
        #expect(raises(&desk, at: day, metric: "pressure"))
        #expect(!raises(&desk, at: day))
    }

    @Test func theMarginGrowsIsBoundedAndFadesInThirtyDays() throws {
        var desk = try desk(.falseAlarm, .falseAlarm, .falseAlarm, .falseAlarm, .falseAlarm, .falseAlarm)
        let required = desk.feedback.requiredScore(
            sensor: "pump_1", metric: "temperature", kind: .spike, at: AlarmScene.at(60))
        // Never more than three times the odds: 4.5, the score 0.818.
        #expect(abs((required ?? 0) - 4.5 / 5.5) < 1e-9)
        #expect(!raises(&desk, at: 15 * day, score: 0.7))
        #expect(raises(&desk, at: 15 * day + 1, score: 0.76))
        #expect(!raises(&desk, at: 29.9 * day))
        #expect(raises(&desk, at: 30.1 * day))
    }

    @Test func realLowersItAgain() throws {
        var desk = try desk(.falseAlarm, .real)
        #expect(raises(&desk, at: day))
        // Weaker ones are still taken for false.
        var other = try self.desk(.falseAlarm, .real)
        #expect(!raises(&other, at: day, score: 0.5))
    }

    @Test func expectedHoldsBackTheSameHourOfTheWeek() throws {
        var desk = try desk(.expected, at: 3 * 3600)
        let hour = 3 * 3600.0
        #expect(!raises(&desk, at: 7 * day + hour + 1500))
        #expect(!raises(&desk, at: 14 * day + hour - 1500))
        #expect(desk.counts.expected == 2)
        #expect(raises(&desk, at: 15 * day + hour))
        #expect(raises(&desk, at: 21 * day + hour + 2000))
        // Clearly stronger than what was expected.
        #expect(raises(&desk, at: 28 * day + hour, score: 0.9))
    }

    @Test func aSecondDayMakesItDaily() throws {
        var desk = try desk(.expected, at: 3 * 3600)
        let alarm = try #require(
            desk.take(AlarmScene.finding(.spike, at: day + 3 * 3600 + 300)).last { $0.change.step == .raised }?.change
                .alarm)
        _ = desk.take(Feedback(.expected, on: alarm, given: AlarmScene.at(day + 4 * 3600)))
        for later in 2..<9 { #expect(!raises(&desk, at: Double(later) * day + 3 * 3600)) }
        #expect(raises(&desk, at: 9 * day + 6 * 3600))
    }

    @Test func whatDoesNotComeIsNoLongerExpected() throws {
        var desk = try desk(.expected)
        #expect(raises(&desk, at: 28 * day + 120))
        var kept = try self.desk(.expected)
        for week in 1..<10 { #expect(!raises(&kept, at: Double(week) * 7 * day)) }
    }

    @Test func realContradictsWhatWasExpected() throws {
        var desk = try desk(.expected, .real)
        #expect(raises(&desk, at: 7 * day))
    }

    @Test func alwaysIsAtAnyHour() throws {
        var desk = AlarmDesk()
        let alarm = try #require(desk.take(AlarmScene.finding(.spike, at: 0)).last?.change.alarm)
        _ = desk.take(Feedback(.expected, on: alarm, recurrence: .always, given: AlarmScene.at(30)))
        #expect(!raises(&desk, at: 100 * day + 7000))
        _ = desk.take(Feedback(.real, on: alarm, given: AlarmScene.at(101 * day)))
        #expect(raises(&desk, at: 102 * day))
    }

    @Test func fireAndRangeAreNeverHeldBack() throws {
        for kind in [AnomalyKind.fire, .range] {
            var desk = AlarmDesk()
            let alarm = try #require(desk.take(AlarmScene.finding(kind, at: 0)).last?.change.alarm)
            for word in [FeedbackWord.falseAlarm, .expected] {
                let taken = desk.take(Feedback(word, on: alarm, given: AlarmScene.at(30)))
                #expect(!taken.isApplied && taken.notices.isEmpty)
            }
            #expect(desk.openCount == 1)
            _ = desk.advance(to: AlarmScene.at(day))
            #expect(raises(&desk, at: day, kind: kind))
        }
    }

    @Test func theSameWordsMakeTheSameBook() throws {
        var words: [Feedback] = []
        var random = SeededRow(seed: 3)
        for index in 0..<200 {
            let start = AlarmScene.at(Double(random.next() % 100_000) * 10)
            words.append(
                Feedback(
                    word: FeedbackWord.allCases[random.next() % 3], alarmID: "\(index)",
                    sensor: "s\(random.next() % 4)", metric: random.next() % 2 == 0 ? "t" : nil,
                    kind: AnomalyKind.allCases[random.next() % 9], score: Double(random.next() % 100) / 100,
                    start: start, end: start.advanced(by: .seconds(300)), given: AlarmScene.at(Double(index) * 5000)))
        }
        func saved(_ book: FeedbackBook) -> [UInt8] {
            var writer = StateWriter()
            book.save(to: &writer)
            return writer.bytes
        }
        var whole = FeedbackBook()
        var cut = FeedbackBook()
        for word in words {
            whole.record(word)
            var next = FeedbackBook()
            var reader = StateReader(saved(cut))
            #expect(next.restore(from: &reader) && reader.isAtEnd)
            cut = next
            cut.record(word)
        }
        #expect(saved(whole) == saved(cut))
    }
}
