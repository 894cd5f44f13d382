internal import TocsinCore
internal import TocsinEngine

/// The alarm desk's saved state (open incidents, feedback, flood and budget), with bytes changed, and findings, words and
/// time on what was accepted.
enum DeskTarget {
    private static let start = Timestamp(seconds: 1_759_968_000)

    static func run(_ input: [UInt8]) {
        var input = Input(input)
        let kind = Int(input.byte()) % bases.count
        var reader = StateReader(input.changed(bases[kind]))
        var desk = AlarmDesk()
        guard desk.restore(from: &reader) else { return }
        var progress = start
        for _ in 0..<32 where !input.isEmpty {
            let kind = input.byte()
            let time = kind & 8 == 0 ? Timestamp(nanoseconds: input.number()) : later(input.short())
            progress = max(progress, time)
            switch kind & 7 {
            case 0: _ = desk.advance(to: progress)
            case 1: _ = desk.clearSilence(of: SensorID(UInt32(input.byte() % 4)), at: time)
            case 2:
                let score = input.value()
                let word = feedback(desk.openAlarms.first?.id ?? "0", input.byte(), score, time, given: progress)
                _ = desk.take(word)
            default:
                let found = finding(input.byte(), at: time, score: input.value())
                _ = desk.book(found, rule: .standard, progress: progress)
            }
        }
        check(desk.openCount >= 0 && desk.pendingCount >= 0, "counts are counts")
        _ = desk.openAlarms.map { desk.members(of: $0.id) }
        var writer = StateWriter()
        desk.save(to: &writer)
        var again = StateReader(writer.bytes)
        var other = AlarmDesk()
        check(other.restore(from: &again) && again.isAtEnd, "a desk is restored as it was saved")
    }

    private static func later(_ seconds: Int) -> Timestamp { start.advanced(by: .seconds(Int64(seconds))) }

    private static func finding(_ choice: UInt8, at time: Timestamp, score: Double) -> Finding {
        let sensor = UInt32(choice % 16)
        let kind = AnomalyKind(rawValue: choice >> 4) ?? .drift
        let verdict = Verdict(
            sensor: SensorID(sensor), series: SeriesID(sensor), kind: kind, detector: .bank, start: time, time: time,
            value: 12, expectedLow: 0, expectedHigh: 10, score: score, pValue: 1e-8, isContinuation: choice % 3 == 0)
        return Finding(verdict: verdict, sensor: "pump_\(sensor)", metric: "flow", sentence: "flow is odd")
    }

    private static func feedback(
        _ alarm: String, _ choice: UInt8, _ score: Double, _ time: Timestamp, given: Timestamp
    ) -> Feedback {
        let words = FeedbackWord.allCases
        return Feedback(
            word: words[Int(choice) % words.count], alarmID: alarm, sensor: "pump_\(choice >> 4)", metric: "flow",
            kind: AnomalyKind(rawValue: choice >> 5) ?? .drift, score: score, start: time, end: given, given: given)
    }

    /// A quiet desk and one in a flood, both with words on them.
    private static let bases: [[UInt8]] = [3, 40].map { findings in
        var desk = AlarmDesk()
        for number in 0..<findings {
            let time = later(number * 5)
            _ = desk.advance(to: time)
            _ = desk.book(finding(UInt8(number * 7 % 256), at: time, score: 0.7), rule: .standard, progress: time)
        }
        let time = later(findings * 5)
        for choice in 0..<6 as Range<UInt8> {
            _ = desk.take(feedback(desk.openAlarms.first?.id ?? "0", choice * 17, 0.8, time, given: time))
        }
        var writer = StateWriter()
        desk.save(to: &writer)
        return writer.bytes
    }

    static var seeds: [[UInt8]] {
        let calls: [UInt8] = [11, 200, 1, 17, 1, 64, 6, 8, 255, 1, 10, 0, 2, 1, 64, 6, 33, 12, 44, 3, 18, 1, 64, 6]
        return [[0, 0] + calls, [1, 0] + calls, [1, 1, 90, 0, 2, 1, 1] + calls]
    }
}
