internal import TocsinCore

extension LevelHistory {
    func save(to writer: inout StateWriter) {
        writer.write(origin)
        writer.write(unit)
        writer.write(age)
        writer.write(began)
        writer.write(lastBlock)
        writer.write(pace)
        for place in cycle.ring.indices { writer.write(cycle.ring[place]) }
        writer.write(cycle.head)
        writer.write(cycle.fill)
        writer.write(cycle.lag)
        cycle.test.save(to: &writer)
        for place in 0..<24 { writer.write(season.hours[place]) }
        for place in 0..<24 { writer.write(season.visits[place]) }
        for place in 0..<7 { writer.write(season.days[place]) }
        for place in 0..<7 { writer.write(season.dayVisits[place]) }
        writer.write(season.hour)
        let numbers: InlineArray<9, Float> = [
            season.hourSum, season.hourCount, season.daySum, season.dayCount, season.plain, season.error,
            season.dayPlain, season.dayError, season.hourWorst,
        ]
        for place in numbers.indices { writer.write(numbers[place]) }
        writer.write(season.isActive)
        writer.write(season.usesDays)
        season.test.save(to: &writer)
    }

    /// nil for bytes that no history leaves behind: whatever is accepted can go on without trap or not-a-number.
    init?(from reader: inout StateReader) {
        guard let origin = reader.readDouble(), let unit = reader.readDouble(), let age = reader.read(UInt32.self),
            let began = reader.readTimestamp(), let lastBlock = reader.readTimestamp(), let pace = reader.readFloat(),
            abs(origin) <= 1e301, unit >= 1e-291, unit <= 1e302, pace >= 0, pace <= 1e10
        else { return nil }
        self.init(origin: origin, unit: unit, began: began.nanoseconds)
        self.age = age
        self.lastBlock = lastBlock.nanoseconds
        self.pace = pace
        guard readCycle(&reader), readSeason(&reader), cycle.isPlausible, season.isPlausible else { return nil }
    }

    private mutating func readCycle(_ reader: inout StateReader) -> Bool {
        for place in cycle.ring.indices {
            guard let value = reader.readFloat() else { return false }
            cycle.ring[place] = value
        }
        guard let head = reader.read(UInt8.self), let fill = reader.read(UInt8.self),
            let lag = reader.read(UInt8.self), let test = ExpectationTest(from: &reader)
        else { return false }
        (cycle.head, cycle.fill, cycle.lag, cycle.test) = (head, fill, lag, test)
        return true
    }

    private mutating func readSeason(_ reader: inout StateReader) -> Bool {
        for place in 0..<24 {
            guard let value = reader.readFloat() else { return false }
            season.hours[place] = value
        }
        for place in 0..<24 {
            guard let visits = reader.read(UInt8.self) else { return false }
            season.visits[place] = visits
        }
        for place in 0..<7 {
            guard let value = reader.readFloat() else { return false }
            season.days[place] = value
        }
        for place in 0..<7 {
            guard let visits = reader.read(UInt8.self) else { return false }
            season.dayVisits[place] = visits
        }
        guard let hour = reader.read(Int64.self) else { return false }
        season.hour = hour
        var numbers = InlineArray<9, Float>(repeating: 0)
        for place in numbers.indices {
            guard let value = reader.readFloat() else { return false }
            numbers[place] = value
        }
        (season.hourSum, season.hourCount, season.daySum, season.dayCount) =
            (numbers[0], numbers[1], numbers[2], numbers[3])
        (season.plain, season.error, season.dayPlain, season.dayError) =
            (numbers[4], numbers[5], numbers[6], numbers[7])
        season.hourWorst = numbers[8]
        guard let isActive = reader.readFlag(), let usesDays = reader.readFlag(),
            let test = ExpectationTest(from: &reader)
        else { return false }
        (season.isActive, season.usesDays, season.test) = (isActive, usesDays, test)
        return true
    }
}

extension ExpectationTest {
    func save(to writer: inout StateWriter) {
        writer.write(sum)
        writer.write(error)
        writer.write(worst)
        writer.write(holding)
    }

    init?(from reader: inout StateReader) {
        guard let sum = reader.readFloat(), let error = reader.readFloat(), let worst = reader.readFloat(),
            let holding = reader.read(UInt16.self)
        else { return nil }
        self.init(sum: sum, error: error, worst: worst, holding: holding)
    }
}
