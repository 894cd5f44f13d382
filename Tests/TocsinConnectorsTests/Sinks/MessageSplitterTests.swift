import Testing
import TocsinConnectors
import TocsinCore

@Suite("messages and sensors in lines")
struct MessageSplitterTests {
    private func split(_ text: String) -> [[String]] {
        var splitter = MessageSplitter()
        let chunk = splitter.chunk(Array(text.utf8))
        return zip(chunk.messages, chunk.sensors).map { message, sensor in
            [message, sensor].map { String(decoding: chunk.bytes[$0.range], as: UTF8.self) }
        }
    }

    @Test("each line with its sensor, also where it stands elsewhere than before")
    func lines() {
        let lines = [
            #"{"sensor_id":"a","v":1}"#, #"{"sensor_id":"bb","v":1}"#, #"{"event_id":"x","sensor_id":"c"}"#,
            #"{"v":1}"#, #"{"sensor_id":"d"}"#,
        ]
        let wanted = zip(lines, ["a", "bb", "c", "", "d"]).map { [$0, $1] }
        #expect(split(lines.joined(separator: "\n") + "\n") == wanted)
        #expect(split("\n" + lines.joined(separator: "\n\n")) == wanted)
    }

    @Test(
        "broken lines give no sensor and no trap",
        arguments: ["", "\n", #"{"sensor_id":""#, #"{"sensor_id":"abc"#, "\""])
    func broken(text: String) {
        for message in split(text) { #expect(message[1] == "") }
    }

    @Test("names behind the text")
    func names() {
        let chunk = ReadingChunk(
            lines: Array("{}\n{}\n".utf8),
            messages: [ByteRange(offset: 0, length: 2), ByteRange(offset: 3, length: 2)],
            names: Array("ab".utf8), sensors: [ByteRange(offset: 0, length: 1), ByteRange(offset: 1, length: 1)])
        #expect(chunk.textLength == 6)
        #expect(chunk.sensors.map { String(decoding: chunk.bytes[$0.range], as: UTF8.self) } == ["a", "b"])
    }
}
