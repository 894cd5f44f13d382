import Testing
import TocsinCore
import TocsinDecode

/// Numbers come out as the nearest double, by the fast way and the slow way alike.
struct DecimalTests {
    private func value(_ number: String) -> Double? {
        var decoder = EventDecoder(format: .json)
        let text = Array(#"{"device":"d","ts":1,"t":\#(number)}"#.utf8)
        return decoder.decode(chunk: text, origin: testOrigin, table: SeriesTable(seed: 1)).values.first
    }

    @Test(arguments: [
        "0", "-0", "1", "0.1", "9007199254740993", "9007199254740992", "123456789012345678", "1e22", "1e23", "1e-22",
        "1e-23",
        "1.7976931348623157e308", "2.2250738585072014e-308", "4.9e-324", "1e-400",
        "0.000000000000000000000000000000000001",
        "3.14159265358979323846264338327950288", "123456789.123456789e-5", "1594598424502333600", "0e999", "5e-1",
        "179769313486231570000000000000000000000000000000000000000", "8.5e15", "1.00000000000000000000000000000000001",
    ])
    func agreesWithTheStandardLibrary(number: String) throws {
        let expected = try #require(Double(number))
        #expect(value(number)?.bitPattern == expected.bitPattern)
    }

    @Test func agreesOnRandomNumbers() {
        var random = SplitMix(seed: 5)
        var text = ""
        var expected: [Double] = []
        for _ in 0..<20_000 {
            let number: Double =
                switch random.below(3) {
                case 0: Double(Int64(truncatingIfNeeded: random.next()) >> 20) / 1000
                case 1: Double(random.below(100_000)) / 100
                default: Double(bitPattern: random.next())
                }
            guard number.isFinite else { continue }
            expected.append(number)
            text += #"{"device":"d","ts":1,"t":\#(number)}"# + "\n"
        }
        var decoder = EventDecoder(format: .json)
        let batch = decoder.decode(chunk: Array(text.utf8), origin: testOrigin, table: SeriesTable(seed: 1))
        #expect(batch.values == expected)
    }
}
