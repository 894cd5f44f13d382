import Testing
import TocsinCore
import TocsinDecode

/// The same bytes, however they arrive in chunks, give the same events and rejects.
struct ChunkingTests {
    static let inputs: [String] = [
        "{\"device\":\"a\",\"ts\":1,\"t\":1}\r\n\r\nbad\n{\"device\":\"b\",\"ts\":2,\"t\":\"ä😀\",\"u\":2}\n{\"device\":\"c\",\"ts\":3,\"t\":3}",
        "\u{feff}{\"device\":\"a\",\"ts\":1,\"t\":1}\n{\"device\":\"b\\\"\",\"ts\":2,\"t\":2}{\"device\":\"c\",\"ts\":3,\"t\":3}\n{\"dev",
        "[{\"device\":\"a\",\"ts\":1,\"t\":1,\"m\":{\"x\":\"}{\"}},\n {\"device\":\"b\",\"ts\":2,\"t\":},\n{\"device\":\"c\",\"ts\":3,\"t\":3}]\n",
        "{\n \"device\": \"a\",\n \"ts\": 1, \"t\": 1\n}\n{\n \"device\": \"b\",\n \"ts\n{\"device\":\"c\",\"ts\":3,\"t\":3}\n",
        "{\"device\":\"a\",\"ts\":1,\"t\":1}{\"device\":\"b\",\"ts\":2,\"t\":2} {\"device\":\"c\",\"ts\":3,\"t\":3}",
        "garbage first\n{\"device\":\"b\",\"ts\":2,\"t\":2}\n{\"device\":\"c\",\"ts\":3,\"t\":3}\n",
        "\u{feff}ts,device,note,t\r\n1,a,\"x\r\ny\",1\r\n2,b,\"he said \"\"no\"\"\",2\r\n3,c\r\n4,\"d\",z,4",
        "ts;device;note;t\n1;a;\"open;1\n2;b;x;2,5\n3;c;\"q\";3\n4;d;\"\"\"\";4\n",
        "\u{1}\u{2}\n\nts,device,t\n1,a,1\n2,b,2\n",
        "{\"device\":\"a\",\"ts\":1,\"t\":1,\"pad\":\"0123456789012345678901234567890123456789\"}\n{\"device\":\"b\",\"ts\":2,\"t\":2}\n",
        "[{\"device\":\"a\",\"ts\":1,\"t\":1,\"pad\":\"0123456789012345678901234567890123456789\"},{\"device\":\"b\",\"ts\":2,\"t\":2}]",
        "ts,device,t\n1,a,11111111111111111111111111111111111111111111111111111111111111111\n2,b,2\n3,c,\"3\n4,d,4\n",
    ]

    @Test(arguments: inputs)
    func doesNotDependOnWhereTheInputIsCut(text: String) {
        let bytes = Array(text.utf8)
        let limits = DecodeLimits(maximumMessageBytes: 60, clippedBytes: 20)
        let whole = decode(chunks: [bytes], limits: limits)
        #expect(whole.events.count >= 1)
        for cut in 0...bytes.count {
            let decoded = decode(chunks: [Array(bytes[..<cut]), Array(bytes[cut...])], limits: limits)
            #expect(decoded == whole, "cut at \(cut)")
        }
        for size in 1...9 {
            #expect(decode(chunks: pieces(bytes, of: size), limits: limits) == whole, "pieces of \(size)")
        }
    }

    @Test(arguments: inputs)
    func decodesABodyLikeAStream(text: String) {
        let bytes = Array(text.utf8)
        #expect(decode(bytes) == decode(chunks: pieces(bytes, of: 5)))
    }

    @Test func tellsWhereMessagesStand() {
        let text = Array("{\"device\":\"a\",\"ts\":1,\"t\":1}\n{\"device\":\"b\",\"ts\":2,\"t\":2}\n".utf8)
        var assembler = ChunkAssembler(position: 1000)
        var decoder = EventDecoder()
        let table = SeriesTable(seed: 1)
        var places: [Int64] = []
        for piece in pieces(text, of: 10) {
            for run in assembler.append(piece) {
                let batch = decoder.decode(run, origin: testOrigin, table: table)
                places += batch.payloads.map { batch.origin.position + Int64($0.offset) }
            }
        }
        #expect(places == [1000, 1028])
    }

    @Test func handsLinesOutAtOnce() {
        var assembler = ChunkAssembler()
        #expect(assembler.append(Array("{\"device\":\"a\",\"ts\":1}\n{\"de".utf8)).count == 1)
        #expect(assembler.pendingBytes == 4)
        #expect(assembler.append(Array("vice\":\"a\"}\n".utf8)).count == 1)
        #expect(assembler.pendingBytes == 0)
        #expect(assembler.finish() == [])
    }
}
