import Testing
import TocsinCore
import TocsinDetect

@Suite struct FireDetectorTests {
    /// The seconds at which alarms are raised.
    private func alarms(
        seed: UInt64 = 1, seconds: Int = 3000, settings: FireSettings = FireSettings(),
        _ change: (Int) -> (smoke: Double, gas: Double, heat: Double)
    ) throws -> [Int] {
        var room = FireRoom(seed: seed)
        var detector = try #require(FireDetector(metrics: FireRoom.names, model: nil, settings: settings))
        return (0..<seconds).filter { second in
            let (smoke, gas, heat) = change(second)
            return detector.observe(room.row(smoke: smoke, gas: gas, heat: heat), at: fireTime(second)).step == .raised
        }
    }

    @Test func aQuietRoomIsQuietForADay() throws {
        #expect(try alarms(seconds: 86_400) { _ in (0, 0, 0) } == [])
    }

    @Test func aFireIsFoundWithinSeconds() throws {
        for seed in 1...5 as ClosedRange<UInt64> {
            let found = try alarms(seed: seed) { second in
                let age = Double(max(0, second - 2000))
                return (age, 20 * age, 0)
            }
            #expect(found.count == 1)
            #expect((2001...2015).contains(found.first ?? 0), "\(found)")
        }
    }

    @Test func oneKindOfEvidenceAloneIsNoFire() throws {
        #expect(try alarms { ($0 > 2000 ? 10 : 0, 0, 0) } == [])
        #expect(try alarms { (0, $0 > 2000 ? 2000 : 0, 0) } == [])
        #expect(try alarms { (0, 0, $0 > 2000 ? min(Double($0 - 2000) / 10, 8) : 0) } == [])
    }

    @Test func limitsHoldFromTheFirstReadingOnAndNoModelSilencesThem() throws {
        var detector = try #require(FireDetector(metrics: ["smoke", "temp_f"], model: nil))
        // The first reading alone may be a sensor's power-on value.
        #expect(detector.observe([0, 140], at: fireTime(0)).step == nil)
        let result = detector.observe([0, 140], at: fireTime(1))
        #expect(result.step == .raised && result.cause == .limit && result.score == 1)
        let why = try #require(detector.explain())
        #expect(why.metric == "temp_f" && abs(why.value - 60) < 1e-9 && why.sentence.contains("57"))
        #expect(why.expectedHigh == 57)
        // A model that has never seen a fire like it.
        let forest = try FireForests.never()
        var watched = try #require(FireDetector(metrics: FireRoom.names, model: forest))
        var room = FireRoom(seed: 2)
        var raised: FireAssessment?
        for second in 0..<1000 where raised == nil {
            let result = watched.observe(room.row(heat: second > 900 ? 40 : 0), at: fireTime(second))
            if result.step == .raised { raised = result }
        }
        #expect(raised?.cause == .limit)
    }

