import Testing
import TocsinCore
import TocsinDecode

@Suite struct SenMLTests {
    /// RFC 8428, section 5.1.2.
    private static let multiple = """
        [{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
        {"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":0,"v":1.7}]
        """

    /// The same pack in CBOR: section 6.1 of the RFC, with these names and values.
    private static let binary = hex(
        """
        84
        a7 21 78 1b 75726e3a6465763a6f773a313065323037336130313038303036 3a
           22 fb 41d303a15b001062 23 61 41 20 05 00 67 766f6c74616765 01 61 56 02 fb 405e066666666666
        a3 00 67 63757272656e74 06 24 02 fb 3ff3333333333333
        a3 00 67 63757272656e74 06 23 02 fb 3ff4cccccccccccd
        a3 00 67 63757272656e74 06 00 02 fb 3ffb333333333333
        """)

    private static let readings = ["voltage=120.1", "current=1.2", "current=1.3", "current=1.7"]
        .map { "urn:dev:ow:10e2073a0108006.\($0)" }

    @Test func whatIsRefusedWholeIsRefusedOnce() {
        // The first record is refused alone, until the second one breaks the pack.
        let pack = #"[{"bn":"a:","n":"t","vs":"x"},{"n":"u","v":"y"}]"#
        let result = decode(messages([pack]), .senmlJSON)
        #expect(result.batch.rejects.map(\.payload) == [ByteRange(offset: 0, length: pack.utf8.count)])
        #expect(result.reasons == [.notANumber])
    }

