import Testing
import TocsinCore
import TocsinDecode

/// Inputs that scripts/fuzz found: each once broke the promise that the result does not depend on the chunks.
struct FuzzFindsTests {
    struct Find: Sendable, CustomTestStringConvertible {
        var name: String
        var chunks: [String]
        var longest = 1 << 20
        var testDescription: String { name }
    }

    static let finds: [Find] = [
        // A byte order mark is one only before everything else; it was also taken for one behind a border of runs.
        Find(name: "mark in an array", chunks: ["[", "\u{feff}{\"device\":\"a\",\"ts\":1,\"t\":1}]"]),
        Find(
            name: "mark on the second line",
            chunks: ["{\"device\":\"a\",\"ts\":1,\"t\":1}\n", "\u{feff}{\"device\":\"b\",\"ts\":2,\"t\":2}\n"]),
        Find(name: "mark behind an empty line", chunks: ["ts,device\u{1}\n", "\u{feff}ts,device,t\n1,a,2\n"]),
        // The mark's three bytes counted as part of a line of just the allowed length, if that came in parts.
        Find(name: "mark and longest line", chunks: ["\u{feff}ts,device,tempe", "rature\n1,a,2\n"], longest: 21),
    ]

    @Test(arguments: finds)
    func chunksChangeNothing(find: Find) {
        let limits = DecodeLimits(maximumMessageBytes: find.longest, clippedBytes: 16)
        let chunks = find.chunks.map { Array($0.utf8) }
        let whole = decode(chunks: [chunks.flatMap(\.self)], limits: limits)
        #expect(decode(chunks: chunks, limits: limits) == whole)
        #expect(decode(chunks: pieces(chunks.flatMap(\.self), of: 1), limits: limits) == whole)
    }

    @Test func aMarkBeforeEverythingIsNoContent() {
        let message = "{\"device\":\"a\",\"ts\":1,\"t\":1}"
        #expect(decode("\u{feff}" + message) == decode(message))
        #expect(decode(chunks: pieces(Array("\u{feff}\(message)".utf8), of: 1)) == decode(message))
    }
}
