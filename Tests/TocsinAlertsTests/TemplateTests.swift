import Testing
import TocsinAlerts
import TocsinCore

@Suite struct TemplateTests {
    @Test func fieldsAndBraces() throws {
        let template = try AlertTemplate("{{{sensor}}} {zone}: {sentence} ({p_value}, {duration})", place: "x")
        let message = Sample.message(AlarmChange(step: .cleared, alarm: Sample.alarm(cleared: true)))
        #expect(
            template.render(message) == "{sensor_1} hall 3: temperature of sensor_1 jumped to 98.3 °C (1e-9, 12 min)")
    }

    @Test func theLastValueItsBandAndItsTime() throws {
        let template = try AlertTemplate("{value}|{expected}|{value_time}", place: "x")
        var message = Sample.message(Sample.change(.raised))
        let time = message.text(of: .valueTime)
        #expect(time.hasSuffix(" UTC"))
        #expect(template.render(message) == "98.3 °C|24.1 to 26.2 °C|\(time)")
        var other = Sample.reading
        (other.metric, other.valueText, other.expectedText) = ("humidity", "40%", nil)
        message.details.readings.append(other)
        #expect(template.render(message) == "temperature 98.3 °C, humidity 40%|temperature 24.1 to 26.2 °C|\(time)")
        message.details.readings = []
        #expect(template.render(message) == "||")
    }

    @Test(arguments: ["{sensr}", "{sensor", "}", "{}", "{ sensor}"])
    func anUnknownFieldIsNamedWithTheKnownOnes(_ text: String) {
        do throws(TocsinError) {
            _ = try AlertTemplate(text, place: "alerts.channels shift text")
            Issue.record("taken")
        } catch {
            #expect(error.code == .configuration && error.remedy?.contains("{sensor}") == true)
            #expect(error.place == "alerts.channels shift text")
        }
    }

    @Test func everyFieldOfEveryContentHasAText() throws {
        let text = AlertField.allCases.map { "{\($0.rawValue)}" }.joined(separator: "|")
        let template = try AlertTemplate(text, place: "x")
        for content in [
            AlertMessage.Content.change(Sample.change(.raised)),
            .digest([Sample.change(.raised), Sample.change(.cleared)], .quietHours),
            .open([Sample.alarm()]), .digest([], .rateLimit),
        ] {
            let message = AlertMessage(content: content, key: "k", incident: "i", time: Sample.start)
            #expect(
                template.render(message).split(separator: "|", omittingEmptySubsequences: false).count
                    == AlertField.allCases.count)
        }
        for field in AlertField.allCases { #expect(!field.meaning.isEmpty) }
    }

    @Test func aTemplateOfTheChannelIsUsedAndOutsideTextIsEscapedInIt() async throws {
        let receiver = try await FakeReceiver()
        var settings = Receivers.settings(.slack)
        settings.url = "http://receiver.test:\(receiver.port)/"
        settings.text = "<!here> {sensor}: {sentence}"
        let channel = try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        _ = try await channel.send(Sample.message(Sample.change(.raised, sensor: "a<b>")))
        #expect(receiver.requests[0].text.contains("<!here> a&lt;b&gt;: spike on a&lt;b&gt;"))
    }

    @Test func whatIsMissingIsSaidWithItsKey() throws {
        for kind in AlertChannelKind.allCases where kind != .console {
            do throws(TocsinError) {
                _ = try Receivers.factory(TargetGuard()).make(AlertChannelSettings(kind: kind, name: "shift"))
                Issue.record("\(kind) was made of nothing")
            } catch {
                #expect(error.code == .configuration && error.place?.hasPrefix("alerts.channels shift ") == true)
            }
        }
    }

    @Test(arguments: [
        ("*", "", true), ("*", "x", true), ("pump-?", "pump-1", true), ("pump-?", "pump-12", false),
        ("p*-*1", "pump-a-1", true),
        ("?", "é", true), ("a*b*c", "aXbYc", true), ("a*b*c", "aXbY", false), ("", "", true), ("", "x", false),
        ("**a", "ba", true),
    ])
    func patterns(_ pattern: String, _ name: String, _ fits: Bool) {
        #expect(NamePattern(pattern).matches(name) == fits)
    }

    @Test func aPatternOfManyStarsIsNotSlow() {
        #expect(!NamePattern(String(repeating: "a*", count: 50) + "b").matches(String(repeating: "a", count: 5000)))
    }
}
