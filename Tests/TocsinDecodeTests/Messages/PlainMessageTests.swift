import Testing
import TocsinCore
import TocsinDecode

/// Bare numbers, CSV rows, and the guess of the form.
@Suite struct PlainMessageTests {
    private let topic = MessageEnvelope(topic: "t", sensor: "s")

    @Test func numbersAndStates() {
        let result = decode(
            messages(["21.5", " -3e2\n", "on", "OFF", "true", "21,5", "warm", "NaN", "1 2"], [topic]), .number)
        #expect(
            result.readings == [
                "s.value=21.5", "s.value=-300.0", "s.value=1.0", "s.value=0.0", "s.value=1.0", "s.value=21.5",
            ])
        #expect(result.reasons == [.notANumber, .notANumber, .notANumber])
        #expect(result.details[0].contains("\"warm\""))
    }

    @Test func aNumberMayStandAmongJSON() {
        let result = decode(messages([#"{"t":1}"#, "2", #"{"t":3}"#], [topic]), .json)
        #expect(result.readings == ["s.t=1.0", "s.value=2.0", "s.t=3.0"])
    }

    @Test func rowsWithTheirHeaders() {
        let result = decode(
            messages(["timestamp,temperature\n1759312800,20\n1759312801,21\n", "sensor_id,h\nx,1"], [topic]))
        #expect(result.readings == ["s.temperature=20.0", "s.temperature=21.0", "x.h=1.0"])
        #expect(result.places == [0, 0, 1])
        #expect(result.times == [1_759_312_800_000_000_000, 1_759_312_801_000_000_000, received])
    }

    @Test func rowsUnderAConfiguredHeader() {
        var settings = MessageDecoderSettings(form: .csv)
        settings.csvHeader = "sensor_id,timestamp,temperature"
        let result = decode(messages(["a,1759312800,20", "b,1759312800,x,y", "c,1759312800,22"]), settings)
        #expect(result.readings == ["a.temperature=20.0", "c.temperature=22.0"])
        #expect(result.reasons == [.malformed])
        #expect(result.decoded.refusals[0].payload == "b,1759312800,x,y")
        #expect(result.places == [0, 2, 1])
    }

    @Test func wordsAreRefused() {
        let result = decode(messages(["hello", "\u{1}\u{2}"], [topic]))
        #expect(result.reasons == [.malformed, .malformed])
    }

    @Test func formsAreToldApart() {
        let senml = #"[{"n":"urn:x","v":1}]"#
        let cbor = hex("81 a2 00 61 78 02 01")
        let batch = messages([Array("5".utf8), Array(senml.utf8), cbor, Array(#"[{"id":"j","v":2}]"#.utf8)], [topic])
        let result = decode(batch)
        #expect(result.readings == ["s.value=5.0", "urn:x.value=1.0", "x.value=1.0", "j.v=2.0"])
    }

    @Test func framingNeedsARegistry() {
        let result = decode(messages([[0, 0, 0, 0, 1, 2]]))
        #expect(result.reasons == [.malformed])
        #expect(result.details[0].contains("no registry is configured"))
    }

    @Test func everyFormTakesAnyBytes() {
        var random = SplitMix(seed: 5)
        for form in PayloadForm.allCases {
            var settings = MessageDecoderSettings(form: form)
            settings.schemas = SchemaTable(schemas: [:])
            var decoder = settings.makeDecoder()
            for _ in 0..<200 {
                let payloads = (0..<4).map { _ in
                    (0..<random.below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                }
                let result = decoder.run(
                    messages(payloads, [MessageEnvelope(topic: "spBv1.0/g/DDATA/n/d", sensor: "s")]))
                #expect(result.places.allSatisfy { 0..<4 ~= $0 })
            }
        }
    }
}
