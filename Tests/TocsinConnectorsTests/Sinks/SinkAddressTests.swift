import Testing
import TocsinConnectors
import TocsinCore

@Suite("where readings are sent")
struct SinkAddressTests {
    @Test("addresses as people type them")
    func parsed() throws {
        #expect(try SinkAddress("-") == .standardOutput)
        #expect(try SinkAddress("out/readings.json") == .file("out/readings.json"))
        #expect(try SinkAddress("https://host/ingest") == .http("https://host/ingest"))
        #expect(
            try SinkAddress("kafka://a:9092,b:9093/line-1") == .kafka(brokers: ["a:9092", "b:9093"], topic: "line-1"))
        #expect(try SinkAddress("kafka://a") == .kafka(brokers: ["a"], topic: "sensor-events"))
        #expect(try SinkAddress("kafka:///raw") == .kafka(brokers: [], topic: "raw"))
        var options = SinkAddress.MQTTOptions()
        #expect(
            try SinkAddress("mqtt://h/site/{sensor_id}")
                == .mqtt(address: "mqtt://h", topic: "site/{sensor_id}", options: options))
        options.qos = 0
        options.isRetained = true
        options.version = "3.1.1"
        #expect(
            try SinkAddress("mqtts://h:8883?qos=0&retain=true&version=3.1.1")
                == .mqtt(address: "mqtts://h:8883", topic: "sensors/{sensor_id}", options: options))
    }

    @Test(
        "what cannot be meant is refused",
        arguments: [
            "", "amqp://host", "kafka://a/b/c", "kafka://a/b c", "kafka://u:secret@a/t", "mqtt://u:secret@h/t",
            "mqtt://h/a/+",
            "mqtt://h/#", "mqtt://h/{metric}", "mqtt://h/t?qos=3", "mqtt://h/t?window=1", "kafka://a/t?acks=0",
        ])
    func refused(text: String) {
        let error = #expect(throws: TocsinError.self) { try SinkAddress(text) }
        #expect(error?.description.contains("secret") == false)
        #expect(error?.remedy != nil)
    }

    @Test("sensors make topics, and never levels of them")
    func topics() throws {
        var pattern = try TopicPattern("site/{sensor_id}/raw")
        #expect(pattern.topic(of: ArraySlice("p-1".utf8)) == "site/p-1/raw")
        #expect(pattern.topic(of: ArraySlice("a/b+c#".utf8)) == "site/a_b_c_/raw")
        #expect(pattern.topic(of: []) == "site/_/raw")
        var fixed = try TopicPattern("all")
        #expect(fixed.topic(of: ArraySlice("p-1".utf8)) == "all")
    }
}
