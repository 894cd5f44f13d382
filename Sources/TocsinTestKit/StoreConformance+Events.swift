internal import Testing
internal import TocsinCore

extension StoreConformance {
    /// What tells two events of one sensor and one time apart: the device's id, else the content.
    func narrowEvents(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        input.event("a", at: 1, [("temperature", 21.5)])
        input.event("a", at: 1, [("humidity", 40)])
        input.event("a", at: 1, [("humidity", 40)])
        input.event("a", at: 1, [("humidity", 41)])
        input.event("b", at: 1, [("humidity", 40)])
        input.event("c", at: 1, [("humidity", 40)], key: 5)
        input.event("c", at: 1, [("humidity", 41)], key: 5)
        input.event("c", at: 1, [("humidity", 40)], key: 6)
        try await store.write([input.outcome])
        #expect(try await store.events(RecordQuery(sensor: "a")).count == 3)
        #expect(try await store.events(RecordQuery(sensor: "b")).count == 1)
        #expect(try await store.events(RecordQuery(sensor: "c")).flatMap(\.readings).map(\.value) == [40, 40])
        #expect(Set(try await store.events(RecordQuery(sensor: "c")).map(\.key)) == [5, 6])
        #expect(Set(try await store.events(RecordQuery(sensor: "a")).map(\.key)).count == 3)
    }

