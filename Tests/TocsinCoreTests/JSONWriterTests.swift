import Testing
import TocsinCore

struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        body(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test func nestsAndSeparates() {
        let text = written { json in
            json.object {
                $0.field("a", 1)
                $0.key("b")
                $0.array {
                    $0.value(1.5)
                    $0.object { _ in }
                    $0.array { _ in }
                    $0.null()
                    $0.value(true)
                }
                $0.field("c", "x")
            }
        }
        #expect(text == #"{"a":1,"b":[1.5,{},[],null,true],"c":"x"}"#)
    }

    @Test func escapesWhatJSONForbids() {
        #expect(written { $0.value("\"\\\n\r\t\u{1}\u{1f}ä😀") } == #""\"\\\n\r\t\u0001\u001fä😀""#)
    }

    @Test(arguments: [
        (0.0, "0"), (-1.0, "-1"), (21.5, "21.5"), (1e15, "1000000000000000.0"), (1e16, "1e+16"), (0.1, "0.1"),
        (1e-7, "1e-07"), (.nan, "null"),
        (.infinity, "null"), (-.infinity, "null"),
    ])
    func writesNumbers(number: Double, text: String) {
        #expect(written { $0.value(number) } == text)
    }

    @Test func writesEveryDoubleSoThatItComesBack() {
        var random = SplitMix(seed: 3)
        for _ in 0..<20_000 {
            let number = Double(bitPattern: random.next())
            guard number.isFinite else { continue }
            #expect(Double(written { $0.value(number) }) == number)
        }
    }

    @Test func writesTimesAndLines() {
        var json = JSONWriter()
        json.object { $0.field("time", Timestamp(nanoseconds: 1_759_312_800_250_000_000)) }
        json.newline()
        json.object { $0.field("none", nil as String?) }
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == "{\"time\":\"2025-10-01T10:00:00.250Z\"}\n{\"none\":null}")
    }

    @Test func replacesInvalidUTF8() {
        #expect(written { $0.value(utf8: [0x61, 0xff, 0x62]) } == "\"a\u{fffd}b\"")
    }
}
