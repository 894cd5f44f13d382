import Testing
import TocsinCore
import TocsinMQTT

@Suite struct TopicTests {
    @Test func `a template becomes a filter, and its names become what the topic says`() throws {
        let template = try TopicTemplate("site/+/line/{line}/sensor/{sensor_id}")
        #expect(template.filter == "site/+/line/+/sensor/+")
        let envelope = template.envelope(of: "site/berlin/line/7/sensor/pump_1")
        #expect(envelope == MessageEnvelope(topic: "site/berlin/line/7/sensor/pump_1", sensor: "pump_1", zone: "7"))
        #expect(template.envelope(of: "site/berlin/line/7/sensor") == nil)
        #expect(template.envelope(of: "site/berlin/line/7/sensor/a/b") == nil)
        #expect(template.envelope(of: "site/berlin/row/7/sensor/a") == nil)
    }

    @Test func `metric, unit and further names`() throws {
        let template = try TopicTemplate("{tenant}/{location}/{line}/{device_id}/{metric}/{unit}/#")
        #expect(template.filter == "+/+/+/+/+/+/#")
        let envelope = template.envelope(of: "acme/hall/3/d1/temperature/celsius/raw/x")
        #expect(envelope?.sensor == "d1")
        #expect(envelope?.metric == "temperature")
        #expect(envelope?.unit == "celsius")
        #expect(envelope?.zone == "hall")
        #expect(envelope?.fields == ["tenant": "acme", "line": "3"])
    }

    @Test func `without names the last level is the sensor`() throws {
        #expect(try TopicTemplate("plant/#").envelope(of: "plant/a/b")?.sensor == "b")
        #expect(try TopicTemplate("#").envelope(of: "x")?.sensor == "x")
        #expect(try TopicTemplate("plant/#").envelope(of: "plant")?.sensor == "plant")
        #expect(try TopicTemplate("plant/+").envelope(of: "plant/")?.sensor == nil)
    }

    @Test func `shared subscriptions keep their prefix`() throws {
        let template = try TopicTemplate("$share/tocsin/plant/{sensor}")
        #expect(template.filter == "$share/tocsin/plant/+")
        #expect(template.group == "tocsin")
        #expect(template.envelope(of: "plant/p1")?.sensor == "p1")
    }

    @Test func `wildcards do not reach the broker's own topics`() throws {
        #expect(try TopicTemplate("#").envelope(of: "$SYS/uptime") == nil)
        #expect(try TopicTemplate("+/uptime").envelope(of: "$SYS/uptime") == nil)
        #expect(try TopicTemplate("$SYS/#").envelope(of: "$SYS/uptime") != nil)
    }

    @Test(arguments: [
        "", "a/#/b", "a/b#", "a/b+", "a/{}", "a/{b c}", "a/x{b}", "{a}/{a}", "$share/g", "$share//a", "$share/+/a",
        "a/{b",
        "a\u{0}b",
    ])
    func `bad templates are refused with a remedy`(text: String) {
        let error = #expect(throws: TocsinError.self) { try TopicTemplate(text) }
        #expect(error?.remedy != nil)
    }

    @Test func `the first matching template speaks`() throws {
        let templates = [try TopicTemplate("a/{metric}/{sensor}"), try TopicTemplate("a/#")]
        #expect(templates.envelope(of: "a/t/s").metric == "t")
        #expect(templates.envelope(of: "a/t/s/u").sensor == "u")
        #expect(templates.envelope(of: "other/thing").sensor == "thing")
    }

    @Test func `the cache forgets when its topics have too many bytes`() {
        var cache = TopicCache(capacity: 1000, maximumBytes: 10_000, seed: 1)
        let long = String(repeating: "x", count: 4000)
        let places = ["a", "b", "c"].map { name in
            Array((name + long).utf8).withUnsafeBytes { bytes in cache.index(of: bytes) { MessageEnvelope(topic: $0) } }
        }
        #expect(places == [0, 1, 0])
        #expect(cache.generation == 1)
        #expect(cache.count == 1)
    }

    @Test func `the cache learns a topic once, and forgets when it is full`() {
        var cache = TopicCache(capacity: 1000, seed: 1)
        var learnt = 0
        func index(_ topic: String) -> Int {
            Array(topic.utf8).withUnsafeBytes { bytes in
                cache.index(of: bytes) { topic in
                    learnt += 1
                    return MessageEnvelope(topic: topic)
                }
            }
        }
        for _ in 0..<3 {
            for number in 0..<1000 { #expect(index("t/\(number)") == number) }
        }
        #expect(learnt == 1000)
        #expect(cache.generation == 0)
        #expect(index("t/1000") == 0)
        #expect(cache.generation == 1)
        #expect(cache.count == 1)
        #expect(cache.envelopes[0].topic == "t/1000")
        #expect(index("") == 1)
    }
}
