import Testing
import TocsinBench
import TocsinCore

@Suite("Events and listings of the store's benchmark")
struct StoreBenchTests {
    @Test("the same arguments give the same events, whether made from the start or from the middle on")
    func repeats() {
        var whole = EventFleet(sensors: 500, total: 10_000)
        var rest = EventFleet(sensors: 500, total: 10_000)
        _ = whole.next(3000, batch: 1000)
        rest.skip(3000)
        let (first, second) = (whole.next(2500, batch: 1000), rest.next(2500, batch: 1000))
        #expect(first.map(\.batch.inputCount).count == 3)
        #expect(first.map(\.batch.times) == second.map(\.batch.times))
        #expect(first.map(\.batch.values) == second.map(\.batch.values))
        #expect(first.map(\.batch.bytes) == second.map(\.batch.bytes))
    }

    @Test("silent sensors send a fifth of the time, all others always")
    func silence() {
        var fleet = EventFleet(sensors: 200, total: 20_000)
        var counts: [SensorID: Int] = [:]
        for outcome in fleet.next(20_000, batch: 1000) {
            for sensor in outcome.batch.sensors { counts[sensor, default: 0] += 1 }
        }
        let silent = fleet.sensors.indices.filter { fleet.sensors[$0].isSilent }
        #expect(silent.count == 3)
        #expect(counts.values.filter { $0 == 100 }.count == 197)
        #expect(counts.values.filter { $0 < 25 }.count == 3)
        #expect(fleet.sensors.filter { $0.metric == EventFleet.rareMetric }.count == 1)
    }

    @Test("no two events share sensor and time, the first of each sensor included, but those sent late")
    func distinct() {
        var fleet = EventFleet(sensors: 100, total: 5000)
        var seen = Set<[Int64]>()
        var again = 0
        for outcome in [fleet.first()] + fleet.next(5000, batch: 1000) {
            for event in 0..<outcome.batch.eventCount {
                let place = [Int64(outcome.batch.sensors[event].index), outcome.batch.times[event].nanoseconds]
                if !seen.insert(place).inserted { again += 1 }
            }
        }
        // One in 97 is dated back, two thirds of them onto an earlier second.
        #expect(again > 0 && again < 60)
    }

    @Test("one anomaly for a hundred events, each with an id of its own")
    func anomalies() {
        var fleet = EventFleet(sensors: 100, total: 50_000)
        let outcomes = fleet.next(10_000, batch: 1000, eventsPerAnomaly: Listings.eventsPerAnomaly)
        let ids = outcomes.flatMap { $0.anomalies.map(\.id) }
        #expect(ids.count == 100)
        #expect(Set(ids).count == 100)
    }

    @Test("a listing asks for what its name says, inside what is stored", arguments: Listings.Filter.allCases)
    func listings(filter: Listings.Filter) {
        var fleet = EventFleet(sensors: 1000, total: 200_000)
        let listings = Listings(fleet, stored: 200_000)
        fleet.skip(200_000)
        for table in Listings.Table.allCases {
            let queries = listings.queries(filter, of: table, count: 50)
            #expect(queries.map(\.sensor) == listings.queries(filter, of: table, count: 50).map(\.sensor))
            let name = filter.rawValue
            for query in queries {
                #expect((query.sensor != nil) == name.contains("sensor"))
                #expect((query.metric != nil) == name.contains("metric"))
                #expect((query.metric == EventFleet.rareMetric) == name.contains("rare"))
                #expect((query.start != nil) == name.contains("range"))
                #expect((query.end != nil) == name.contains("range"))
                if let start = query.start, let end = query.end {
                    #expect(start < end && start >= EventFleet.start && end <= fleet.end)
                }
                #expect(query.offset == 0 || name.contains("late page"))
                #expect(query.offset < (table == .events ? 4000 : 40))
            }
            if name.contains("late page"), table == .events { #expect(Set(queries.map(\.offset)).count > 10) }
        }
    }

    @Test("only sensors that have fallen silent are asked for as such")
    func silentListing() {
        let fleet = EventFleet(sensors: 1000, total: 200_000)
        let silent = Set(fleet.sensors.filter(\.isSilent).map(\.name))
        let asked = Listings(fleet, stored: 200_000).queries(.silentSensor, of: .events, count: 100)
        #expect(asked.allSatisfy { $0.sensor.map(silent.contains) ?? false })
    }

    @Test("the middle of several runs and its neighbours")
    func spread() {
        #expect(Spread().median == 0)
        #expect(Spread([3]).text() == "3")
        #expect(Spread([9, 1, 5]).text() == "5 (1 to 9)")
        #expect(Spread([1, 2, 3, 4]).median == 3)
        #expect(Spread([0.25, 0.5, 1234.5]).text(digits: 2) == "0.50 (0.25 to 1,234.50)")
    }
}
