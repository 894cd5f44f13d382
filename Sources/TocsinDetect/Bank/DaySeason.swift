/// What the level of a series is at each hour of the day (UTC), and by how much the days of the week differ.
///
/// It learns from the first day on and speaks when it has seen 22 hours three times each and leaves less than half of
/// what the mean alone leaves; the days of the week after three weeks, by the same rule. Values are in the history's
/// unit.
struct DaySeason: Sendable {
    var hours = InlineArray<24, Float>(repeating: 0)
    var visits = InlineArray<24, UInt8>(repeating: 0)
    var days = InlineArray<7, Float>(repeating: 0)
    var dayVisits = InlineArray<7, UInt8>(repeating: 0)
    /// Hour since 1970 that is being averaged.
    var hour: Int64 = .min
    var hourSum: Float = 0
    var hourCount: Float = 0
    var hourWorst: Float = 0
    var daySum: Float = 0
    var dayCount: Float = 0
    /// Mean absolute differences of hours: from the hours' mean, and from what was expected; of days: from nothing, and
    /// from the day's own.
    var plain: Float = 0
    var error: Float = 0
    var dayPlain: Float = 0
    var dayError: Float = 0
    var isActive = false
    var usesDays = false
    var test = ExpectationTest()

    static let nanosecondsPerHour: Int64 = 3_600_000_000_000

    static func hourNumber(_ time: Int64) -> Int64 {
        time >= 0 ? time / nanosecondsPerHour : (time + 1) / nanosecondsPerHour - 1
    }

    private static func place(_ hour: Int64) -> (hour: Int, day: Int) {
        let ofDay = ((hour % 24) + 24) % 24
        // 1970-01-01 was a Thursday; Monday is 0.
        let day = (hour - ofDay) / 24 + 3
        return (Int(ofDay), Int(((day % 7) + 7) % 7))
    }

    /// Expected at a time; nil for an hour not seen twice. Between the middles of hours it is interpolated.
    func expected(_ time: Int64) -> Float? {
        let number = Self.hourNumber(time)
        let (hour, day) = Self.place(number)
        let within = Float(time &- number &* Self.nanosecondsPerHour) / Float(Self.nanosecondsPerHour) - 0.5
        let neighbour = (hour + (within < 0 ? 23 : 1)) % 24
        guard visits[hour] > 1 else { return nil }
        let other = visits[neighbour] > 0 ? hours[neighbour] : hours[hour]
        return hours[hour] + (other - hours[hour]) * abs(within) + (usesDays ? days[day] : 0)
    }

    /// Judges the level at a time and learns it.
    mutating func take(
        _ level: Float, time: Int64, floor: Float, minimum: Float
    ) -> (expected: Float, evidence: Float)? {
        var finding: (Float, Float)?
        if let expected = expected(time) {
            let difference = level - expected
            let size = abs(difference)
            if test.holding == 0 { hourWorst = max(hourWorst, size) }
            if isActive, let evidence = test.judge(difference, floor: floor, minimum: minimum) {
                finding = (expected, evidence)
            }
        }
        let number = Self.hourNumber(time)
        if number != hour {
            closeHour(floor: floor)
            hour = number
            (hourSum, hourCount, hourWorst) = (0, 0, 0)
        }
        hourSum += level
        hourCount += 1
        return finding
    }

    private mutating func closeHour(floor: Float) {
        guard hourCount > 0 else { return }
        let (place, day) = Self.place(hour)
        let mean = hourSum / hourCount
        let offset = usesDays ? days[day] : 0
        var difference = mean - hours[place] - offset
        if visits[place] > 0 { measure(mean, difference, floor: floor) }
        if isActive {
            // What lasts for a day is how it is now.
            if test.holding > 0, Float(test.holding) > 24 * hourCount { rebase(by: difference) }
            let unit = test.unit(floor: floor)
            difference = test.holding > 0 ? 0 : difference.clamped(-2.5 * unit, 2.5 * unit)
        }
        hours[place] += difference * max(1 / (Float(visits[place]) + 1), 0.07)
        if visits[place] < .max { visits[place] += 1 }
        daySum += difference + offset
        dayCount += 1
        if place == 23 || dayCount >= 24 { closeDay(day) }
        decide()
    }

    private mutating func measure(_ mean: Float, _ difference: Float, floor: Float) {
        guard test.holding == 0 else { return }
        var sum: Float = 0
        for hour in 0..<24 { sum += hours[hour] }
        plain += (abs(mean - sum / 24) - plain) / 48
        let size = abs(difference)
        error += (size - error) / 48
        test.error = error
        // Courses have edges between the middles of hours: what comes every day at the same place is no deviation.
        test.worst *= 1 - 1 / 720
        if !isActive || hourWorst <= 3.75 * test.unit(floor: floor) { test.worst = max(test.worst, hourWorst) }
    }

    private mutating func closeDay(_ day: Int) {
        defer { (daySum, dayCount) = (0, 0) }
        guard dayCount >= 12 else { return }
        let mean = daySum / dayCount
        if dayVisits[day] > 0 {
            dayPlain += (abs(mean) - dayPlain) / 7
            dayError += (abs(mean - days[day]) - dayError) / 7
        }
        days[day] += (mean - days[day]) * max(1 / (Float(dayVisits[day]) + 1), 0.2)
        if dayVisits[day] < .max { dayVisits[day] += 1 }
        var isKnown = true
        for other in 0..<7 where dayVisits[other] < 3 { isKnown = false }
        usesDays = isKnown && dayError < 0.5 * dayPlain
    }

    private mutating func decide() {
        var known = 0
        for hour in 0..<24 where visits[hour] >= 3 { known += 1 }
        isActive = known >= 22 && error < 0.5 * plain
        if !isActive {
            test.sum = 0
            test.holding = 0
        }
    }

    private mutating func rebase(by difference: Float) {
        for hour in 0..<24 { hours[hour] += difference }
        test.holding = 0
        test.sum = 0
    }

    var isPlausible: Bool {
        func lies(_ value: Float, _ low: Float, _ high: Float) -> Bool { value >= low && value <= high }
        for place in 0..<24 where !lies(hours[place], -1e7, 1e7) { return false }
        for place in 0..<7 where !lies(days[place], -1e7, 1e7) { return false }
        guard hourCount == 0 || hour > -3_000_000 && hour < 3_000_000 else { return false }
        return lies(hourSum, -1e15, 1e15) && lies(hourCount, 0, 1e8) && lies(hourWorst, 0, 1e7)
            && lies(daySum, -1e9, 1e9)
            && lies(dayCount, 0, 24) && lies(plain, 0, 1e7) && lies(error, 0, 1e7) && lies(dayPlain, 0, 1e7)
            && lies(dayError, 0, 1e7) && test.isPlausible
    }
}
