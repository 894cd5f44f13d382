import Testing
import TocsinSpool

@Suite struct CRC32CTests {
    @Test func hasThePublishedCheckValue() {
        let digits = Array("123456789".utf8)
        #expect(CRC32C.of(digits.span) == 0xe306_9283)
        #expect(CRC32C.byTables(digits.span) == 0xe306_9283)
        #expect(CRC32C.of([UInt8]().span) == 0)
    }

    @Test func bodiesAgreeAtEveryLengthAndInParts() {
        var random = Generator(seed: 1)
        let bytes = random.bytes(20_000)
        for count in Array(0..<80) + [2047, 6143, 6144, 6145, 12_288, 19_999, 20_000] {
            let whole = CRC32C.of(bytes.span.extracting(0..<count))
            #expect(whole == CRC32C.byTables(bytes.span.extracting(0..<count)), "\(count) bytes")
            let cut = count / 3
            let head = CRC32C.of(bytes.span.extracting(0..<cut))
            #expect(whole == CRC32C.of(bytes.span.extracting(cut..<count), after: head), "\(count) bytes in parts")
        }
    }
}