    func fates(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table, source: "line 3", received: 9)
        input.event("a", at: 1, [("t", 1), ("u", 2), ("v", 3)], refused: ["u"], unit: "°C")
        input.event("a", at: 2, [("t", 4)], fate: .late)
        input.event("a", at: 3, [("t", 5)], fate: .duplicate)
        input.event("ghost", at: 4, [("t", 6)], fate: .deadLettered, refused: ["t"])
        try await store.write([input.outcome])
        let events = try await store.events(RecordQuery())
        #expect(events.map(\.time) == [StoreInput.second(2), StoreInput.second(1)])
        #expect(events.map(\.isLate) == [true, false])
        let first = try #require(events.last)
        #expect(first.readings.map(\.metric) == ["t", "v"])
        #expect(first.readings.map(\.value) == [1, 3])
        #expect(first.readings.map(\.unit) == ["°C", "°C"])
        #expect(first.source == "line 3")
        #expect(first.received == StoreInput.second(9))
        #expect(first.payload == Array("message of a at 1".utf8))
        #expect(try await store.statistics().rows["sensors"] == 1)
    }

    func eventListing(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        for second in [3, 1, 2, 5, 4] as [Int64] {
            input.event("a", at: second, [("t", Double(second))])
            input.event("b", at: second, [(second % 2 == 0 ? "t" : "h", Double(second))])
        }
        try await store.write([input.outcome])
        func seconds(_ query: RecordQuery) async throws -> [Int64] {
            try await store.events(query).map { $0.time.nanoseconds / 1_000_000_000 - StoreInput.epoch }
        }
        #expect(try await seconds(RecordQuery(sensor: "a")) == [5, 4, 3, 2, 1])
        #expect(try await seconds(RecordQuery(sensor: "a", limit: 2, offset: 1)) == [4, 3])
        #expect(try await seconds(RecordQuery(sensor: "b", metric: "h")) == [5, 3, 1])
        #expect(try await seconds(RecordQuery(metric: "h", limit: 2)) == [5, 3])
        #expect(try await seconds(RecordQuery(limit: 3)) == [5, 5, 4])
        let range = RecordQuery(sensor: "a", start: StoreInput.second(2), end: StoreInput.second(4))
        #expect(try await seconds(range) == [3, 2])
        #expect(try await seconds(RecordQuery(start: StoreInput.second(5))) == [5, 5])
        for nothing in [
            RecordQuery(sensor: "nobody"), RecordQuery(metric: "nothing"), RecordQuery(sensor: "a", metric: "h"),
            RecordQuery(start: StoreInput.second(6)), RecordQuery(end: StoreInput.second(1)),
            RecordQuery(start: StoreInput.second(4), end: StoreInput.second(2)), RecordQuery(limit: 0),
            RecordQuery(limit: -1), RecordQuery(offset: 10), RecordQuery(sensor: "a", offset: .max),
        ] {
            #expect(try await store.events(nothing).isEmpty)
            #expect(try await store.windows(nothing).isEmpty)
            #expect(try await store.anomalies(nothing).isEmpty)
            #expect(try await store.alarms(nothing, state: nil).isEmpty)
        }
    }

    /// Thousands of events out of order in many batches: pages of every sensor put together are the sorted whole.
    func eventPaging(_ store: any Store, _ table: SeriesTable) async throws {
        let sensors = 7
        var expected: [String: [Int64]] = [:]
        for batch in 0..<40 {
            var input = StoreInput(table: table)
            for row in 0..<100 {
                // 1,103 has no factor in common with 4,000: every second comes once, in no simple order.
                let second = Int64((batch * 100 + row) * 1103 % 4000)
                let sensor = "s\(row % sensors)"
                expected[sensor, default: []].append(second)
                input.event(sensor, at: second, [("t", Double(second) / 8)])
            }
            try await store.write([input.outcome])
        }
        for (sensor, seconds) in expected {
            var found: [Int64] = []
            while true {
                let page = try await store.events(RecordQuery(sensor: sensor, limit: 97, offset: found.count))
                #expect(page.allSatisfy { $0.sensor == sensor })
                found += page.map { $0.time.nanoseconds / 1_000_000_000 - StoreInput.epoch }
                if page.count < 97 { break }
            }
            #expect(found == seconds.sorted(by: >))
            let middle = RecordQuery(
                sensor: sensor, metric: "t", start: StoreInput.second(1000), end: StoreInput.second(1100), limit: 500)
            #expect(try await store.events(middle).count == seconds.count(where: { (1000..<1100).contains($0) }))
        }
        #expect(try await store.events(RecordQuery(limit: 5000)).count == 4000)
    }

    /// Pages of a metric that some sensors send often and some seldom, over days, many at the same time.
    func unevenPaging(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        var expected: [Int64] = []
        for sensor in 0..<20 as Range<Int64> {
            // The busiest every second for a while at the end, the others every 10 to 200 minutes for three days.
            let seconds =
                sensor == 0
                ? Array(258_000..<259_200) : Array(stride(from: 60 * sensor, to: 259_200, by: 600 * Int(sensor)))
            for second in seconds { input.event("s\(sensor)", at: second, [("t", Double(second))]) }
            expected += seconds
        }
        try await store.write([input.outcome])
        expected.sort(by: >)
        for limit in [97, 300] {
            for (start, end) in [(nil, nil), (0, 259_000), (100_000, 258_500)] as [(Int64?, Int64?)] {
                var found: [Int64] = []
                while true {
                    let page = try await store.events(
                        RecordQuery(
                            metric: "t", start: start.map(StoreInput.second), end: end.map(StoreInput.second),
                            limit: limit, offset: found.count))
                    found += page.map { $0.time.nanoseconds / 1_000_000_000 - StoreInput.epoch }
                    if page.count < limit { break }
                }
                #expect(found == expected.filter { $0 >= start ?? 0 && $0 < end ?? .max })
            }
        }
    }

    func oddContent(_ store: any Store, _ table: SeriesTable) async throws {
        let values: [Double] = [
            0, -0.0, 0.1, -1.5, 25.51, 1e-7, 1.0 / 3, 1e15, 123_456_789.123, -9_007_199_254_740_992, .pi * 1e300,
            .leastNonzeroMagnitude, .greatestFiniteMagnitude, 99_999.9999, 4.35, 1e22,
        ]
        var input = StoreInput(table: table)
        let bytes: [UInt8] = [0xff, 0x00, 0xc3, 0x28]
        for (second, value) in values.enumerated() {
            input.event("a", at: Int64(second), [("t", value)], payload: second == 0 ? [] : bytes)
        }
        try await store.write([input.outcome])
        let events = Array(try await store.events(RecordQuery()).reversed())
        #expect(events.flatMap(\.readings).map(\.value) == values)
        #expect(events.map(\.payload) == values.indices.map { $0 == 0 ? [] : bytes })
    }

    func names(_ store: any Store, _ table: SeriesTable) async throws {
        let names = [
            "it's", "say \"no\"", "back\\slash", "Größe/°C", "a.b[0]", " ", "\n\u{1}", "𝄞", "%_", "x; DROP TABLE",
        ]
        var input = StoreInput(table: table)
        for (index, name) in names.enumerated() {
            input.event(name, at: Int64(index), [(name, Double(index))], unit: name)
            input.window(name, name, start: Int64(index), base: 0)
        }
        try await store.write([input.outcome])
        for (index, name) in names.enumerated() {
            for query in [RecordQuery(sensor: name, metric: name), RecordQuery(metric: name)] {
                let event = try #require(try await store.events(query).first)
                #expect(event.sensor == name)
                #expect(event.readings.map(\.metric) == [name])
                #expect(event.readings.map(\.unit) == [name])
                #expect(event.readings.map(\.value) == [Double(index)])
                #expect(try await store.windows(query).map(\.metric) == [name])
            }
        }
    }
}
