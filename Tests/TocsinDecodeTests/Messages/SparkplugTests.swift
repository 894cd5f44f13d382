import Testing
import TocsinCore
import TocsinDecode

@Suite struct SparkplugTests {
    private static let time: UInt64 = 1_759_312_800_000

    /// A metric, by the field numbers of the specification's `sparkplug_b.proto`.
    private static func metric(
        _ name: String? = nil, alias: UInt64? = nil, type: UInt64? = nil, _ value: [UInt8], unit: String? = nil,
        time: UInt64? = nil, extra: [UInt8] = []
    ) -> [UInt8] {
        var content = name.map { field(1, text: $0) } ?? []
        if let alias { content += field(2, varint: alias) }
        if let time { content += field(3, varint: time) }
        if let type { content += field(4, varint: type) }
        if let unit {
            content += field(
                9, bytes: field(1, text: "engUnit") + field(2, bytes: field(1, varint: 12) + field(8, text: unit)))
        }
        return field(2, bytes: content + extra + value)
    }

    private static func payload(_ sequence: UInt64?, _ metrics: [UInt8]...) -> [UInt8] {
        field(1, varint: time) + metrics.flatMap(\.self) + (sequence.map { field(3, varint: $0) } ?? [])
    }

    private static func session(_ number: UInt64) -> [UInt8] { metric("bdSeq", type: 8, field(11, varint: number)) }

    private static let birth = payload(
        0, session(3), metric("Node Control/Rebirth", type: 11, field(14, varint: 0)),
        metric("temp", alias: 1, type: 10, field(13, double: 21.5), unit: "C"),
        metric("level", alias: 2, type: 3, field(10, varint: 0xffff_fffe)))

    /// One host over several messages.
    private struct Talk {
        var decoder = MessageDecoderSettings(form: .auto).makeDecoder()
        let table = SeriesTable(seed: 1)

        mutating func hear(_ topic: String, _ payload: [UInt8]) -> DecodedMessages {
            decoder.run(messages([payload], [MessageEnvelope(topic: "spBv1.0/\(topic)")]), table: table)
        }
    }

    @Test func birthsNameWhatDataSays() {
        var talk = Talk()
        let born = talk.hear("plant/NBIRTH/edge", Self.birth)
        #expect(born.readings == ["plant/edge.temp=21.5", "plant/edge.level=-2.0"])
        #expect(born.unit("plant/edge", "temp") == "C")
        #expect(born.zone("plant/edge") == "plant")
        #expect(born.times == [1_759_312_800_000_000_000])
        let data = talk.hear(
            "plant/NDATA/edge",
            Self.payload(
                1, Self.metric(alias: 1, field(13, double: 22)),
                Self.metric(alias: 2, field(10, varint: 0xffff_ffff), time: 5000),
                Self.metric("temp", field(13, double: 23))))
        #expect(data.readings == ["plant/edge.temp=22.0", "plant/edge.level=-1.0", "plant/edge.temp=23.0"])
        #expect(data.times == [1_759_312_800_000_000_000, 5_000_000_000, 1_759_312_800_000_000_000])
        let replies = talk.decoder.takeReplies()
        #expect(replies.rebirthRequests == [])
    }

    @Test func devicesAreSensorsOfTheirOwn() {
        var talk = Talk()
        _ = talk.hear("plant/NBIRTH/edge", Self.birth)
        let born = talk.hear(
            "plant/DBIRTH/edge/pump", Self.payload(1, Self.metric("flow", alias: 1, type: 9, field(12, float: 1.5))))
        let data = talk.hear("plant/DDATA/edge/pump", Self.payload(2, Self.metric(alias: 1, field(12, float: 2.5))))
        #expect(born.readings + data.readings == ["plant/edge/pump.flow=1.5", "plant/edge/pump.flow=2.5"])
        #expect(talk.decoder.takeReplies().rebirthRequests == [])
        let death = talk.hear("plant/DDEATH/edge/pump", Self.payload(3))
        #expect(death.departures == ["plant/edge/pump"])
        #expect(death.readings == [])
    }

    @Test func allNumericTypes() {
        let cases: [(UInt64, [UInt8], Double)] = [
            (1, field(10, varint: 0xff), -1), (2, field(10, varint: 0xffff_8000), -32768),
            (3, field(10, varint: 0x8000_0000), -2_147_483_648),
            (4, field(11, varint: .max), -1), (5, field(10, varint: 200), 200), (6, field(10, varint: 65535), 65535),
            (7, field(10, varint: 0xffff_ffff), 4_294_967_295),
            (8, field(11, varint: .max), 18_446_744_073_709_551_616),
            (9, field(12, float: 0.5), 0.5), (10, field(13, double: -0.25), -0.25), (11, field(14, varint: 1), 1),
        ]
        for (type, value, expected) in cases {
            var talk = Talk()
            let result = talk.hear("g/NBIRTH/n", Self.payload(0, Self.session(0), Self.metric("m", type: type, value)))
            #expect(result.readings == ["g/n.m=\(expected)"], "type \(type)")
        }
    }

