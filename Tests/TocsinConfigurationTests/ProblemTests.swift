import Testing
import TocsinConfiguration
import TocsinCore

@Suite("What is wrong is said, all at once")
struct ProblemTests {
    @Test(arguments: [
        ("server:\n  prot: 80", "FILE:2: unknown key `server.prot`\n  -> did you mean `port`?"),
        ("sever:\n  port: 80", "FILE:1: unknown key `sever`\n  -> did you mean `server`?"),
        ("server: {max_body_bytes: 1}", "unknown key `server.max_body_bytes`\n  -> did you mean `maxBodyBytes`?"),
        ("port: 80", "unknown key `port`\n  -> did you mean `server.port` or `store.postgres.port`?"),
        ("server.port: 80", "unknown key `server.port`\n  -> nest it: `server: port:`, one level a line"),
        ("log: {colour: red}", "unknown key `log.colour`\n  -> known here: level, format"),
        ("sources:\n- kind: stdin\n  nmae: x", "FILE:3: unknown key `sources.0.nmae`\n  -> did you mean `name`?"),
        ("sources[]: 1", "unknown key `sources[]`"),
        ("input: {mapping: {eventId: x}}", "unknown key `input.mapping.eventId`\n  -> did you mean `eventID`?"),
    ])
    func unknownKeysNameTheNearMiss(yaml: String, expected: String) throws {
        let found = try problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test(arguments: [
        ("alerts: {routes: [{channels: []}]}", "`alerts.routes.0.channels` is empty"),
        ("alerts: {link: 'javascript:alert(1)'}", "`alerts.link` is \"javascript:alert(1)\""),
    ])
    func alertsThatNobodyWouldGetAreRefused(yaml: String, expected: String) throws {
        let found = try problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func unknownFlagsNameTheNearMiss() throws {
        #expect(
            try problems("", flags: ["server.prot": "1"])
                == ["flag --server.prot: unknown key `server.prot`\n  -> did you mean `port`?"])
        #expect(
            try problems("", flags: ["sorces.0.kind": "stdin"]).first?.contains("unknown key `sorces.0.kind`") == true)
        for odd in [
            "", ".", "..", "a.b.c", "sources", "sources.", "sources.x.kind", "sources[].kind", "server",
            "sources.99999.kind",
        ] {
            #expect(try problems("", flags: [odd: "1"]).count == 1, "\(odd)")
        }
    }

