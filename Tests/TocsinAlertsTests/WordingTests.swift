import Foundation
import NIOHTTP1
import Testing
import TocsinAlerts
import TocsinCore

@Suite struct WordingTests {
    @Test func aTextMessageIsShortAndInTheTelephonesAlphabet() async throws {
        let receiver = try await FakeReceiver()
        var settings = Receivers.settings(.sms)
        settings.url = "http://receiver.test:\(receiver.port)/"
        settings.recipients = ["+49301111111", "+49302222222"]
        let channel = try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        for sentence in [
            "98.3 °C – „zu heiß“", String(repeating: "lang ", count: 100), String(repeating: "温", count: 200),
        ] {
            _ = try await channel.send(Sample.message(Sample.change(.raised, sentence: sentence)))
        }
        let bodies = receiver.requests.map { WireForm.decoded(.sms, $0.text.components(separatedBy: "Body=")[1]) }
        #expect(receiver.requests.count == 6)
        #expect(bodies[0] == "WARNING: 98.3 C - \"zu heiß\"")
        #expect(bodies[2].count == 306 && bodies[2].hasSuffix("..."))
        #expect(bodies[4].utf16.count == 134)
    }

    @Test func thePlainWebhookIsWhatItAlwaysWas() async throws {
        let receiver = try await FakeReceiver()
        var settings = Receivers.settings(.webhook)
        settings.url = "http://receiver.test:\(receiver.port)/hook"
        settings.format = .plain
        settings.headers = [("X-Plant", "north")]
        let channel = try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        let change = Sample.change(.raised)
        _ = try await channel.send(Sample.message(change))
        let request = receiver.requests[0]
        var json = JSONWriter()
        json.value(change)
        #expect(request.body == json.bytes)
        #expect(request.headers.first(name: "Content-Type") == "application/json")
        #expect(request.headers.first(name: "X-Plant") == "north")
        #expect(request.headers.first(name: "Idempotency-Key") == "00000000000000a1-raised-1")
        #expect(request.headers.first(name: "X-Tocsin-Signature") == WebhookChannel.signature(of: json.bytes, "s3cret"))
    }

    @Test func oneWrongNumberIsNoReasonToWriteToTheOthersAgain() async throws {
        let receiver = try await FakeReceiver([.taken, .failing, .taken])
        var settings = Receivers.settings(.sms)
        settings.url = "http://receiver.test:\(receiver.port)/"
        settings.recipients = ["+49301111111", "+49302222222"]
        let channel = try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        let message = Sample.message(Sample.change(.raised))
        await #expect(throws: AlertFailure.self) { try await channel.send(message) }
        _ = try await channel.send(message)
        #expect(receiver.requests.map { $0.text.contains("49302222222") } == [false, true, true])
    }
}
