import Testing
import TocsinConnectors
import TocsinCore
import TocsinDecode

@Suite("messages as they are sent")
struct MessageWriterTests {
    private let stamp = Timestamp(nanoseconds: 1_800_000_000_123_456_000)

    private func sent(
        _ text: String, mapping: InputMapping = InputMapping(defaultSensor: "file"), sensor: String? = nil,
        time: Timestamp? = nil, pass: Int? = nil
    ) -> [String] {
        var mapping = mapping
        mapping.timeFromReceipt = true
        var decoder = EventDecoder(mapping: mapping)
        let origin = Origin(source: SourceID(1), sourceName: "t", position: 0, received: Timestamp(nanoseconds: 0))
        let batch = decoder.decode(chunk: Array(text.utf8), origin: origin, table: SeriesTable())
        var writer = MessageWriter(mapping: mapping)
        var lines: [UInt8] = []
        for payload in batch.payloads {
            writer.append(
                payload, of: batch, isRow: !text.hasPrefix("{") && !text.hasPrefix("["), sensor: sensor, time: time,
                pass: pass, to: &lines)
        }
        return String(decoding: lines, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("rows become objects: numbers as numbers, sensors as text")
    func rows() {
        let text = "sensor_id,timestamp,Temp[C],note,ok,gap\r\n007,1760000000,21.50,\"a \"\"b\"\", c\",true,\r\n"
        #expect(
            sent(text) == [
                #"{"sensor_id":"007","timestamp":1760000000,"Temp[C]":21.50,"note":"a \"b\", c","ok":true,"gap":null}"#
            ])
    }

    @Test("numbers that JSON writes otherwise")
    func numbers() {
        let text = "sensor;ts;a;b;c;d\nx;1760000000;21,5;.5;+3;-1e3\n"
        #expect(sent(text) == [#"{"sensor":"x","ts":1760000000,"a":21.5,"b":0.5,"c":3,"d":-1e3}"#])
    }

    @Test("a message that names no sensor gets one")
    func sensors() {
        #expect(sent("ts,a\n1760000000,1\n", sensor: "file") == [#"{"sensor_id":"file","ts":1760000000,"a":1}"#])
        #expect(
            sent(#"{"ts":1760000000,"a":1}"#, sensor: "file") == [#"{"sensor_id":"file","ts":1760000000,"a":1}"#])
        #expect(
            sent(#"{"ts":1760000000,"Device":"file","a":1}"#, sensor: "file")
                == [#"{"ts":1760000000,"Device":"file","a":1}"#])
    }

    @Test("new times keep the form of the old")
    func stamps() {
        let iso = stamp.iso8601
        #expect(
            sent(#"{"sensor":"x","timestamp":"2025-10-01T00:00:00Z","a":1}"#, time: stamp)
                == [#"{"sensor":"x","timestamp":"\#(iso)","a":1}"#])
        for (old, new) in [
            ("1760000000", "1800000000.123456"), ("1760000000000", "1800000000123.456"),
            ("1760000000000000", "1800000000123456"), ("1760000000000000000", "1800000000123456000"),
        ] {
            #expect(sent(#"{"sensor":"x","ts":\#(old),"a":1}"#, time: stamp) == [#"{"sensor":"x","ts":\#(new),"a":1}"#])
            #expect(sent("sensor,ts,a\nx,\(old),1\n", time: stamp) == [#"{"sensor":"x","ts":\#(new),"a":1}"#])
        }
        #expect(sent(#"{"sensor":"x","a":1}"#, time: stamp) == [#"{"timestamp":"\#(iso)","sensor":"x","a":1}"#])
    }

    @Test("mapped fields, also within objects")
    func mapped() {
        let mapping = InputMapping(sensor: "unit", time: "head.at", timeFormat: .milliseconds)
        #expect(
            sent(#"{"head":{"at":1760000000000},"unit":"x","a":1}"#, mapping: mapping, time: stamp)
                == [#"{"head":{"at":1800000000123.456},"unit":"x","a":1}"#])
    }

    @Test("events that are sent again are others")
    func passes() {
        #expect(
            sent(#"{"event_id":"e7","sensor":"x","ts":1760000000,"a":1}"#, pass: 2)
                == [#"{"event_id":"e7-2","sensor":"x","ts":1760000000,"a":1}"#])
        #expect(
            sent("event_id,sensor,ts,a\ne7,x,1760000000,1\n", pass: 2)
                == [#"{"event_id":"e7-2","sensor":"x","ts":1760000000,"a":1}"#])
    }

    @Test("elements of an array that spread over lines become lines")
    func documents() {
        let text =
            "[\n {\"sensor\": \"x\",\n  \"ts\": 1760000000, \"a\": 1},\n {\"sensor\":\"y\",\"ts\":1760000001,\"a\":2}\n]"
        #expect(
            sent(text) == [
                #"{"sensor": "x",   "ts": 1760000000, "a": 1}"#, #"{"sensor":"y","ts":1760000001,"a":2}"#,
            ])
    }
}
