import Foundation
import Testing
import TocsinApp
import TocsinChart
import TocsinCore

@Suite struct ExplanationTests {
    private func explain(
        _ store: ListStore, _ anomaly: Anomaly = PumpStory.anomalies[0]
    ) async throws -> Explanation {
        try await ExplanationBuilder(store: store).explain(.anomaly(anomaly))
    }

    @Test func theReadingsAroundAreUsedWhereTheStoreHasThem() async throws {
        let explanation = try await explain(PumpStory.store())
        let main = try #require(explanation.main)
        #expect(main.metric == "temperature")
        #expect(main.unit == "celsius")
        #expect(main.origin == .readings)
        #expect(explanation.view == PumpStory.time(150)...PumpStory.time(390))
        let parts = explanation.stretches
        #expect(parts.map(\.part) == [.before, .during, .after])
        #expect(parts.map(\.count) == [150, 1, 90])
        #expect(parts[1].mean == 95)
        #expect(parts[0].maximum == 90)
        #expect(parts[2].maximum < 21)
    }

    @Test func withoutReadingsTheWindowsServe() async throws {
        let explanation = try await explain(PumpStory.store(events: false))
        let main = try #require(explanation.main)
        #expect(main.origin == .windows(.seconds(10)))
        #expect(explanation.stretches.map(\.part) == [.before, .during, .after])
        #expect(explanation.stretches[1].maximum == 95)
        // The recording has 400 seconds: the empty rest of the half hour is cut off.
        #expect(explanation.view == PumpStory.time(0)...PumpStory.time(400))
    }

    @Test(arguments: [true, false])
    func whichMetricMovedFirstIsSaid(hasEvents: Bool) async throws {
        let explanation = try await explain(PumpStory.store(events: hasEvents))
        let moved = explanation.movements.filter(\.isRemarkable).map(\.metric)
        #expect(Set(moved) == ["temperature", "pressure"])
        let pressure = try #require(explanation.movements.first { $0.metric == "pressure" })
        #expect(pressure.distance < -4)
        #expect(explanation.firstMoved == "pressure moved first, 20 s before temperature.")
    }

    @Test func otherSensorsAreRankedAndTheirMovesCounted() async throws {
        let explanation = try await explain(PumpStory.store())
        let neighbours = try #require(explanation.neighbours)
        #expect(neighbours.statistic == .maximum)
        #expect(neighbours.count == 4)
        #expect(neighbours.rank == 1)
        #expect(neighbours.value == 95)
        #expect(neighbours.moved == 0)
        #expect(neighbours.movedOf == 4)
        #expect(neighbours.alsoFound == ["pump-2"])
        #expect(neighbours.times.count > 20)
    }

    @Test func withoutWindowsTheReadingsOfOthersServe() async throws {
        let neighbours = try #require(try await explain(PumpStory.store(windows: false)).neighbours)
        #expect(neighbours.statistic == nil)
        #expect(neighbours.count == 4)
        #expect(neighbours.rank == 1)
        #expect(neighbours.value == 95)
    }

    @Test func earlierOnesAndTheIncidentAreFound() async throws {
        let explanation = try await explain(PumpStory.store())
        #expect(explanation.earlier.map(\.id) == ["abcd000000000002"])
        #expect(explanation.alarm?.id == "00000000000000a1")
        #expect(explanation.alarmFindings == 2)
        #expect(Set(explanation.around.map(\.id)) == ["abcd000000000002", "1234000000000004"])
    }

    @Test func anAlarmIsExplainedByItsFirstFinding() async throws {
        let builder = ExplanationBuilder(store: PumpStory.store())
        let explanation = try await builder.explain(.alarm(PumpStory.alarm))
        #expect(explanation.anomaly.id == "abcd000000000002")
        var store = PumpStory.store()
        store.anomalyList = []
        let empty = ExplanationBuilder(store: store)
        let error = await #expect(throws: TocsinError.self) { try await empty.explain(.alarm(PumpStory.alarm)) }
        #expect(error?.message.contains("not in the store any more") == true)
    }

