import Testing
import TocsinCore

@Suite struct PrintableTextTests {
    @Test(arguments: [
        ("pump-7 °C 温度 👩‍🔧", "pump-7 °C 温度 👩‍🔧"),
        ("a\u{1B}[2J\u{7}b", "a\u{FFFD}[2J\u{FFFD}b"),
        ("\u{9B}31m", "\u{FFFD}31m"),
        ("one\r\ntwo\tthree", "one\u{FFFD}\u{FFFD}two\u{FFFD}three"),
        ("\u{202E}txt\u{2066}\u{2028}", "\u{FFFD}txt\u{FFFD}\u{FFFD}"),
        ("", ""),
    ])
    func nothingDrivesTheTerminal(text: String, shown: String) {
        #expect(text.printable == shown)
    }

    @Test func linesAndTabsStayWhereTheyAreWanted() {
        #expect("a,b\n1\t2\r\n\u{1B}c".printableLines == "a,b\n1\t2\u{FFFD}\n\u{FFFD}c")
    }
}