    @Test func recordsAreResolved() {
        let result = decode(messages([Self.multiple]))
        #expect(result.readings == Self.readings)
        #expect(
            result.times == [
                1_276_020_076_001_000_000, 1_276_020_071_001_000_000, 1_276_020_072_001_000_000,
                1_276_020_076_001_000_000,
            ])
        #expect(result.unit("urn:dev:ow:10e2073a0108006", "current") == "A")
        #expect(result.unit("urn:dev:ow:10e2073a0108006", "voltage") == "V")
    }

    @Test func cborSaysTheSame() {
        let result = decode(messages([Self.binary]))
        #expect(result.readings == Self.readings)
        #expect(result.times == decode(messages([Self.multiple])).times)
        #expect(result.details == [])
    }

    @Test func namesWithoutABaseAreSensors() {
        let result = decode(messages([#"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#]))
        #expect(result.readings == ["urn:dev:ow:10e2073a01080063.value=23.1"])
        #expect(result.times == [received])
        let topic = MessageEnvelope(topic: "t", metric: "temp")
        let named = decode(messages([#"[{"n":"x","v":1}]"#], [topic]))
        #expect(named.readings == ["x.temp=1.0"])
    }

    /// RFC 8428, section 5.1.4: positions differ by their units alone.
    @Test func positions() {
        let text =
            #"[{"bn":"urn:a","bt":1.320067464e+09,"bu":"%RH","v":20},{"u":"lon","v":24.30621},{"u":"lat","v":60.07965}]"#
        #expect(
            decode(messages([text]), .senmlJSON).readings == [
                "urn:a.value=20.0", "urn:a.lon=24.30621", "urn:a.lat=60.07965",
            ])
    }

    @Test func valuesSumsFlagsAndTexts() {
        let text =
            #"[{"bn":"d:","bv":10,"bs":100,"n":"a","v":1},{"n":"b","vb":true},{"n":"c","vb":false},{"n":"m","s":5},{"n":"w","vs":"text"},{"n":"x"}]"#
        let result = decode(messages([text]), .senmlJSON)
        #expect(result.readings == ["d.a=11.0", "d.b=1.0", "d.c=0.0", "d.m=105.0"])
        #expect(result.reasons == [.notANumber])
        #expect(result.details[0].contains("gives `w` a string or data value"))
    }

    @Test func timesAreRelativeBelowTwoToThe28() {
        let text = #"[{"n":"a","v":1,"t":-60},{"n":"a","v":2,"t":268435455},{"n":"a","v":3,"t":268435456}]"#
        let result = decode(messages([text]), .senmlJSON)
        #expect(
            result.times == [received - 60_000_000_000, received + 268_435_455_000_000_000, 268_435_456_000_000_000])
        var dated = messages([#"[{"n":"a","v":1,"t":-1}]"#])
        dated.times = [Timestamp(nanoseconds: 10_000_000_000)]
        #expect(decode(dated).times == [9_000_000_000])
    }

    @Test func packsThatCannotBeUnderstoodAreRefused() {
        let packs = [
            #"[{"bver":11,"n":"a","v":1}]"#, #"[{"n":"a","v":1,"secret_":2}]"#, #"{"n":"a","v":1}"#, #"[1]"#,
            #"[{"n":"a","v":"1"}]"#, #"[{"n":1,"v":1}]"#, #"[{"n":"a","v":1}"#, #"[{"n":"a","vb":1}]"#,
        ]
        let result = decode(messages(packs), .senmlJSON)
        #expect(result.readings == [])
        #expect(
            result.reasons == [
                .malformed, .malformed, .malformed, .malformed, .notANumber, .malformed, .malformed, .malformed,
            ])
        #expect(result.details[0].contains("version 11"))
    }

    @Test func everyItemOfCBORCanStandThereAndIsPassedOver() {
        // Under the label 99: integers, halves, strings in pieces, nested arrays and maps without lengths, tags.
        let items = [
            "1bffffffffffffffff", "3a00000010", "f93c00", "f97e00", "5f 41 01 42 02 03 ff", "7f 61 61 61 62 ff",
            "9f 01 9f 02 ff 83 01 02 03 ff", "bf 61 61 9f ff 61 62 a0 ff", "c2 43 010203", "d8 20 61 61", "f6", "f8 ff",
            "a1 a1 01 02 80",
        ]
        for item in items {
            let pack = hex("81 a3 18 63 \(item) 00 61 78 02 f9 3e00")
            let result = decode(messages([pack]), .senmlCBOR)
            #expect(result.readings == ["x.value=1.5"], "\(item): \(result.details)")
        }
        // A decimal fraction, 273.15; a pack and a record without lengths; a name in pieces.
        let other = hex("9f bf 00 7f 61 78 61 79 ff 02 c4 82 21 19 6ab3 ff ff")
        #expect(decode(messages([other]), .senmlCBOR).readings == ["xy.value=273.15"])
    }

    @Test func brokenCBORIsRefused() {
        let broken = [
            "81", "81 a1", "81 a1 00", "81 a1 02 1c", "81 a1 02 ff", "81 a1 02 f8 10", "82 a1 00 61 78", "9f",
            "81 a1 00 7f 01 ff",
            "81 a1 00 7f 7f ff ff", "9b ffffffffffffffff", "81 a1 18 63 " + String(repeating: "81", count: 200) + "00",
            "81 a1 18 63 bf 01 ff", "81 a2 00 61 78 02 01 00", "01",
        ]
        let result = decode(messages(broken.map { hex($0) }), .senmlCBOR)
        #expect(result.reasons.count == broken.count)
        #expect(result.readings == [])
    }

    @Test func damageNeverTraps() {
        for whole in [Array(Self.multiple.utf8), Self.binary] {
            for position in whole.indices {
                for byte in [UInt8(0), 0x1b, 0x5f, 0x7f, 0x9f, 0xbf, 0xff] {
                    var damaged = whole
                    damaged[position] = byte
                    _ = decode(messages([damaged]), whole[0] == 0x84 ? .senmlCBOR : .senmlJSON)
                }
                let cut = decode(messages([Array(whole[..<position])]), whole[0] == 0x84 ? .senmlCBOR : .senmlJSON)
                #expect(cut.readings == [] && cut.reasons.count == 1)
            }
        }
    }

    @Test func eventsKeepTheirOwnRecords() {
        let pack =
            #"[{"bn":"a:","bt":1700000000,"n":"x","v":1},{"n":"y","v":2},"#
            + #"{"bn":"b:","n":"x","v":3},{"n":"z","vs":"no"}]"#
        let result = decode(messages([pack]), .senmlJSON)
        let text = { (payload: ByteRange) in String(decoding: result.batch.bytes[payload.range], as: UTF8.self) }
        #expect(
            result.batch.payloads.map(text) == [
                #"{"bn":"a:","bt":1700000000,"n":"x","v":1},{"n":"y","v":2}"#, #"{"bn":"b:","n":"x","v":3}"#,
            ])
        #expect(result.batch.rejects.map { text($0.payload) } == [#"{"n":"z","vs":"no"}"#])
        // [{0: "a", 2: 1}, {0: "b", 2: 2}]
        let cbor = decode(messages([hex("82 a2 00 6161 02 01 a2 00 6162 02 02")]), .senmlCBOR)
        #expect(cbor.batch.payloads.map(\.range) == [1..<7, 7..<13])
    }
}
