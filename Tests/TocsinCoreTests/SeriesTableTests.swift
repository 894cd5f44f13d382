import Testing
import TocsinCore

struct SeriesTableTests {
    @Test func internsEachNameOnceInOrderOfFirstSight() {
        var index = SeriesIndex(seed: 7)
        for round in 0..<2 {
            for number in 0..<5000 {
                let id = index.find(sensor: "sensor_\(number)")
                #expect(id == number, "round \(round)")
            }
        }
        #expect(index.sensorCount == 5000)
        #expect(index.name(SensorID(4321)) == "sensor_4321")
        #expect(index.sensor(named: "sensor_77") == SensorID(77))
        #expect(index.sensor(named: "nobody") == nil)
    }

    @Test func tellsNamesApartThatShareBytes() {
        var index = SeriesIndex(seed: 7)
        let names = [
            "", "a", "a\0", "aa", "sensor_1", "sensor_12", "sensor_123456789", "sensor_123456780", "ä", "a\u{308}",
        ]
        for (number, name) in names.enumerated() {
            let id = index.find(sensor: name)
            #expect(id == number)
        }
        for (number, name) in names.enumerated() { #expect(index.name(SensorID(UInt32(number))) == name) }
    }

    @Test func keepsTheMetricsOfASensorInOrder() throws {
        var index = SeriesIndex()
        let sensor = index.need(sensor: "s")
        let other = index.need(sensor: "t")
        var expected: [SeriesID] = []
        for name in ["temperature", "humidity", "pressure"] {
            let metric = index.need(metric: name)
            let series = index.series(sensor, metric)
            expected.append(try #require(series))
            _ = index.series(other, metric)
        }
        #expect(index.series(of: sensor) == expected)
        #expect(index.seriesCount == 6)
        #expect(index.sensor(of: expected[1]) == sensor)
        #expect(index.name(index.metric(of: expected[1])) == "humidity")
        let again = index.series(sensor, index.metric(of: expected[2]))
        #expect(again == expected[2])
    }

    @Test func refusesBeyondTheCapButKnowsTheOldOnes() {
        var index = SeriesIndex(maxSeries: 2)
        let first = index.need(sensor: "a")
        let second = index.need(sensor: "b")
        let beyond = index.find(sensor: "c")
        #expect(beyond == nil)
        let old = index.find(sensor: "a")
        #expect(old == 0)
        let metric = index.need(metric: "m")
        let further = index.need(metric: "n")
        let made = [index.series(first, metric), index.series(second, metric)]
        #expect(made == [SeriesID(0), SeriesID(1)])
        let refused = index.series(first, further)
        #expect(refused == nil)
        let known = index.series(first, metric)
        #expect(known == SeriesID(0))
    }

    @Test func keepsUnitsAndZones() {
        let table = SeriesTable(seed: 1)
        let units = table.withIndex { index -> [String?] in
            guard let sensor = index.sensor("s".utf8.span), let metric = index.metric("m".utf8.span),
                let series = index.series(sensor, metric)
            else { return [] }
            let before = index.unit(of: series)
            index.setUnit("C", of: series)
            index.setZone("hall", of: sensor)
            return [before, index.unit(of: series), index.zone(of: sensor)]
        }
        #expect(units == [nil, "C", "hall"])
    }
}

extension SeriesIndex {
    mutating func find(sensor name: String) -> Int? { sensor(name.utf8.span).map { Int($0.index) } }

    mutating func need(sensor name: String) -> SensorID { sensor(name.utf8.span) ?? SensorID(.max) }

    mutating func need(metric name: String) -> MetricID { metric(name.utf8.span) ?? MetricID(.max) }
}
