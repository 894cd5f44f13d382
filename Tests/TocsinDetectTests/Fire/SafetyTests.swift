import Testing
import TocsinCore
import TocsinDetect

@Suite struct SafetyTests {
    private func time(_ seconds: Double) -> Timestamp { Timestamp(nanoseconds: Int64(seconds * 1e9)) }

    @Test func aFixedLimitHoldsFromTheFirstReadingOn() throws {
        var limits = SafetyLimits(metrics: ["Humidity[%]", "Temperature[C]"])
        #expect(limits.observe([99, 56.9], at: time(0)) == nil)
        let seen = limits.observe([99, 57], at: time(60))
        let violation = try #require(seen)
        #expect(violation.metric == "Temperature[C]" && violation.measured == 57 && violation.rule.kind == .above)
        #expect(violation.sentence.contains("57"))
        #expect(limits.observe([99, .infinity], at: time(61)) != nil)
        #expect(limits.observe([99, .nan], at: time(62)) == nil)
    }

    @Test func aRiseIsMeasuredOverAMinute() {
        // 8 K a minute stays silent, 9 K a minute does not, however often one reads.
        for seconds in [1.0, 5, 30, 90, 600] {
            for (perMinute, expected) in [(8.0, false), (9, true)] {
                var limits = SafetyLimits(metrics: ["temp"])
                var fired = false
                for step in 0..<(seconds > 60 ? 4 : Int(120 / seconds)) {
                    let now = Double(step) * seconds
                    let value = min(-200 + perMinute * now / 60, 56)
                    fired = limits.observe([value], at: time(now)) != nil || fired
                }
                #expect(fired == expected, "\(perMinute) every \(seconds) s")
            }
        }
    }

    @Test func aJumpOfParticlesIsNamedWithItsValue() throws {
        var limits = SafetyLimits(metrics: ["lab/PM2.5"])
        for second in 0..<100 { #expect(limits.observe([2 + Double(second % 3)], at: time(Double(second))) == nil) }
        // One reading may be broken: the second one counts.
        #expect(limits.observe([30], at: time(100)) == nil)
        let seen = limits.observe([31], at: time(101))
        let violation = try #require(seen)
        #expect(violation.rule.kind == .risePerMinute && violation.measured == 28)
        // Gone a minute after the value rests at the new level.
        for second in 102..<170 { _ = limits.observe([30], at: time(Double(second))) }
        #expect(limits.observe([30], at: time(170)) == nil)
    }

    @Test func aBrokenReadingIsNoFire() {
        // A dip to 0 °C and back, as real sensors send it now and then; a lone 200 °C.
        for seconds in [1.0, 5, 14, 30] {
            for broken in [0.0, 200] where seconds <= 10 || broken == 0 {
                var limits = SafetyLimits(metrics: ["temp"])
                for step in 0..<100 {
                    let value = step == 50 ? broken : 20
                    #expect(limits.observe([value], at: time(Double(step) * seconds)) == nil, "\(seconds) \(broken)")
                }
            }
        }
        // Whoever reads once in half a minute does not wait for another one.
        var slow = SafetyLimits(metrics: ["temp"])
        _ = slow.observe([20], at: time(0))
        #expect(slow.observe([200], at: time(30)) != nil)
    }

    @Test func theUnitMayHoldASlash() {
        var limits = SafetyLimits(metrics: ["lab/PM2.5 [µg/m³]"])
        _ = limits.observe([300], at: time(0))
        #expect(limits.observe([300], at: time(1))?.rule.kind == .above)
    }

    @Test func timesOfAnyKindNeverTrap() {
        var limits = SafetyLimits(metrics: ["temp", "co"])
        for nanoseconds in [Int64.max, .min, 0, .max, -1, 5_000_000_000, .min] {
            _ = limits.observe([1e308, -1e308], at: Timestamp(nanoseconds: nanoseconds))
        }
        #expect(limits.observe([], at: time(1)) == nil)
        #expect(!SafetyLimits(metrics: ["vibration"]).watchesAnything)
    }

    @Test func clocksAndCountersAreNeverFeatures() {
        for name in ["UTC", "CNT", "row", "index", "Timestamp", "id", "device_id", "Time (s)", "date"] {
            #expect(IdentifyingColumns.isNeverFeature(name), "\(name)")
        }
        for name in ["Temperature[C]", "humidity", "count_particles", "NC0.5", "fluid"] {
            #expect(!IdentifyingColumns.isNeverFeature(name), "\(name)")
        }
    }

    @Test func aFeatureThatTellsRecordingsApartIsNamed() {
        var random = SplitMix64(seed: 4)
        var rows: [Double] = []
        var recordings: [Int] = []
        for row in 0..<3000 {
            let recording = row / 1000
            recordings.append(recording)
            rows += [
                1000 + Double(recording * 7) + random.nextUnit(), random.nextUnit(),
                random.nextUnit() + Double(recording) * 0.1,
            ]
        }
        let found = IdentifyingColumns.find(rows: rows, names: ["pressure", "smoke", "mixed"], recordings: recordings)
        #expect(found.map(\.feature) == ["pressure"])
        #expect(found.first.map { $0.accuracy > 0.99 && $0.sentence.contains("pressure") } == true)
        #expect(
            IdentifyingColumns.find(rows: rows, names: ["a", "b", "c"], recordings: recordings.map { _ in 1 }) == [])
    }
}
