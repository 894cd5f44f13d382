import Foundation
import Testing
import TocsinAlerts
import TocsinCore

@Suite struct MailTests {
    private func channel(
        _ server: FakeMailServer, _ change: (inout AlertChannelSettings) -> Void = { _ in }
    ) throws -> any AlertChannel {
        var settings = Receivers.settings(.email)
        settings.url = "smtp://receiver.test:\(server.port)"
        settings.authorities = TestTLS.authorityFile
        settings.recipients = ["a@plant.example", "B <b@plant.example>", "c@plant.example"]
        change(&settings)
        return try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
    }

    private let message = Sample.message(Sample.change(.raised, sentence: "täglich °C\n.\nund weiter"))

    @Test(arguments: ["PLAIN LOGIN", "LOGIN"])
    func overSTARTTLSWithLogin(_ ways: String) async throws {
        var options = FakeMailServer.Options()
        options.ways = ways
        let server = try await FakeMailServer(options)
        let channel = try channel(server) {
            $0.user = "robot"; $0.password = "pä55"
        }
        let answer = try await channel.send(message)
        #expect(answer.status == 250)
        let mail = try #require(server.mails.first)
        #expect(mail.isEncrypted && mail.from == "tocsin@plant.example")
        #expect(mail.to == ["a@plant.example", "b@plant.example", "c@plant.example"])
        let plain = Data("\0robot\0pä55".utf8).base64EncodedString()
        #expect(
            ways == "LOGIN"
                ? mail.user == Data("robot".utf8).base64EncodedString()
                    && mail.password == Data("pä55".utf8).base64EncodedString() : mail.user == plain)
        #expect(server.commands.filter { $0.hasPrefix("EHLO") }.count == 2)
    }

    @Test func withoutSTARTTLSNothingIsSaid() async throws {
        var options = FakeMailServer.Options()
        options.offersTLS = false
        let server = try await FakeMailServer(options)
        let channel = try channel(server) {
            $0.user = "robot"; $0.password = "x"
        }
        await #expect(throws: AlertFailure.self) { try await channel.send(message) }
        #expect(server.commands.allSatisfy { $0.hasPrefix("EHLO") || $0 == "QUIT" } && server.mails.isEmpty)
    }

    @Test func wordsSlippedInBehindSTARTTLSEndTheConnection() async throws {
        var options = FakeMailServer.Options()
        options.injected = "\r\n250 injected"
        let server = try await FakeMailServer(options)
        await #expect(throws: AlertFailure.self) { try await channel(server).send(message) }
        #expect(server.mails.isEmpty)
    }

    @Test func aPasswordIsNeverSentUnencrypted() {
        #expect(throws: TocsinError.self) { try SMTPSettings(host: "x", security: .none, user: "u", password: "p") }
    }

    @Test func whoHasItDoesNotGetItAgainWhileTheOthersAreTried() async throws {
        var options = FakeMailServer.Options()
        options.recipients = ["b@plant.example": "450 4.2.0 greylisted", "c@plant.example": "550 5.1.1 no such user"]
        let server = try await FakeMailServer(options)
        let channel = try channel(server)
        do throws(AlertFailure) {
            _ = try await channel.send(message)
            Issue.record("taken")
        } catch {
            #expect(error.error.isRetriable && error.status == 450)
        }
        server.set(recipients: [:])
        _ = try await channel.send(message)
        #expect(server.mails.map(\.to) == [["a@plant.example"], ["b@plant.example"]])
    }

    @Test func fullStopsLinesAndLettersSurvive() async throws {
        let server = try await FakeMailServer()
        let channel = try channel(server) { $0.text = ".leading\n{sentence}\n" + String(repeating: "lang ", count: 60) }
        _ = try await channel.send(message)
        let lines = try #require(server.mails.first).lines
        #expect(lines.contains(".leading"))
        #expect(lines.allSatisfy { $0.utf8.count <= 78 || $0.hasPrefix("Content-Type") })
        let text = lines.joined(separator: "\n").replacingOccurrences(of: "=\n", with: "")
        #expect(text.contains("t=C3=A4glich =C2=B0C"))
        #expect(text.contains(String(repeating: "lang ", count: 58)))
    }

    @Test func aSubjectInAnyScriptIsEncodedInWholeCharacters() async throws {
        let server = try await FakeMailServer()
        let channel = try channel(server) { $0.title = "Störung 温度センサー {sensor} " + String(repeating: "ü", count: 60) }
        _ = try await channel.send(message)
        let lines = try #require(server.mails.first).lines
        let start = try #require(lines.firstIndex { $0.hasPrefix("Subject: ") })
        var decoded = ""
        for line in [String(lines[start].dropFirst(9))] + lines[(start + 1)...].prefix(while: { $0.hasPrefix(" ") }) {
            #expect(line.utf8.count <= 76)
            let word = line.trimmingCharacters(in: .whitespaces).dropFirst("=?UTF-8?B?".count).dropLast(2)
            let data = try #require(Data(base64Encoded: String(word)))
            decoded += try #require(String(data: data, encoding: .utf8))
        }
        #expect(decoded == "Störung 温度センサー sensor_1 " + String(repeating: "ü", count: 60))
    }

    @Test(arguments: ["a@b.example", "Name <a@b.example>", "\"Schicht, Nord\" <a@b.example>"])
    func addresses(_ text: String) { #expect(MailAddress(text)?.address == "a@b.example") }

    @Test(arguments: [
        "a", "@b", "a@", "a@b@c", "a b@c.example", "a\r\nRCPT TO:<x>@c.example", "<a@b.example", "ä@b.example",
        "a@b.example>",
    ])
    func nonsenseIsNoAddress(_ text: String) { #expect(MailAddress(text) == nil) }
}
