import Testing
import TocsinCore
import TocsinMQTT

@Suite struct SettingsTests {
    @Test func `addresses`() throws {
        #expect(try MQTTAddress("mqtt://broker") == MQTTAddress(host: "broker", port: 1883))
        #expect(try MQTTAddress("mqtts://broker/") == MQTTAddress(host: "broker", port: 8883, usesTLS: true))
        #expect(try MQTTAddress("ssl://10.0.0.1:99") == MQTTAddress(host: "10.0.0.1", port: 99, usesTLS: true))
        #expect(try MQTTAddress("tcp://[::1]:1884").description == "mqtt://[::1]:1884")
    }

    @Test(arguments: [
        "broker:1883", "http://broker", "mqtt://", "mqtt://a:0", "mqtt://a:70000", "mqtt://a:x", "mqtt://[::1",
        "mqtt://a/b",
        "mqtt://:1883",
    ])
    func `bad addresses are refused with a remedy`(text: String) {
        let error = #expect(throws: TocsinError.self) { try MQTTAddress(text) }
        #expect(error?.remedy != nil)
    }

    @Test func `a password in the address is refused and not shown`() {
        let error = #expect(throws: TocsinError.self) { try MQTTAddress("mqtt://u:geheim@broker") }
        #expect(error?.description.contains("geheim") == false)
    }

    @Test func `settings that cannot be right`() throws {
        let topic = try TopicTemplate("a/#")
        func refused(_ change: (inout SubscriptionSettings) -> Void, clientID: String? = "c") -> Bool {
            var settings = SubscriptionSettings(topics: [topic])
            change(&settings)
            do {
                try settings.validate(clientID: clientID)
                return false
            } catch {
                return error.remedy != nil
            }
        }
        #expect(!refused { _ in })
        #expect(refused { $0.topics = [] })
        #expect(refused { $0.topics = [topic, topic] })
        #expect(refused({ _ in }, clientID: nil))
        #expect(!refused({ $0.isSessionPersistent = false }, clientID: nil))
        #expect(refused { $0.window = 0 })
        #expect(refused { $0.window = 70_000 })
        #expect(refused { $0.presenceTopic = "a/+" })
        #expect(refused { ($0.presenceTopic, $0.sparkplugHostID) = ("a", "b") })
    }

    @Test func `TLS files that are missing or do not fit are named at once`() throws {
        var settings = MQTTSettings(address: MQTTAddress(host: "localhost", port: 8883, usesTLS: true))
        settings.clientID = "c"
        func failure(_ change: (inout TLSSettings) -> Void) -> TocsinError? {
            var copy = settings
            change(&copy.tls)
            do {
                _ = try MQTTPublisher(settings: copy)
                return nil
            } catch {
                return error
            }
        }
        #expect(failure { _ in } == nil)
        #expect(failure { $0.authorities = "/nowhere/ca.pem" }?.place == "/nowhere/ca.pem")
        #expect(failure { $0.certificate = "/nowhere/c.pem" }?.remedy?.contains("tls.key") == true)
    }
}