    @Test func whatIsNoReadingIsCounted() {
        var talk = Talk()
        let quality = field(
            9, bytes: field(1, text: "Quality") + field(2, bytes: field(1, varint: 3) + field(3, varint: 0)))
        let result = talk.hear(
            "g/NBIRTH/n",
            Self.payload(
                0, Self.session(0), Self.metric("text", type: 12, field(15, text: "x")),
                Self.metric("date", type: 13, field(11, varint: 5)),
                Self.metric("set", type: 16, field(17, bytes: [])),
                Self.metric("template", type: 19, field(18, bytes: [])),
                Self.metric("bytes", type: 17, field(16, bytes: [1])),
                Self.metric("null", type: 10, [], extra: field(7, varint: 1)),
                Self.metric("bad", type: 10, field(13, double: 1), extra: quality),
                Self.metric("old", type: 10, field(13, double: 2), extra: field(5, varint: 1))))
        #expect(result.readings == ["g/n.old=2.0"])
        #expect(result.reasons == [])
        #expect(talk.decoder.skippedValues == 6)
    }

    @Test func gapsAskForARebirthOnce() {
        var talk = Talk()
        _ = talk.hear("plant/NBIRTH/edge", Self.birth)
        let data = { Self.payload($0, Self.metric(alias: 1, field(13, double: 1))) }
        #expect(talk.hear("plant/NDATA/edge", data(1)).readings.count == 1)
        #expect(talk.hear("plant/NDATA/edge", data(3)).readings.count == 1)
        #expect(talk.hear("plant/NDATA/edge", data(7)).readings.count == 1)
        #expect(talk.decoder.takeReplies().rebirthRequests == ["spBv1.0/plant/NCMD/edge"])
        _ = talk.hear("plant/NBIRTH/edge", Self.birth)
        for sequence in 1...300 { _ = talk.hear("plant/NDATA/edge", data(UInt64(sequence % 256))) }
        #expect(talk.decoder.takeReplies().rebirthRequests == [])
    }

    @Test func unknownAliasesAndDataBeforeBirth() {
        var talk = Talk()
        let early = talk.hear(
            "g/NDATA/n",
            Self.payload(5, Self.metric(alias: 1, field(13, double: 1)), Self.metric("m", field(13, double: 2))))
        #expect(early.readings == ["g/n.m=2.0"])
        #expect(early.reasons == [.missingField])
        #expect(early.details[0].contains("the alias 1, which no birth has named"))
        #expect(talk.decoder.takeReplies().rebirthRequests == ["spBv1.0/g/NCMD/n"])
        var other = Talk()
        _ = other.hear("g/NBIRTH/n", Self.birth)
        _ = other.hear("g/NDATA/n", Self.payload(1, Self.metric(alias: 9, field(13, double: 1))))
        #expect(other.decoder.takeReplies().rebirthRequests == ["spBv1.0/g/NCMD/n"])
    }

    @Test func deathsOfOlderSessionsAreNone() {
        var talk = Talk()
        _ = talk.hear("plant/NBIRTH/edge", Self.birth)
        _ = talk.hear("plant/DBIRTH/edge/pump", Self.payload(1, Self.metric("f", type: 9, field(12, float: 1))))
        #expect(talk.hear("plant/NDEATH/edge", Self.payload(nil, Self.session(2))).departures == [])
        let death = talk.hear("plant/NDEATH/edge", Self.payload(nil, Self.session(3)))
        #expect(death.departures == ["plant/edge", "plant/edge/pump"])
        #expect(death.times == [received, received])
        #expect(talk.decoder.takeReplies().isEmpty)
    }

