import Testing
import TocsinConfiguration
import TocsinCore

@Suite("Values as people write them")
struct ValueTests {
    @Test(
        arguments: [
            ("250ms", 250_000_000), ("30s", 30_000_000_000), ("5m", 300_000_000_000), ("5min", 300_000_000_000),
            ("1h", 3_600_000_000_000), ("7d", 604_800_000_000_000), ("1w", 604_800_000_000_000), ("0", 0), ("0s", 0),
            ("1.5h", 5_400_000_000_000), ("90 s", 90_000_000_000), ("500us", 500_000), ("500µs", 500_000), ("7ns", 7),
            ("0.25s", 250_000_000), ("1_000ms", 1_000_000_000),
        ] as [(String, Int64)])
    func durations(text: String, nanoseconds: Int64) throws {
        let configuration = try load("engine: {allowedLateness: '\(text)'}").configuration
        #expect(configuration.engine.allowedLateness.nanoseconds == nanoseconds)
    }

    @Test(arguments: ["", "s", "1", "1x", "1 hour", "-1s", "1e3s", "1..5s", "99999999999999999d", "1.5.5h", "∞s", "٣s"])
    func noDurations(text: String) throws {
        #expect(try problems("engine: {allowedLateness: '\(text)'}").count == 1)
    }

    @Test(arguments: [
        ("64MiB", 64 << 20), ("64 MiB", 64 << 20), ("1048576", 1 << 20), ("1.5MiB", 3 << 19), ("2MB", 2_000_000),
        ("1_024", 1024), ("2KiB", 2048), ("1GiB", 1 << 30), ("4096B", 4096),
    ])
    func sizes(text: String, bytes: Int) throws {
        #expect(try load("server: {maxBodyBytes: '\(text)'}").configuration.server.maxBodyBytes == bytes)
    }

    @Test(arguments: ["true", "True", "yes", "on", "1"]) func truths(text: String) throws {
        #expect(try load("store: {storeEvents: \(text)}").configuration.store.storeEvents)
    }

    @Test(arguments: ["false", "no", "OFF", "0"]) func falsehoods(text: String) throws {
        #expect(try !load("store: {storeEvents: \(text)}").configuration.store.storeEvents)
    }

    @Test func numbersMayBeGrouped() throws {
        #expect(try load("engine: {maxSeries: 3_000_000}").configuration.engine.maxSeries == 3_000_000)
        #expect(try load("detection: {falseAlarmRate: 1e-4}").configuration.detection.falseAlarmRate == 1e-4)
        let top = try load("detection: {forest: {seed: \(UInt64.max)}}").configuration
        #expect(top.detection.forest.seed == .max)
    }

    @Test func quietWindowsTakeThePlaceOfAQuietTime() throws {
        #expect(try load("alarms: {clearAfter: 7m}").configuration.alarms.clearAfter == .minutes(7))
        // The first one lasts its size, each further one begins a slide later.
        #expect(try load("alarms: {clearWindows: 1}").configuration.alarms.clearAfter == .seconds(60))
        let yaml = "{windows: [{size: 2m, slide: 30s}], alarms: {clearAfter: 7m, clearWindows: 4}}"
        #expect(try load(yaml).configuration.alarms.clearAfter == .seconds(120 + 3 * 30))
        #expect(try load("alarms: {clearAfter: 7m, clearWindows: off}").configuration.alarms.clearAfter == .minutes(7))
        #expect(try problems("alarms: {clearWindows: 0}").count == 1)
    }

    @Test func agesMayBeAbsent() throws {
        let yaml = "store: {retention: {events: 30d, windows: never, maxBytes: 20GiB}}"
        let retention = try load(yaml).configuration.store.retention
        #expect(retention.eventAge == .days(30))
        #expect(retention.windowAge == nil)
        #expect(retention.maxBytes == 20 << 30)
        let unlimited = try load(yaml, flags: ["store.retention.maxBytes": "unlimited"]).configuration
        #expect(unlimited.store.retention.maxBytes == nil)
    }

    @Test func textsStayAsTheyAreWritten() throws {
        let yaml = "input: {defaultSensor: 007, mapping: {time: 'yes', sensor: \"a: b\\n\"}}"
        let input = try load(yaml).configuration.input
        #expect(input.defaultSensor == "007")
        #expect(input.mapping.time == "yes")
        #expect(input.mapping.sensor == "a: b\n")
    }

    @Test func absolutePathsStay() throws {
        let yaml = "data: {directory: /data/}\nstore: {path: x.db}\nalerts: {file: {path: /var/log/a.log}}"
        let configuration = try load(yaml).configuration
        #expect(configuration.storePath == "/data/x.db")
        #expect(configuration.alertsFilePath == "/var/log/a.log")
    }

    @Test func aRangeIsTwoNumbersInAListOrAText() throws {
        for text in ["[0, 100]", "0..100", "'0 .. 100'"] {
            let loaded = try load("rules: [{sensor: pump*, limits: \(text)}]")
            #expect(loaded.configuration.rules.first?.limits == 0...100)
        }
        #expect(try problems("rules: [{sensor: pump*, limits: [0, 50, 100]}]").count == 1)
        #expect(try problems("rules: [{sensor: pump*, limits: [0, [1]]}]").count == 1)
    }
}
