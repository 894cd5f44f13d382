import Testing
import TocsinMeasure

@Suite("Reports")
struct ReportTests {
    @Test("a table sets names to the left and figures to the right, and takes rows of any length")
    func table() {
        var table = TextTable(["stage", "ns"])
        table.add(["decode", "101"])
        table.add(["bank"])
        table.add(["windows × 2", "1,204.5", "too many"])
        #expect(
            table.text == """
                stage             ns
                decode           101
                bank
                windows × 2  1,204.5
                """)
    }

    @Test("thousands", arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
    func grouped(number: Int, text: String) {
        #expect(Figure.grouped(number) == text)
    }

    @Test("the smallest whole number has a magnitude too")
    func smallest() {
        #expect(Figure.grouped(Int64.min) == "-9,223,372,036,854,775,808")
    }

    @Test(
        "decimals are rounded, filled and grouped",
        arguments: [
            (1.25, 1, "1.3"), (0.05, 2, "0.05"), (1234.5, 2, "1,234.50"), (-0.04, 1, "0.0"), (-2.5, 0, "-3"),
            (.nan, 1, "-"), (.infinity, 3, "-"), (1e30, 1, "-"), (999.999, 2, "1,000.00"),
        ])
    func decimal(value: Double, digits: Int, text: String) {
        #expect(Figure.decimal(value, digits: digits) == text)
    }

    @Test("sizes", arguments: [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (364 << 20, "364.0 MiB")])
    func bytes(count: Int, text: String) {
        #expect(Figure.bytes(count) == text)
    }
}
