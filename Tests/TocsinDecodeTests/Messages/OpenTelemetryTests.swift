import Testing
import TocsinCore
import TocsinDecode

@Suite struct OpenTelemetryTests {
    private static let time: UInt64 = 1_759_312_800_000_000_000

    private static func attribute(_ key: String, _ value: String) -> [UInt8] {
        field(1, text: key) + field(2, bytes: field(1, text: value))
    }

    private static func request(_ metrics: [UInt8]..., resource: [UInt8] = attribute("host.name", "web")) -> [UInt8] {
        let scope = field(2, bytes: metrics.flatMap { field(2, bytes: $0) })
        return field(1, bytes: field(1, bytes: field(1, bytes: resource)) + scope)
    }

    private static let gauge =
        field(1, text: "temp") + field(3, text: "Cel")
        + field(5, bytes: field(1, bytes: field(3, fixed: time) + field(4, double: 21.5)))
    private static let sum =
        field(1, text: "requests")
        + field(
            7,
            bytes: field(1, bytes: field(3, fixed: time) + field(6, fixed: UInt64(bitPattern: -7)))
                + field(2, varint: 2))
    private static let histogram =
        field(1, text: "latency") + field(3, text: "ms")
        + field(
            9,
            bytes: field(
                1,
                bytes: field(3, fixed: time) + field(4, fixed: 3) + field(5, double: 12)
                    + field(6, bytes: little(UInt64(3)))
                    + field(11, double: 1) + field(12, double: 9)))
    private static let summary =
        field(1, text: "size")
        + field(
            11,
            bytes: field(
                1,
                bytes: field(3, fixed: time) + field(4, fixed: 2) + field(5, double: 5)
                    + field(6, bytes: field(1, double: 0.5) + field(2, double: 4))
                    + field(6, bytes: field(1, double: 0.999) + field(2, double: 6))))

    private static let readings = [
        "web.temp=21.5", "web.requests=-7.0", "web.latency.count=3.0", "web.latency.sum=12.0", "web.latency.min=1.0",
        "web.latency.max=9.0",
        "web.size.count=2.0", "web.size.sum=5.0", "web.size.p50=4.0", "web.size.p99.9=6.0",
    ]

    private static let json = """
        {"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web"}}]},"scopeMetrics":[{"metrics":[
        {"name":"temp","unit":"Cel","gauge":{"dataPoints":[{"timeUnixNano":"1759312800000000000","asDouble":21.5}]}},
        {"name":"requests","sum":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1759312800000000000","asInt":"-7"}]}},
        {"name":"latency","histogram":{"dataPoints":[{"timeUnixNano":"1759312800000000000","count":"3","sum":12,"min":1,"max":9}]}},
        {"name":"size","summary":{"dataPoints":[{"timeUnixNano":1759312800000000000,"count":2,"sum":5,"quantileValues":[{"quantile":0.5,"value":4},{"quantile":0.999,"value":6}]}]}}
        ]}]}]}
        """

    @Test func protobuf() {
        let result = decode(
            MessageBatch(body: Self.request(Self.gauge, Self.sum, Self.histogram, Self.summary)), .otlpProtobuf)
        #expect(result.readings == Self.readings)
        #expect(result.times.allSatisfy { $0 == Int64(Self.time) })
        #expect(result.unit("web", "temp") == "Cel")
        #expect(result.unit("web", "latency.sum") == "ms")
        #expect(result.unit("web", "latency.count") == nil)
    }

    @Test func json() {
        let result = decode(MessageBatch(body: Array(Self.json.utf8)), .otlpJSON)
        #expect(result.readings == Self.readings)
        #expect(result.unit("web", "temp") == "Cel")
        #expect(result.reasons == [])
    }

