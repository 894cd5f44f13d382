import Testing
import TocsinChart

@Suite struct NumberTextTests {
    @Test(arguments: [
        (0, 2, "0.00"), (12345.678, 1, "12,345.7"), (-0.004, 2, "0.00"), (-1234.5, 0, "-1235"), (999.995, 2, "1000.00"),
        (1_234_567, 0, "1,234,567"), (1e300, 2, "1e300"), (.nan, 1, "no number"),
    ])
    func fixed(value: Double, decimals: Int, text: String) {
        #expect(NumberText.fixed(value, decimals) == text)
    }

    @Test(arguments: [
        (0, "0"), (0.0123456, "0.01235"), (98.25, "98.25"), (98.2999, "98.3"), (12345.6, "12,346"), (2.5e-7, "2.5e-7"),
        (-3e12, "-3e12"), (.infinity, "no number"), (9.99e-5, "1e-4"),
    ])
    func short(value: Double, text: String) {
        #expect(NumberText.short(value) == text)
    }
}