    @Test(arguments: [
        ("server: {port: 65536}", "`server.port` is \"65536\"; expected a whole number from 0 to 65535"),
        ("server: {port: eighty}", "`server.port` is \"eighty\"; expected a whole number"),
        ("server: {port: 80.5}", "`server.port` is \"80.5\""),
        ("server: {port: [80]}", "`server.port` must be one value; expected a whole number"),
        ("server: {port: {a: 1}}", "`server.port` must be one value"),
        ("server: 8080", "`server` is a group of keys, not a value"),
        ("server: [1]", "`server` is a group of keys, not a value"),
        ("engine: {allowedLateness: 30}", "`engine.allowedLateness` is \"30\"; expected a duration such as 250ms, 30s"),
        ("engine: {allowedLateness: -1s}", "expected a duration"),
        ("engine: {allowedLateness: 8d}", "from 0s to 7d"),
        ("server: {maxBodyBytes: 16 parsecs}", "expected a size such as 64MiB"),
        ("server: {maxBodyBytes: 99999999999999999999TiB}", "expected a size"),
        ("detection: {falseAlarmRate: 0}", "expected a number above 0 and at most 0.1"),
        ("detection: {falseAlarmRate: nan}", "expected a number above 0"),
        ("detection: {minimumDeviation: {absolute: inf}}", "expected a number of at least 0"),
        ("detection: {direction: sideways}", "expected one of up, down, both"),
        ("detection: {enabled: maybe}", "expected true or false"),
        ("detection: {kinds: [spike, spook]}", "expected one of spike, drift"),
        ("detection: {kinds: [[spike]]}", "must be a list of single values"),
        ("input: {validRanges: {x: [5, 1]}}", "`input.validRanges.x` is \"5..1\"; expected two numbers, low and high"),
        ("input: {validRanges: {x: [1, 2, 3]}}", "`input.validRanges.x`: expected two numbers"),
        ("input: {validRanges: [1, 2]}", "must be a map"),
        ("engine: {order: name}", "expected one of arrival, event"),
        ("engine: {order: event}\nspool: {enabled: false}", "`engine.order` is event, but `spool.enabled` is false"),
        (
            "kafka: {bootstrapServers: 'h:1', output: {enabled: true}}\nspool: {enabled: false}",
            "`kafka.output.enabled` is true, but `spool.enabled` is false"
        ),
        ("windows: 60s", "`windows` must be a list"),
        ("windows: [60s]", "element 0 of `windows` must be a group of keys"),
        ("windows: [{size: 60s}]", "`windows.0.slide` is missing"),
        ("windows: [{size: 60s, slide: 7s}]", "`windows.0.size` is 1m, which is no multiple of its slide, 7s"),
        ("windows: [{size: 60s, slide: 10s}, {size: 1m, slide: 10s}]", "`windows.1` is the same as an earlier one"),
        ("sources: [{kind: file}]", "`sources.0` is of kind file but has no `path`"),
        ("sources: [{path: x}]", "`sources.0.kind` is missing; expected one of file, folder, stdin, simulator"),
        ("sources: [{kind: simulator, follow: true}]", "`sources.0.follow` means nothing for a source of kind sim"),
        ("sources: [{kind: stdin, rate: 5}]", "`sources.0.rate` means nothing"),
        ("sources: [{kind: stdin}, {kind: stdin}]", "more than one source is of kind stdin"),
        ("sources: [{kind: file, path: a, name: n}, {kind: file, path: b, name: n}]", "the name of an earlier source"),
        ("alerts: {webhooks: [{url: ftp://x}]}", "`alerts.webhooks.0.url` is \"****\"; expected an address"),
        ("alerts: {webhooks: [{timeout: 1s}]}", "`alerts.webhooks.0.url` is missing"),
        ("store: {path: ''}", "expected the path of a file or folder"),
    ])
    func aBadValueIsNamedWithWhatIsExpected(yaml: String, expected: String) throws {
        let found = try problems(yaml)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(expected) == true, "\(found)")
        #expect(found.first?.hasPrefix("FILE:1: ") == true, "\(found)")
    }

    @Test func theOldWordForHTTPIsExplained() throws {
        let found = try problems("sources: [{kind: http}]")
        #expect(found.first?.contains("`POST /ingest` needs no source") == true, "\(found)")
    }

    @Test func allProblemsComeTogetherInOrder() throws {
        let yaml = "server:\n  port: x\n  hots: y\nengine:\n  shards: -1\nlog:\n  level: loud\n"
        let found = try problems(
            yaml, environment: ["SERVER_MAX_BODY_BYTES": "big", "SOURCES_1_KIND": "stdin"],
            flags: ["log.format": "xml", "nope": "1"])
        let places = found.map { String($0.prefix(upTo: $0.firstRange(of: ": ")?.lowerBound ?? $0.endIndex)) }
        #expect(
            places == [
                "FILE:2", "FILE:3", "FILE:5", "FILE:7", "environment variable SERVER_MAX_BODY_BYTES",
                "environment variable SOURCES_1_KIND", "flag --log.format", "flag --nope",
            ], "\(found.joined(separator: "\n"))")
    }

    @Test func theReportOfAllIsReadable() throws {
        do {
            _ = try load("server: {port: x}\nlog: {level: y}")
            Issue.record("was accepted")
        } catch let error as ConfigurationErrors {
            let text = "\(error)"
            #expect(text.hasPrefix("The configuration has 2 errors:\n- /"))
            #expect(error.problems.allSatisfy { $0.code == .configuration })
        }
    }

    @Test func aFlagMayHaveAnotherSpelling() {
        #expect {
            _ = try ConfigurationLoader(
                file: nil, flags: ["server.port": "x"], flagNames: ["server.port": "--port"]
            ).load()
        } throws: { "\($0)".contains("flag --port: `server.port` is \"x\"") }
    }

    @Test func gapsInNumberedVariablesAreNamed() throws {
        let found = try problems("", environment: ["SOURCES_0_KIND": "stdin", "SOURCES_2_KIND": "stdin"])
        #expect(found.contains { $0.contains("`sources` has an element 2 but no element 1") }, "\(found)")
    }

    @Test func absurdNumbersOfElementsAreRefused() throws {
        let windows = (1...40).map { "- {size: \($0 * 60)s, slide: 60s}" }.joined(separator: "\n")
        #expect(try problems("windows:\n\(windows)").first?.contains("40 elements; at most 16") == true)
    }

    @Test func aTopicReadTwiceInOneGroupIsAMistake() throws {
        let kafka = "kafka: {bootstrapServers: 'localhost:9092'}\nsources:\n"
        let one = "  - {kind: kafka, name: a, topics: [x, y]}\n"
        #expect(try problems(kafka + one + "  - {kind: kafka, name: b, topics: [z]}") == [])
        #expect(try problems(kafka + one + "  - {kind: kafka, name: b, topics: [y], group: other}") == [])
        let found = try problems(kafka + one + "  - {kind: kafka, name: b, topics: [z, y]}")
        #expect(found.count == 1 && found[0].contains("one of the two only"), "\(found)")
    }
}