    @Test func sensorsAndLabels() {
        let point = { (attributes: [UInt8]) in
            field(1, bytes: attributes + field(3, fixed: Self.time) + field(4, double: 1))
        }
        let metric =
            field(1, text: "use")
            + field(
                5,
                bytes: point(
                    field(7, bytes: Self.attribute("state", "idle"))
                        + field(7, bytes: field(1, text: "cpu") + field(2, bytes: field(3, varint: 2))))
                    + point(field(7, bytes: Self.attribute("sensor_id", "own"))))
        let result = decode(MessageBatch(body: Self.request(metric)), .otlpProtobuf)
        #expect(result.readings == ["web.use{state=idle,cpu=2}=1.0", "own.use=1.0"])
        var settings = MessageDecoderSettings(form: .otlpProtobuf)
        settings.sensorAttributes = ["state"]
        #expect(decode(MessageBatch(body: Self.request(metric)), settings).readings.first == "idle.use{cpu=2}=1.0")
        #expect(
            decode(MessageBatch(body: Self.request(Self.gauge, resource: [])), .otlpProtobuf).reasons == [.missingField]
        )
    }

    @Test func badPointsAreRejectedAlone() {
        let nameless = field(5, bytes: field(1, bytes: field(3, fixed: Self.time) + field(4, double: 1)))
        let late =
            field(1, text: "late")
            + field(5, bytes: field(1, bytes: field(3, fixed: 1 << 63) + field(4, double: 2)))
        let protobuf = decode(MessageBatch(body: Self.request(Self.gauge, nameless, late, Self.sum)), .otlpProtobuf)
        #expect(protobuf.readings == ["web.temp=21.5", "web.requests=-7.0"])
        #expect(protobuf.reasons == [.malformed, .badTime])
        // Each has its own part of the request.
        #expect(protobuf.batch.rejects.allSatisfy { $0.payload.length == 18 })

        let json = Self.json.replacing(#""asInt":"-7""#, with: #""asInt":"many""#)
        let result = decode(MessageBatch(body: Array(json.utf8)), .otlpJSON)
        #expect(result.readings == Self.readings.filter { !$0.contains("requests") })
        #expect(result.reasons == [.notANumber])
        let part = result.batch.rejects.first.map {
            String(decoding: result.batch.bytes[$0.payload.range], as: UTF8.self)
        }
        #expect(part == #"{"timeUnixNano":"1759312800000000000","asInt":"many"}"#)
    }

    @Test func noRecordedValue() {
        let metric =
            field(1, text: "x") + field(5, bytes: field(1, bytes: field(3, fixed: Self.time) + field(8, varint: 1)))
        let result = decode(MessageBatch(body: Self.request(metric)), .otlpProtobuf)
        #expect(result.readings == [] && result.reasons == [])
        // Neither is a point that says nothing at all.
        let empty = field(1, text: "x") + field(5, bytes: field(1, bytes: field(3, fixed: Self.time)))
        #expect(decode(MessageBatch(body: Self.request(empty)), .otlpProtobuf).reasons == [])
    }

    @Test func answers() {
        #expect(OTLPResponse.encode(rejected: 0, message: "", as: .protobuf) == [])
        #expect(OTLPResponse.encode(rejected: 3, message: "no", as: .protobuf) == hex("0a 06 08 03 12 02 6e6f"))
        #expect(
            String(decoding: OTLPResponse.encode(rejected: 3, message: "no", as: .json), as: UTF8.self)
                == #"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"no"}}"#)
        #expect(String(decoding: OTLPResponse.encode(rejected: 0, message: "", as: .json), as: UTF8.self) == "{}")
    }

    @Test func damageNeverTraps() {
        let whole = Self.request(Self.gauge, Self.sum, Self.histogram, Self.summary)
        for (whole, form) in [(whole, PayloadForm.otlpProtobuf), (Array(Self.json.utf8), .otlpJSON)] {
            for position in whole.indices {
                for byte in [UInt8(0), 0x22, 0x7d, 0x80, 0xff] {
                    var damaged = whole
                    damaged[position] = byte
                    _ = decode(MessageBatch(body: damaged), form)
                }
                let cut = decode(MessageBatch(body: Array(whole[..<position])), form)
                #expect(cut.readings == [])
            }
        }
    }
}
