internal import TocsinCore
internal import TocsinDecode

/// Small good messages of each form, with the byte of options in front.
enum MessageSeeds {
    static let avro = """
        {"type":"record","name":"R","fields":[{"name":"sensor_id","type":"string"},{"name":"t","type":["null","double"]},
        {"name":"m","type":{"type":"map","values":"double"}},{"name":"a","type":{"type":"array","items":["null","R"]}},
        {"name":"d","type":{"type":"bytes","logicalType":"decimal","scale":2}},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}}]}
        """

    static let proto = """
        syntax = "proto3"; import "google/protobuf/timestamp.proto";
        message R { string id = 1; google.protobuf.Timestamp ts = 2; double v = 3; map<string, float> m = 4; R r = 5;
        google.protobuf.DoubleValue w = 6; sint32 s = 7; enum E { A = 0; B = 1; } E unit = 8; I i = 9; message I { int64 x = 1; } }
        """

    static func seeds(_ form: PayloadForm) -> [[UInt8]] {
        switch form {
        case .senmlJSON:
            text(
                #"[{"bn":"urn:a:","bt":1.276e9,"bu":"V","n":"v","v":1},{"n":"c","vb":true,"t":-5},{"n":"s","vs":"x"}]"#)
        case .senmlCBOR:
            [
                [
                    0, 0x82, 0xa3, 0x21, 0x61, 0x61, 0x00, 0x61, 0x62, 0x02, 0xf9, 0x3c, 0x00, 0xa1, 0x02, 0xc4, 0x82,
                    0x21, 0x05,
                ]
            ]
        case .influx: text("w,sensor=a\\ b t=1.5,s=\"x\\\"y\",i=1i,o=t 17\n# c\nw v=2u 1\n")
        case .otlpJSON:
            text(
                #"{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"w"}}]},"scopeMetrics":[{"metrics":[{"name":"t","gauge":{"dataPoints":[{"timeUnixNano":"17","asDouble":2,"attributes":[{"key":"k","value":{"intValue":"1"}}]}]}}]}]}]}"#
            )
        case .otlpProtobuf:
            [
                [
                    0, 0x0a, 0x1a, 0x12, 0x18, 0x12, 0x16, 0x0a, 0x01, 0x74, 0x2a, 0x11, 0x0a, 0x0f, 0x3a, 0x02, 0x0a,
                    0x00, 0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x40, 0x00,
                ]
            ]
        case .sparkplugB:
            [
                [0, 0x08, 0x05, 0x12, 0x0b, 0x0a, 0x05] + Array("bdSeq".utf8) + [
                    0x20, 0x08, 0x58, 0x00, 0x12, 0x0c, 0x0a, 0x01, 0x6d, 0x10, 0x01, 0x20, 0x03, 0x50, 0x07, 0x4a,
                    0x00, 0x18, 0x00,
                ]
            ]
        case .avro:
            [
                [0, 0, 0, 0, 0, 0, 2, 0x61, 2] + [UInt8](repeating: 1, count: 8) + [2, 2, 0x6b]
                    + [UInt8](repeating: 2, count: 8) + [0, 0, 4, 1, 2, 2]
            ]
        case .protobuf:
            [
                [0, 0, 0, 0, 0, 1, 0, 0x0a, 1, 0x61, 0x12, 2, 8, 5, 0x19] + [UInt8](repeating: 3, count: 8) + [
                    0x38, 9, 0x40, 1, 0x2a, 3, 0x0a, 1, 0x62,
                ]
            ]
        default: text(#"{"id":"a","ts":1759312800,"t":1}"#) + text("21.5") + text(#"[{"n":"a","v":1}]"#)
        }
    }

    static let schemas = [[0] + Array(avro.utf8), [1] + Array(proto.utf8)]

    private static func text(_ text: String) -> [[UInt8]] { [[0] + Array(text.utf8)] }
}