    @Test func aNodeThatNoBirthHasNamedTakesItsDevicesAlong() {
        var talk = Talk()
        for group in ["plant", "other"] {
            let edge = group == "plant" ? "edge" : "far"
            _ = talk.hear("\(group)/NBIRTH/\(edge)", Self.birth)
            for device in ["pump", "fan"] {
                let born = Self.payload(1, Self.metric("f", type: 9, field(12, float: 1)))
                _ = talk.hear("\(group)/DBIRTH/\(edge)/\(device)", born)
            }
        }
        // As after a restart: the names are known, the sessions are not.
        talk.decoder = MessageDecoderSettings(form: .auto).makeDecoder()
        let death = talk.hear("plant/NDEATH/edge", Self.payload(nil, Self.session(9)))
        #expect(death.departures == ["plant/edge", "plant/edge/pump", "plant/edge/fan"])
        #expect(talk.hear("plant/NDEATH/nobody", Self.payload(nil, Self.session(9))).departures == [])
        #expect(talk.hear("other/DDEATH/far/fan", Self.payload(4)).departures == ["other/far/fan"])
    }

    @Test func aDeathTakesAllDevicesAlong() {
        let pump = Self.payload(1, Self.metric("f", type: 9, field(12, float: 1)))
        var talk = Talk()
        _ = talk.hear("plant/NBIRTH/edge", Self.birth)
        _ = talk.hear("plant/DBIRTH/edge/pump", pump)
        // Born anew, and dead before its device is.
        _ = talk.hear("plant/NBIRTH/edge", Self.birth)
        let death = { Self.payload(nil, Self.session(3)) }
        #expect(talk.hear("plant/NDEATH/edge", death()).departures == ["plant/edge", "plant/edge/pump"])
        // After a restart the node is born anew, the device is not.
        talk.decoder = MessageDecoderSettings(form: .auto).makeDecoder()
        _ = talk.hear("plant/NBIRTH/edge", Self.birth)
        #expect(talk.hear("plant/NDEATH/edge", death()).departures == ["plant/edge", "plant/edge/pump"])
        // In one batch: a device that is new since the death before it.
        talk.decoder = MessageDecoderSettings(form: .auto).makeDecoder()
        let topics = ["NDEATH/edge", "NBIRTH/late", "DBIRTH/late/fan", "NDEATH/late"]
        let batch = messages(
            [death(), Self.birth, pump, death()], topics.map { MessageEnvelope(topic: "spBv1.0/plant/\($0)") })
        let result = talk.decoder.run(batch, table: talk.table)
        #expect(result.departures == ["plant/edge", "plant/edge/pump", "plant/late", "plant/late/fan"])
    }

    @Test func namesInTopicsAreBounded() {
        var talk = Talk()
        let long = String(repeating: "x", count: 300)
        for topic in ["\(long)/NBIRTH/n", "g/NBIRTH/\(long)", "g/DBIRTH/n/\(long)"] {
            #expect(talk.hear(topic, Self.birth).reasons == [.tooLong])
        }
        #expect(talk.hear("g/NBIRTH/\(long.prefix(200))", Self.birth).reasons == [])
    }

    @Test func otherTopics() {
        var talk = Talk()
        #expect(talk.hear("STATE/host", Array("{}".utf8)).reasons == [])
        #expect(talk.hear("g/NCMD/n", [1, 2]).reasons == [])
        #expect(talk.hear("g/NWHAT/n", []).reasons == [.malformed])
        #expect(talk.hear("g/NWHAT/n", [8, 1]).reasons == [.malformed])
        #expect(SparkplugTopic("spBv1.0/g/DDATA/n/d")?.sensor == "g/n/d")
        #expect(SparkplugTopic("spBv1.0/g/DDATA/n") == nil)
    }

    @Test func memoryIsBounded() {
        var settings = MessageDecoderSettings(form: .sparkplugB)
        settings.sparkplugLimits = SparkplugLimits(maximumNodes: 2, maximumMetrics: 8)
        var decoder = settings.makeDecoder()
        let topics = (0..<3).map { MessageEnvelope(topic: "spBv1.0/g/NBIRTH/n\($0)") }
        let result = decoder.run(messages(Array(repeating: Self.birth, count: 3), topics))
        #expect(result.reasons == [.cardinality])
        let large = (0..<9).flatMap { Self.metric("m\($0)", type: 10, field(13, double: 1)) }
        let more = decoder.run(messages([Self.payload(0, Self.session(1), large)], [topics[0]]))
        #expect(more.reasons == [.cardinality])
        // The same births again take no more room.
        #expect(decoder.run(messages([Self.birth, Self.birth], [topics[0], topics[1]])).reasons == [])
    }