    @Test func theModelOfThatTimeIsNamed() async throws {
        var store = PumpStory.store()
        store.modelList = [100, 250, 350].enumerated().map { index, second in
            ModelRecord(
                name: "bank", version: index + 1, origin: .learned, created: PumpStory.time(second), format: "x/1",
                summary: "{}", data: [])
        }
        #expect(try await explain(store).model?.version == 2)
    }

    @Test func theTextSaysEverythingOnce() async throws {
        let text = try await explain(PumpStory.store()).text
        for part in [
            "temperature of pump-1 jumped to 95 °C", "abcd000000000001, spike", "found     2025-10-01 00:05:00 UTC",
            "0.97 of 1", "very unusual: about 1 in 50 million on normal data", "19 to 23 °C: 72 above",
            "████████████████████████████████ 80 %", "pressure moved first", "rank 1 of 5 from the top",
            "none of 4 others left its own past range", "1 × spike on temperature of pump-1 before this one",
            "1 × drift on pressure, the nearest 15 s before: 1234000000000004",
        ] {
            #expect(text.contains(part), "\(part) is missing in\n\(text)")
        }
    }

    @Test func whatPeopleSaidAndWhyNoAlarmCameIsTold() async throws {
        var store = PumpStory.store()
        store.alarmList[0].cause = "pressure of pump-1 fell first"
        var feedback = Feedback(.falseAlarm, on: store.alarmList[0], given: PumpStory.time(900))
        feedback.note = "cleaning"
        store.feedbackList = [feedback]
        var anomaly = PumpStory.anomalies[0]
        anomaly.note = "in maintenance"
        let text = try await explain(store, anomaly).text
        for part in [
            "in maintenance", "pressure of pump-1 fell first", "nothing was wrong: cleaning (2025-10-01 00:15:00 UTC)",
        ] {
            #expect(text.contains(part), "\(part) is missing in\n\(text)")
        }
    }

    @Test func theJSONIsOneObjectWithTheSameFigures() async throws {
        let explanation = try await explain(PumpStory.store())
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(explanation.json)) as? [String: Any])
        #expect(object["source"] as? String == "readings")
        #expect((object["anomaly"] as? [String: Any])?["id"] as? String == "abcd000000000001")
        #expect((object["neighbours"] as? [String: Any])?["rank"] as? Int == 1)
        #expect((object["stretches"] as? [[String: Any]])?.count == 3)
        #expect(object["earlier_count"] as? Int == 1)
    }

    @Test func aFindingOfWhichNothingIsKnownIsExplainedAllTheSame() async throws {
        var anomaly = PumpStory.anomaly("abcd000000000009", sensor: "ghost", metric: nil, kind: .multivariate)
        (anomaly.value, anomaly.expectedLow, anomaly.expectedHigh) = (.nan, .nan, .nan)
        (anomaly.score, anomaly.pValue, anomaly.contributions) = (.nan, .nan, [])
        let explanation = try await explain(ListStore(anomalyList: [anomaly]), anomaly)
        #expect(explanation.main == nil)
        #expect(explanation.text.contains("not calibrated"))
        #expect(explanation.chart().svg().hasSuffix("</svg>\n"))
        #expect(try JSONSerialization.jsonObject(with: Data(explanation.json)) is [String: Any])
    }

    @Test func timesAtTheEndsOfTimeDoNotTrap() async throws {
        for edge in [Int64.min, .max] {
            var anomaly = PumpStory.anomalies[0]
            anomaly.start = Timestamp(nanoseconds: edge)
            anomaly.time = Timestamp(nanoseconds: edge == .min ? .max : edge)
            let explanation = try await explain(PumpStory.store(), anomaly)
            #expect(!explanation.text.isEmpty)
            #expect(!explanation.chart().svg().isEmpty)
        }
    }

    @Test func thePictureIsTheSameEveryTime() async throws {
        let first = try await explain(PumpStory.store()).chart().svg()
        let second = try await explain(PumpStory.store()).chart().svg()
        #expect(first == second)
        for part in [
            "spike: temperature of pump-1", "temperature (°C)", "pressure (bar)", "spike 00:05:00", "expected then",
        ] {
            #expect(first.contains(part), "\(part)")
        }
    }
}
