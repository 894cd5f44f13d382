import Testing
import TocsinCore
import TocsinMeasure

@Suite("HTTP client of the benchmark")
struct ClientTests {
    @Test(
        "addresses",
        arguments: [
            ("http://127.0.0.1:8080", "127.0.0.1", UInt16(8080)), ("http://localhost", "localhost", 80),
            ("http://example.org:81/", "example.org", 81), ("http://[::1]:9000", "::1", 9000),
        ])
    func address(text: String, host: String, port: UInt16) throws {
        let address = try HTTPAddress(text)
        #expect(address.host == host)
        #expect(address.port == port)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "127.0.0.1:8080", "https://host", "http://", "http://:80", "http://host:0", "http://host:99999",
            "http://host/path", "http://[::1", "http://[::1]x", "http://host:8x",
        ])
    func badAddress(text: String) {
        #expect(throws: TocsinError.self) { try HTTPAddress(text) }
    }

    /// Fed in pieces of every size, the outcome is the same.
    private func answer(_ text: String, piece: Int) -> (answer: HTTPAnswer, body: String, used: Int) {
        var answer = HTTPAnswer()
        var body: [UInt8] = []
        let bytes = Array(text.utf8)
        var used = 0
        while used < bytes.count, !answer.isComplete, !answer.isBroken {
            used += answer.take(bytes[used..<min(bytes.count, used + piece)], into: &body)
        }
        return (answer, String(decoding: body, as: UTF8.self), used)
    }

    @Test("a body by its length", arguments: [1, 2, 7, 1000])
    func length(piece: Int) {
        let text = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1"
        let (answer, body, used) = answer(text, piece: piece)
        #expect(answer.isComplete)
        #expect(answer.status == 202)
        #expect(body == "hello")
        #expect(used == text.utf8.count - 8)
    }

    @Test("a body in chunks", arguments: [1, 3, 1000])
    func chunks(piece: Int) {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"
        let (answer, body, used) = answer(text, piece: piece)
        #expect(answer.isComplete)
        #expect(body == "abc0123456789")
        #expect(used == text.utf8.count)
    }

    @Test("no body")
    func nothing() {
        let (answer, body, _) = answer("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", piece: 5)
        #expect(answer.isComplete)
        #expect(answer.status == 503)
        #expect(body.isEmpty)
    }

    @Test(
        "nonsense is told",
        arguments: [
            "HELLO\r\n", "HTTP/1.1 x\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        ])
    func broken(text: String) {
        #expect(answer(text, piece: 4).answer.isBroken)
    }

    @Test("server-sent events out of pieces", arguments: [1, 4, 1000])
    func events(piece: Int) {
        let text = Array(
            "retry: 2000\n\n: heartbeat\n\nid: 1-2\nevent: anomaly\ndata: {\"a\":1}\n\ndata: x\r\ndata: y\r\n\r\nevent: lost\ndata: "
                .utf8)
        var stream = EventStream()
        var events: [EventStream.Event] = []
        for start in stride(from: 0, to: text.count, by: piece) {
            events += stream.take(Array(text[start..<min(text.count, start + piece)]))
        }
        #expect(
            events == [
                EventStream.Event(name: "anomaly", data: Array("{\"a\":1}".utf8)),
                EventStream.Event(name: "message", data: Array("x\ny".utf8)),
            ])
    }
}
