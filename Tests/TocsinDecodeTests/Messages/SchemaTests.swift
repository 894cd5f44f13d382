import Testing
import TocsinCore
import TocsinDecode

/// Avro and Protobuf behind a schema registry's framing.
@Suite struct SchemaTests {
    private static let wide = """
        {"type":"record","name":"Reading","namespace":"plant","fields":[
        {"name":"event_id","type":"string"},{"name":"sensor_id","type":"string"},
        {"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"temperature","type":"double"},{"name":"humidity","type":["null","float"],"default":null},
        {"name":"count","type":"int"},{"name":"on","type":"boolean"},{"name":"tags","type":{"type":"map","values":"string"}},
        {"name":"history","type":{"type":"array","items":"double"}},
        {"name":"inner","type":{"type":"record","name":"Inner","fields":[{"name":"pressure","type":"double"},{"name":"built","type":{"type":"int","logicalType":"date"}}]}},
        {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}},
        {"name":"state","type":{"type":"enum","name":"State","symbols":["RUN","STOP"]}},
        {"name":"hash","type":{"type":"fixed","name":"Hash","size":2}}]}
        """

    private static func text(_ text: String) -> [UInt8] { zigzag(Int64(text.utf8.count)) + Array(text.utf8) }
    private static func framed(_ id: UInt8, _ content: [UInt8]) -> [UInt8] { [0, 0, 0, 0, id] + content }

    private static let wideMessage: [UInt8] = [
        text("e1"), text("s1"), zigzag(1_759_312_800_000), little((21.5).bitPattern), zigzag(1),
        little(Float(40).bitPattern), zigzag(-3), [1],
        zigzag(2), text("location"), text("roof"), text("k"), text("v"), [0], zigzag(-2), zigzag(16),
        little((1.0).bitPattern), little((2.0).bitPattern), [0],
        little((1013.0).bitPattern), zigzag(20_000), zigzag(2), hex("ff38"), zigzag(1), hex("abcd"),
    ].flatMap(\.self)

    fileprivate static let narrow = """
        {"type":"record","name":"N","fields":[{"name":"id","type":"string"},{"name":"ts","type":"long"},{"name":"metric","type":"string"},
        {"name":"value","type":["double","null"]},{"name":"unit","type":"string"}]}
        """

    private static let proto = """
        syntax = "proto3"; // a comment
        package plant;
        import "google/protobuf/timestamp.proto";
        import "common.proto";
        /* another */ option java_package = "x;y";
        enum Kind { UNKNOWN = 0; PUMP = 1; }
        message Outer { message Nested { string sensor_id = 1; double value = 2; } }
        message Reading {
          string sensor_id = 1; google.protobuf.Timestamp timestamp = 2;
          double temperature = 3 [json_name = "t", deprecated = true]; optional float humidity = 4; sint32 level = 5;
          repeated double history = 6; map<string, double> channels = 7; common.Place meta = 8;
          oneof state { bool on = 9; string word = 10; }
          Kind kind = 11; google.protobuf.DoubleValue wrapped = 12; fixed64 big = 13; Reading parent = 14;
          reserved 20 to 30; bytes raw = 15;
        }
        """

    private static let common =
        "syntax = \"proto3\"; package common; message Place { string location = 1; int32 floor = 2; }"

    private func decode(
        _ payloads: [[UInt8]], _ schemas: [UInt32: RegisteredSchema], _ form: PayloadForm = .auto,
        _ mapping: InputMapping = InputMapping()
    ) async throws -> DecodedMessages {
        var settings = MessageDecoderSettings(form: form, mapping: mapping)
        settings.schemas = SchemaTable(schemas: schemas)
        var decoder = settings.makeDecoder()
        let batch = messages(payloads)
        try await decoder.prepare(for: batch)
        return decoder.run(batch)
    }