    @Test func theAlarmSaysWhyHoldsAndEnds() throws {
        var room = FireRoom(seed: 3)
        var detector = try #require(FireDetector(metrics: FireRoom.names, model: nil))
        var steps: [(Int, FireAssessment.Step)] = []
        for second in 0..<3000 {
            let burns = (1000..<1100).contains(second)
            let row = room.row(smoke: burns ? Double(second - 999) : 0, gas: burns ? 50 * Double(second - 999) : 0)
            let result = detector.observe(row, at: fireTime(second))
            if let step = result.step { steps.append((second, step)) }
            if result.step == .raised {
                let why = try #require(detector.explain())
                #expect(why.sentence.contains("rose from") && why.sentence.contains("TVOC"))
                #expect(abs(why.contributions.reduce(0) { $0 + $1.share } - 1) < 1e-9)
                #expect(
                    why.value > why.expectedHigh && why.expectedLow < why.expectedHigh || why.metric.hasPrefix("Raw"))
                let verdict = detector.verdict(result, sensor: SensorID(7), at: fireTime(second))
                #expect(
                    verdict?.kind == .fire && verdict?.reason == why.sentence && verdict?.detector == .fire
                        && verdict?.isContinuation == false && result.since <= fireTime(second))
            }
        }
        #expect(steps.first?.1 == .raised && steps.last?.1 == .cleared)
        #expect(steps.filter { $0.1 != .continued }.count == 2)
        // Held for five minutes after the last cause.
        #expect((1390...1520).contains(steps.last?.0 ?? 0))
    }

    @Test func sameReadingsGiveSameAnswersAcrossARestart() throws {
        var room = FireRoom(seed: 4)
        let rows = (0..<2000).map { room.row(smoke: $0 > 1500 ? 5 : 0, gas: $0 > 1500 ? 500 : 0) }
        for cut in [0, 1, 200, 1000, 1502, 1600] {
            var whole = try #require(FireDetector(metrics: FireRoom.names, model: nil))
            for second in 0..<cut { _ = whole.observe(rows[second], at: fireTime(second)) }
            var writer = StateWriter()
            whole.save(to: &writer)
            var other = try #require(FireDetector(metrics: FireRoom.names, model: nil))
            var reader = StateReader(writer.bytes)
            let isRestored = other.restore(from: &reader)
            #expect(isRestored && reader.isAtEnd)
            for second in cut..<2000 {
                #expect(
                    other.observe(rows[second], at: fireTime(second))
                        == whole.observe(rows[second], at: fireTime(second)))
            }
        }
    }

    @Test func damagedStateIsRefusedOrHarmless() throws {
        var detector = try #require(FireDetector(metrics: FireRoom.names, model: nil))
        var room = FireRoom(seed: 5)
        for second in 0..<400 { _ = detector.observe(room.row(), at: fireTime(second)) }
        var writer = StateWriter()
        detector.save(to: &writer)
        var random = SplitMix64(seed: 6)
        for round in 0..<2000 {
            var bytes = writer.bytes
            if round % 4 == 0 { bytes.removeLast(1 + random.next(below: bytes.count)) }
            for _ in 0..<(bytes.isEmpty ? 0 : 3) {
                bytes[random.next(below: bytes.count)] = UInt8(random.next(below: 256))
            }
            var damaged = try #require(FireDetector(metrics: FireRoom.names, model: nil))
            var reader = StateReader(bytes)
            _ = damaged.restore(from: &reader)
            for second in [400, 401, 402] { _ = damaged.observe(room.row(), at: fireTime(second)) }
            _ = damaged.explain()
        }
        var other = try #require(FireDetector(metrics: ["smoke", "co"], model: nil))
        var reader = StateReader(writer.bytes)
        let isRestored = other.restore(from: &reader)
        #expect(!isRestored)
    }

    @Test func valuesAndTimesOfAnyKindNeverTrap() throws {
        var detector = try #require(FireDetector(metrics: FireRoom.names, model: nil))
        let values = [Double.nan, .infinity, -.infinity, 1e308, -1e308, 0, -5, Double.leastNonzeroMagnitude]
        let times = [Int64.max, .min, 0, -1, .max, 1_000_000_000, 2_000_000_000, 600_000_000_000, .min, .max]
        for value in values {
            for time in times {
                let row = Array(repeating: value, count: 9)
                let result = detector.observe(row, at: Timestamp(nanoseconds: time))
                #expect((0...1).contains(result.score))
                _ = detector.explain()
            }
            _ = detector.observe([value], at: fireTime(5))
        }
        _ = detector.observe([], at: fireTime(6))
    }

    @Test func metricsSentOneByOneAreJoined() throws {
        var room = FireRoom(seed: 8)
        var detector = try #require(FireDetector(metrics: FireRoom.names, model: nil))
        var raised: [Int] = []
        for second in 0..<1500 {
            let row = room.row(smoke: second > 1200 ? 8 : 0, gas: second > 1200 ? 800 : 0)
            for metric in row.indices {
                var single = [Double](repeating: .nan, count: row.count)
                single[metric] = row[metric]
                if detector.observe(single, at: fireTime(second)).step == .raised { raised.append(second) }
            }
        }
        #expect(raised.count == 1 && (1201...1210).contains(raised.first ?? 0), "\(raised)")
    }
}

@Suite struct FireMetricsTests {
    @Test func fireSensorsAreRecognisedByTheirMetrics() throws {
        let smoke = try #require(FireMetrics.recognise(FireRoom.names))
        #expect(
            smoke.channels.map(\.role) == [
                .temperature, .humidity, .volatile, .carbonDioxide, .rawGas, .rawGas, .particleMass, .particleCount,
            ])
        #expect(FireMetrics.recognise(["co", "lpg", "smoke", "temp", "light", "motion"])?.channels.count == 4)
        #expect(FireMetrics.recognise(["pm2_5", "tvoc"]) != nil)
        #expect(FireMetrics.recognise(["attic/Smoke[%/ft]"])?.channels.first?.unit == "%/ft")
        for plain in [
            ["temperature", "humidity"], ["temperature", "co2"], ["pm2_5", "humidity"], ["co", "temperature"], [],
        ] {
            #expect(FireMetrics.recognise(plain) == nil, "\(plain)")
        }
    }

    @Test func unitsAreTakenFromTheNames() throws {
        for (name, value, limit) in [
            ("Temperature[F]", 140.0, true), ("temp_f", 130, false), ("temperature (K)", 335, true),
            ("temperature", 56, false), ("Smoke[%/ft]", 4, true), ("smoke[ppm]", 400, false),
            ("smoke [dB/m]", 0.6, true),
        ] {
            var detector = try #require(FireDetector(metrics: [name, "smoke_level"], model: nil))
            for second in 0..<3 { _ = detector.observe([value], at: fireTime(second)) }
            #expect((detector.explain() != nil) == limit, "\(name)")
        }
    }
}
