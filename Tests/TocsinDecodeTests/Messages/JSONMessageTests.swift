import Testing
import TocsinCore
import TocsinDecode

@Suite struct JSONMessageTests {
    private static let good = #"{"sensor_id":"a","timestamp":1759312800,"temperature":21.5}"#

    @Test func batchesAreDecodedInOrderWithTheirPlaces() {
        let batch = messages((0..<5000).map { #"{"id":"s\#($0)","ts":1759312800,"t":\#($0)}"# })
        let result = decode(batch)
        #expect(result.readings == (0..<5000).map { "s\($0).t=\(Double($0))" })
        #expect(result.places == (0..<5000).map(Int64.init))
        #expect(result.batch.messageStarts == batch.payloads.map(\.offset))
        #expect(result.batch.messages?.payloads == batch.payloads)
        #expect(result.batch.messages?.bytes == [])
    }

    @Test func brokenMessagesHarmNoNeighbour() {
        let broken: [[UInt8]] = [
            Array(#"{"sensor_id":"b"#.utf8), Array(#"{"sensor_id":"b","t":1"#.utf8), Array("}}}".utf8), [0, 0, 0],
            Array("{\"a\":\"".utf8) + [0xff, 0xfe, 0x22, 0x7d], Array("{\"a\":\"\0\"}".utf8), Array("\"".utf8),
            Array("[[[[".utf8), Array("{\"x\":".utf8) + Array(repeating: UInt8(ascii: "["), count: 300),
            Array("\\".utf8), Array("  \n ".utf8), [],
        ]
        for fault in broken {
            let good = Array(Self.good.utf8)
            let result = decode(messages([good, fault, good, fault, fault, good]), .json)
            #expect(result.readings == Array(repeating: "a.temperature=21.5", count: 3), "\(fault)")
            #expect(result.reasons == Array(repeating: .malformed, count: 3), "\(fault)")
            #expect(Set(result.places) == [0, 1, 2, 3, 4, 5])
        }
    }

    @Test func aTombstoneSaysThatItIsOne() {
        let result = decode(messages(["", Self.good]))
        #expect(result.reasons == [.malformed])
        #expect(result.details[0].contains("Message 0 is empty"))
        #expect(result.details[0].contains("tombstone"))
        #expect(result.readings == ["a.temperature=21.5"])
    }

    @Test func aHugeMessageIsRefusedInPart() {
        let huge =
            #"{"sensor_id":"b","timestamp":1759312800,"note":""# + String(repeating: "x", count: 10 << 20)
            + #"","t":1}"#
        let result = decode(messages([Self.good, huge, Self.good]))
        #expect(result.readings.count == 2)
        #expect(result.reasons == [.tooLong])
        #expect(result.batch.rejects[0].payload.length == 4096)
        #expect(result.places == [0, 2, 1])
    }

    @Test func lineEndsAndArraysInsideOneMessage() {
        let result = decode(
            messages([
                "{\n\"sensor_id\":\"a\",\n\"timestamp\":1759312800,\n\"t\":1\n}", "[\(Self.good),\n\(Self.good)]", "[]",
            ]))
        #expect(result.readings == ["a.t=1.0", "a.temperature=21.5", "a.temperature=21.5"])
        #expect(result.places == [0, 1, 1])
        #expect(result.reasons == [])
    }

    @Test func theTopicSaysWhatThePayloadDoesNot() {
        let topic = MessageEnvelope(topic: "p", sensor: "pump", metric: "pressure", zone: "hall", unit: "bar")
        var batch = messages(
            [#"{"value":3.5}"#, #"{"sensor_id":"own","metric":"flow","value":1,"unit":"l","location":"roof"}"#], [topic]
        )
        batch.times = [Timestamp(nanoseconds: 5_000_000_000), Timestamp(nanoseconds: 0)]
        let result = decode(batch)
        #expect(result.readings == ["pump.pressure=3.5", "own.flow=1.0"])
        #expect(result.times == [5_000_000_000, received])
        #expect(result.unit("pump", "pressure") == "bar")
        #expect(result.unit("own", "flow") == "l")
        #expect(result.zone("pump") == "hall")
        #expect(result.zone("own") == "roof")
    }

    @Test func manyTopicsKeepTheirOwn() {
        let topics = (0..<3).map { MessageEnvelope(topic: "t\($0)", sensor: "s\($0)", metric: $0 == 1 ? "m" : nil) }
        let result = decode(messages((0..<6).map { #"{"value":\#($0)}"# }, topics))
        #expect(
            result.readings == ["s0.value=0.0", "s1.m=1.0", "s2.value=2.0", "s0.value=3.0", "s1.m=4.0", "s2.value=5.0"])
    }

    @Test func aMessageThatNamesNoSensorIsRefused() {
        let result = decode(messages([#"{"value":1}"#, "7"]))
        #expect(result.reasons == [.missingField, .missingField])
        #expect(result.details.allSatisfy { $0.contains("names no sensor, and neither does its topic") })
    }

    @Test func framedJSON() {
        let framed = [0, 0, 0, 0, 7] + Array(Self.good.utf8)
        let result = decode(messages([framed, Array(Self.good.utf8)]), .confluentJSON)
        #expect(result.readings == ["a.temperature=21.5"])
        #expect(result.reasons == [.malformed])
    }

    @Test func everyDamageStaysInItsMessage() {
        let good = Array(Self.good.utf8)
        for position in good.indices {
            for byte in [UInt8(0), 0x22, 0x5c, 0x7b, 0xff, 0x0a] {
                var damaged = good
                damaged[position] = byte
                let result = decode(messages([good, damaged, good]))
                #expect(result.batch.rejects.count + result.batch.eventCount <= 4)
                #expect(result.places.contains(0) && result.places.contains(2))
                #expect(result.readings.first == "a.temperature=21.5")
            }
            let cut = decode(messages([good, Array(good[..<position]), good]))
            #expect(cut.readings == ["a.temperature=21.5", "a.temperature=21.5"])
            #expect(cut.places.contains(1))
        }
    }
}
