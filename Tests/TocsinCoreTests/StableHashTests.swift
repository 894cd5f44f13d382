import Testing
import TocsinCore

struct StableHashTests {
    /// Ids that outlive a process depend on these: a change breaks every store.
    @Test(arguments: [
        ("", "b5fe1d196a51a00b"), ("a", "14810778b82c40b1"), ("sensor_1", "9ff336e767078837"),
        ("temperature/humidity", "d3f21214205798db"),
    ])
    func isTheSameForever(text: String, hex: String) {
        var hash = StableHash()
        hash.combine(text)
        #expect(hash.hex == hex)
    }

    @Test func knowsWhereTextsEnd() {
        var first = StableHash()
        first.combine("ab")
        first.combine("c")
        var second = StableHash()
        second.combine("a")
        second.combine("bc")
        #expect(first.value != second.value)
    }

    @Test func agreesOnSpansAndSequences() {
        let text = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
        for length in 0...text.count {
            let prefix = Array(text[..<length])
            var ofSequence = StableHash()
            ofSequence.combine(prefix)
            var ofSpan = StableHash()
            ofSpan.combine(prefix.span)
            #expect(ofSequence.value == ofSpan.value)
        }
    }

    @Test func printsSixteenDigits() {
        #expect(StableHash.hex(0) == "0000000000000000")
        #expect(StableHash.hex(.max) == "ffffffffffffffff")
        #expect(StableHash.hex(0xabc) == "0000000000000abc")
    }
}
