import Testing
import TocsinCore
import TocsinEngine

@Suite struct AlarmsFirstCauseTests {
    /// A bump that begins at a point, with a little seeded noise.
    private func bump(at point: Int, seed: UInt64, sign: Double = 1, count: Int = 120) -> [Double] {
        var random = SeededRow(seed: seed)
        return (0..<count).map { index in
            let age = Double(index - point)
            let signal = age < 0 ? 0 : age < 20 ? age : max(0, 40 - age)
            return sign * signal + Double(random.next() % 1000) / 1000
        }
    }

    private func onset(_ metric: String?, _ sensor: String, at seconds: Double, _ values: [Double] = [])
        -> FirstCause.Onset
    { FirstCause.Onset(sensor: sensor, metric: metric, time: AlarmScene.at(seconds), values: values) }

    @Test(arguments: [0, 1, 7, 40, -23]) func findsTheLagOfTwoSeries(lag: Int) throws {
        let fit = try #require(LaggedCorrelation(bump(at: 50, seed: 1), bump(at: 50 + lag, seed: 2)))
        #expect(abs(fit.lag - lag) <= 1)
        #expect(fit.correlation > 0.9)
    }

    @Test func oppositeMovesCorrelateToo() throws {
        let fit = try #require(LaggedCorrelation(bump(at: 40, seed: 1), bump(at: 50, seed: 2, sign: -1)))
        #expect(abs(fit.lag - 10) <= 1 && fit.correlation < -0.9)
    }

    @Test func whatDoesNotMoveTellsNothing() {
        #expect(LaggedCorrelation([Double](repeating: 0.1, count: 50), bump(at: 20, seed: 1)) == nil)
        #expect(LaggedCorrelation([1, 2, 3], [1, 2, 3]) == nil)
        #expect(LaggedCorrelation([Double](repeating: .nan, count: 50), bump(at: 20, seed: 1)) == nil)
    }

    @Test func onsetsClearlyApartDecide() throws {
        let cause = try #require(
            FirstCause.rank(onsets: [
                onset("flow", "pump_4", at: 160), onset("pressure", "pump_3", at: 40),
                onset("temperature", "pump_3", at: 0), onset("level", "tank", at: 200),
            ]))
        #expect(
            cause.sentence == "temperature of pump_3 moved first, pressure followed 40 s later, "
                + "flow of pump_4 2.7 min later, and 1 more")
        #expect(cause.followers.map(\.lag) == [40, 160, 200])
    }

    @Test func atTheSameOnsetTheValuesDecide() throws {
        // The detector noticed the pressure two seconds earlier, but the temperature moved first.
        let cause = try #require(
            FirstCause.rank(
                onsets: [
                    onset("pressure", "pump_3", at: 98, bump(at: 70, seed: 2)),
                    onset("temperature", "pump_3", at: 100, bump(at: 60, seed: 1)),
                ], step: .seconds(4)))
        #expect(cause.metric == "temperature")
        let follower = try #require(cause.followers.first)
        #expect(abs(follower.lag - 40) <= 4 && follower.correlation > 0.9)
        #expect(cause.sentence.hasPrefix("temperature of pump_3 moved first, pressure followed "))
    }

    @Test func theOrderOfTheInputDoesNotMatter() {
        let onsets = (0..<6).map {
            onset("m\($0)", "s\($0 % 2)", at: Double($0) * 3, bump(at: 30 + $0 * 5, seed: UInt64($0)))
        }
        let cause = FirstCause.rank(onsets: onsets)
        #expect(cause == FirstCause.rank(onsets: onsets.reversed()))
        #expect(cause?.metric == "m0" && cause?.followers.count == 5)
    }

    @Test func oneAloneHasNoCause() {
        #expect(FirstCause.rank(onsets: [onset("t", "s", at: 0)]) == nil)
        #expect(FirstCause.rank(onsets: []) == nil)
    }

    @Test func saysItInJSON() throws {
        let cause = try #require(FirstCause.rank(onsets: [onset("t", "a", at: 0), onset(nil, "b", at: 0)]))
        var json = JSONWriter()
        json.value(cause)
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"{"sensor_id":"a","metric":"t","time":"2025-10-09T00:00:00Z","followers":[{"sensor_id":"b","#
                + #""metric":null,"lag_seconds":0,"correlation":null}],"#
                + #""sentence":"t of a moved first, b at the same time"}"#)
    }
}