    @Test func theDeadAndTheUnbornMakeRoom() {
        var settings = MessageDecoderSettings(form: .sparkplugB)
        settings.sparkplugLimits = SparkplugLimits(maximumNodes: 3, maximumMetrics: 100)
        var decoder = settings.makeDecoder()
        let table = SeriesTable(seed: 1)
        func hear(_ topic: String, _ payload: [UInt8]) -> [DeadLetterReason] {
            decoder.run(messages([payload], [MessageEnvelope(topic: "spBv1.0/g/\(topic)")]), table: table).reasons
        }
        let data = Self.payload(1, Self.metric("temp", field(13, double: 1)))
        let death = Self.payload(nil, Self.session(3))
        #expect(hear("NBIRTH/a", Self.birth) == [])
        for number in 0..<50 { #expect(hear("NDATA/unborn\(number)", data) == []) }
        #expect(hear("NBIRTH/b", Self.birth) == [])
        #expect(hear("DBIRTH/b/pump", Self.payload(1, Self.metric("f", type: 9, field(12, float: 1)))) == [])
        // All are alive now.
        #expect(hear("NDATA/c", data) == [.cardinality])
        #expect(hear("NDEATH/b", death) == [])
        #expect(hear("NBIRTH/c", Self.birth) == [])
        #expect(hear("NBIRTH/d", Self.birth) == [])
        #expect(hear("NBIRTH/b", Self.birth) == [.cardinality])
        // What was forgotten has left nothing behind: the same births fit again and again.
        for _ in 0..<100 {
            #expect(hear("NDEATH/d", death) == [])
            #expect(hear("NBIRTH/b", Self.birth) == [])
            #expect(hear("NDEATH/b", death) == [])
            #expect(hear("NBIRTH/d", Self.birth) == [])
        }
    }

    @Test func edgeNodesOfOneNameInTwoGroupsAreTwoSensors() {
        var talk = Talk()
        for group in ["north", "south"] {
            _ = talk.hear("\(group)/NBIRTH/edge", Self.birth)
            _ = talk.hear("\(group)/DBIRTH/edge/pump", Self.payload(1, Self.metric("f", type: 9, field(12, float: 1))))
        }
        let names = talk.table.withIndex { index in (0..<4).map { index.name(SensorID($0)) } }
        #expect(names == ["north/edge", "north/edge/pump", "south/edge", "south/edge/pump"])
        // As after a restart, where the devices are known by their names alone.
        talk.decoder = MessageDecoderSettings(form: .auto).makeDecoder()
        let death = talk.hear("south/NDEATH/edge", Self.payload(nil, Self.session(3)))
        #expect(death.departures == ["south/edge", "south/edge/pump"])
    }

    @Test func eachReadingKeepsItsOwnMetric() {
        let metrics = (0..<100).map {
            Self.metric("m\($0)", type: 10, field(13, double: Double($0)), time: Self.time + UInt64($0))
        }
        var talk = Talk()
        _ = talk.hear("g/NBIRTH/n", Self.birth)
        let data = talk.hear("g/NDATA/n", Self.payload(1, metrics.flatMap(\.self)))
        let kept = data.batch.payloads.map { Array(data.batch.bytes[$0.range]) }
        #expect(kept == metrics)
        // Each is a payload itself.
        for (number, payload) in kept.enumerated() {
            #expect(talk.hear("g/NDATA/n", payload).readings == ["g/n.m\(number)=\(Double(number))"])
        }
        // Those of one time are one event, which has them all and nothing else.
        let pair = [0, 1].flatMap { Self.metric("m\($0)", type: 10, field(13, double: 1), time: 7) }
        let both = talk.hear("g/NDATA/n", Self.payload(2, pair))
        #expect(both.batch.payloads.map { Array(both.batch.bytes[$0.range]) } == [pair])
        // One that its message dates keeps the message.
        let dated = Self.payload(3, pair, Self.metric("m2", type: 10, field(13, double: 1)))
        let mixed = talk.hear("g/NDATA/n", dated)
        #expect(mixed.batch.payloads.map { Array(mixed.batch.bytes[$0.range]) } == [pair, dated])
    }

    @Test func theRequestIsAPayloadItself() {
        let bytes = SparkplugHost.rebirthPayload(at: Timestamp(nanoseconds: 1_000_000_000))
        #expect(bytes == hex("08 e807 12 1d 0a 14 4e6f646520436f6e74726f6c2f52656269727468 18 e807 20 0b 70 01"))
    }

    @Test func damageNeverTraps() {
        let data = Self.payload(1, Self.metric(alias: 1, field(13, double: 1)))
        for position in Self.birth.indices {
            for byte in [UInt8(0), 0x0b, 0x7f, 0x80, 0xff] {
                var damaged = Self.birth
                damaged[position] = byte
                var talk = Talk()
                _ = talk.hear("g/NBIRTH/n", damaged)
                _ = talk.hear("g/NDATA/n", data)
            }
            var talk = Talk()
            _ = talk.hear("g/NBIRTH/n", Array(Self.birth[..<position]))
        }
    }
}