    @Test func wideAvro() async throws {
        let result = try await decode(
            [Self.framed(1, Self.wideMessage)], [1: RegisteredSchema(kind: .avro, text: Self.wide)])
        #expect(result.details == [])
        #expect(
            result.readings == [
                "s1.temperature=21.5", "s1.humidity=40.0", "s1.count=-3.0", "s1.on=1.0", "s1.inner.pressure=1013.0",
                "s1.price=-2.0",
            ])
        #expect(result.times == [1_759_312_800_000_000_000])
        #expect(result.zone("s1") == "roof")
        // The same identity as the JSON message has.
        let json = TocsinDecodeTests.decode(messages([#"{"event_id":"e1","sensor_id":"s1","temperature":1}"#]))
        #expect(result.decoded.events[0].key == json.decoded.events[0].key)
    }

    @Test func narrowAvroAndNull() async throws {
        let message = { (value: [UInt8]) in
            Self.framed(2, Self.text("s") + zigzag(1_759_312_800) + Self.text("flow") + value + Self.text("l/s"))
        }
        let result = try await decode(
            [message(zigzag(0) + little((2.5).bitPattern)), message(zigzag(1))],
            [2: RegisteredSchema(kind: .avro, text: Self.narrow)])
        #expect(result.readings == ["s.flow=2.5"])
        #expect(result.times == [1_759_312_800_000_000_000])
        #expect(result.unit("s", "flow") == "l/s")
        #expect(result.reasons == [])
    }

    @Test func writersOfSeveralVersionsLiveTogether() async throws {
        let old =
            #"{"type":"record","name":"R","fields":[{"name":"sensor","type":"string"},{"name":"t","type":"float"}]}"#
        let new =
            #"{"type":"record","name":"R","fields":[{"name":"note","type":"string"},{"name":"sensor","type":"string"},{"name":"t","type":"double"},{"name":"h","type":"double"}]}"#
        let schemas: [UInt32: RegisteredSchema] = [
            1: RegisteredSchema(kind: .avro, text: old), 2: RegisteredSchema(kind: .avro, text: new),
            3: RegisteredSchema(kind: .json, text: "{}"),
        ]
        let first = Self.framed(1, Self.text("a") + little(Float(1).bitPattern))
        let second = Self.framed(
            2, Self.text("n") + Self.text("a") + little((2.0).bitPattern) + little((3.0).bitPattern))
        let third = Self.framed(3, Array(#"{"sensor":"a","t":4}"#.utf8))
        let result = try await decode([first, second, third, first], schemas)
        #expect(result.readings == ["a.t=1.0", "a.t=2.0", "a.h=3.0", "a.t=4.0", "a.t=1.0"])
        #expect(result.places == [0, 1, 2, 3])
    }

    /// A field that was renamed goes on as the metric that it was; a mapping, and the built-in names, find it by any of them.
    @Test func renamedAvroFieldsKeepTheirMetric() async throws {
        let renamed = RegisteredSchema(
            kind: .avro,
            text: """
                {"type":"record","name":"R","fields":[{"name":"unitName","aliases":["serial","sensor_id"],"type":"string"},
                {"name":"temp_c","aliases":["temperature","t"],"type":"double"}]}
                """)
        let message = Self.framed(1, Self.text("a") + little((2.5).bitPattern))
        #expect(try await decode([message], [1: renamed]).readings == ["a.temperature=2.5"])
        for (name, metric) in [("temp_c", "temp_c"), ("t", "t")] {
            let mapping = InputMapping(values: [name])
            #expect(try await decode([message], [1: renamed], .auto, mapping).readings == ["a.\(metric)=2.5"])
        }
    }

    /// What waiting cannot help costs the messages of that schema alone.
    @Test func aSchemaThatCannotBeHadHarmsNoOther() async throws {
        struct Broken: SchemaFetching {
            func schema(id: UInt32) async throws -> RegisteredSchema? {
                guard id == 1 else { throw TocsinError(.network, "it has no version 1 of gone", isRetriable: id == 3) }
                return RegisteredSchema(kind: .avro, text: SchemaTests.narrow)
            }
        }
        let good = Self.text("s") + zigzag(1) + Self.text("m") + zigzag(0) + little((1.0).bitPattern) + Self.text("")
        var decoder = MessageDecoderSettings(schemas: Broken()).makeDecoder()
        let batch = messages([Self.framed(2, [1]), Self.framed(1, good)])
        try await decoder.prepare(for: batch)
        let result = decoder.run(batch)
        #expect(result.readings == ["s.m=1.0"])
        #expect(
            result.details.count == 1
                && result.details[0].contains("schema id 2, which cannot be had: it has no version"))
        await #expect(throws: TocsinError.self) { try await decoder.prepare(for: messages([Self.framed(3, [1])])) }
    }

    @Test func wrongSchemas() async throws {
        let schemas: [UInt32: RegisteredSchema] = [
            1: RegisteredSchema(kind: .avro, text: Self.narrow),
            2: RegisteredSchema(kind: .avro, text: #"{"type":"record"}"#),
            3: RegisteredSchema(kind: .protobuf, text: "message {"), 4: RegisteredSchema(kind: .json, text: "{}"),
        ]
        let good = Self.text("s") + zigzag(1) + Self.text("m") + zigzag(0) + little((1.0).bitPattern) + Self.text("")
        let result = try await decode(
            [
                Self.framed(9, [1]), Self.framed(2, [1]), Self.framed(3, [1]), Self.framed(1, good + [0]),
                Self.framed(1, Array(good.dropLast(3))),
            ], schemas)
        #expect(result.reasons.count == 5 && result.readings == [])
        #expect(result.details[0].contains("schema id 9, which the registry does not know"))
        #expect(result.details.contains { $0.contains("1 bytes stand behind its end") })
        #expect(result.details.contains { $0.contains("cannot be read, because the schema") })
        let other = try await decode([Self.framed(4, Array("{}".utf8)), [1, 2, 3]], schemas, .avro)
        #expect(other.details[0].contains("is JSON where AVRO is expected"))
        #expect(other.details[1].contains("no schema registry framing"))
    }

    @Test func recursiveTypesAndEmptyArrays() async throws {
        let schema =
            #"{"type":"record","name":"Node","fields":[{"name":"id","type":"string"},{"name":"v","type":"double"},{"name":"next","type":["null","Node"]},{"name":"nothing","type":{"type":"array","items":"null"}}]}"#
        let leaf = Self.text("b") + little((2.0).bitPattern) + zigzag(0) + [0]
        let message = Self.text("a") + little((1.0).bitPattern) + zigzag(1) + leaf + zigzag(3) + [0]
        let endless = Self.text("a") + little((1.0).bitPattern) + zigzag(0) + zigzag(1 << 60) + [0]
        let result = try await decode(
            [Self.framed(1, message), Self.framed(1, endless)], [1: RegisteredSchema(kind: .avro, text: schema)])
        #expect(result.readings == ["a.v=1.0"])
        #expect(result.details[0].contains("more values than its length allows"))
    }

    @Test func mappedPaths() async throws {
        let schema =
            #"{"type":"record","name":"R","fields":[{"name":"head","type":{"type":"record","name":"H","fields":[{"name":"dev","type":"long"},{"name":"at","type":"long"}]}},{"name":"payload","type":{"type":"map","values":"double"}},{"name":"x","type":"double"}]}"#
        let content =
            zigzag(7) + zigzag(1_759_312_800) + zigzag(2) + Self.text("a") + little((1.0).bitPattern) + Self.text("b")
            + little((2.0).bitPattern) + [0] + little((9.0).bitPattern)
        let mapping = InputMapping(sensor: "head.dev", time: "head.at", values: ["payload.*"])
        let result = try await decode(
            [Self.framed(1, content)], [1: RegisteredSchema(kind: .avro, text: schema)], .avro, mapping)
        #expect(result.readings == ["7.a=1.0", "7.b=2.0"])
        #expect(result.times == [1_759_312_800_000_000_000])
    }

    private static var protoMessage: [UInt8] {
        field(1, text: "s1") + field(2, bytes: field(1, varint: 1_759_312_800) + field(2, varint: 500))
            + field(3, double: 21.5)
            + varint(5 << 3) + zigzag(-4) + field(6, bytes: little((1.0).bitPattern))
            + field(7, bytes: field(1, text: "a") + field(2, double: 5))
            + field(8, bytes: field(1, text: "roof") + field(2, varint: 3)) + field(9, varint: 1) + field(11, varint: 1)
            + field(12, bytes: field(1, double: 8)) + field(14, bytes: field(1, text: "p")) + field(99, text: "unknown")
            + [0x9b, 0x06, 0x08, 0x01, 0x9c, 0x06]
    }

    private static let registered = RegisteredSchema(
        kind: .protobuf, text: proto, references: [RegisteredSchema.Reference(name: "common.proto", text: common)])

    @Test func protobuf() async throws {
        // The message is the second of the file: indexes [1]; nested ones: [0, 0].
        let nested = field(1, text: "n") + field(2, double: 3)
        let result = try await decode(
            [
                Self.framed(1, zigzag(1) + zigzag(1) + Self.protoMessage),
                Self.framed(1, zigzag(2) + zigzag(0) + zigzag(0) + nested),
            ], [1: Self.registered])
        #expect(result.details == [])
        #expect(
            result.readings == [
                "s1.temperature=21.5", "s1.level=-4.0", "s1.channels.a=5.0", "s1.on=1.0", "s1.wrapped=8.0",
                "s1.big=0.0", "n.value=3.0",
            ])
        #expect(result.times == [1_759_312_800_000_000_500, received])
        #expect(result.zone("s1") == "roof")
    }

    @Test func whatIsLeftOutIsZeroOnlyWithoutPresence() async throws {
        let schema =
            "syntax = \"proto3\"; message R { string id = 1; double a = 2; optional double b = 3; sint64 c = 4; }"
        let result = try await decode(
            [Self.framed(1, [0] + field(1, text: "s") + varint(4 << 3) + zigzag(-1))],
            [1: RegisteredSchema(kind: .protobuf, text: schema)])
        #expect(Set(result.readings) == ["s.a=0.0", "s.c=-1.0"])
        let second =
            "syntax = \"proto2\"; message R { required string id = 1; optional double a = 2; optional double b = 3; }"
        let other = try await decode(
            [Self.framed(1, [0] + field(1, text: "s") + field(3, double: 1))],
            [1: RegisteredSchema(kind: .protobuf, text: second)])
        #expect(other.readings == ["s.b=1.0"])
    }

    @Test func brokenProtobuf() async throws {
        let broken: [[UInt8]] = [
            zigzag(1) + zigzag(9), zigzag(-1), [], [0, 0xff], zigzag(1) + zigzag(1) + [0x1b],
            zigzag(1) + zigzag(1) + field(1, double: 1), zigzag(1) + zigzag(1) + [0x0a, 0x7f],
            [0] + Array(repeating: 0xff, count: 12),
        ]
        let result = try await decode(broken.map { Self.framed(1, $0) }, [1: Self.registered])
        #expect(result.reasons == Array(repeating: .malformed, count: broken.count))
        #expect(result.details.allSatisfy { $0.contains("with the schema id 1") })
    }

    @Test func damageNeverTraps() async throws {
        let schemas: [UInt32: RegisteredSchema] = [
            1: RegisteredSchema(kind: .avro, text: Self.wide), 2: Self.registered,
        ]
        for whole in [Self.framed(1, Self.wideMessage), Self.framed(2, zigzag(1) + zigzag(1) + Self.protoMessage)] {
            var payloads: [[UInt8]] = []
            for position in whole.indices.dropFirst(5) {
                for byte in [UInt8(0), 0x01, 0x7f, 0x80, 0xff] {
                    var damaged = whole
                    damaged[position] = byte
                    payloads.append(damaged)
                }
                payloads.append(Array(whole[..<position]))
            }
            let result = try await decode(payloads, schemas)
            #expect(Set(result.places).isSubset(of: Set(0..<Int64(payloads.count))))
        }
        // Schemas themselves come from outside.
        for text in [Self.wide, Self.proto, Self.common] {
            let bytes = Array(text.utf8)
            for cut in bytes.indices where cut % 3 == 0 {
                let damaged = String(decoding: bytes[..<cut] + bytes.dropFirst(cut + 1), as: UTF8.self)
                let short = String(decoding: bytes[..<cut], as: UTF8.self)
                let kind = text == Self.wide ? RegisteredSchema.Kind.avro : .protobuf
                _ = try await decode(
                    [Self.framed(1, Self.wideMessage)], [1: RegisteredSchema(kind: kind, text: damaged)])
                _ = try await decode([Self.framed(1, Self.wideMessage)], [1: RegisteredSchema(kind: kind, text: short)])
            }
        }
    }
}

extension SchemaTests {
    @Test func manySchemasInOneBatch() async throws {
        let text =
            #"{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"t","type":"double"}]}"#
        let schemas = Dictionary(
            uniqueKeysWithValues: (0..<900).map { (UInt32($0), RegisteredSchema(kind: .avro, text: text)) })
        var settings = MessageDecoderSettings(form: .avro)
        settings.schemas = SchemaTable(schemas: schemas)
        var decoder = settings.makeDecoder()
        let table = SeriesTable(seed: 1)
        for round in 0..<4 {
            let payloads = (0..<900).map { number in
                [0, 0, 0, UInt8(number >> 8), UInt8(number & 255)] + zigzag(1) + Array("a".utf8)
                    + little(Double(round).bitPattern)
            }
            let batch = messages(payloads)
            try await decoder.prepare(for: batch)
            #expect(decoder.run(batch, table: table).readings == Array(repeating: "a.t=\(Double(round))", count: 900))
        }
    }
}
