import Testing
import TocsinConfiguration
import TocsinCore

@Suite("Layers and their precedence")
struct LoadingTests {
    @Test func anEmptyFileGivesTheDefaults() throws {
        for text in ["", "\n", "# nothing\n", "---\n", "server:\n", "~\n", "{}"] {
            let loaded = try load(text)
            #expect(loaded.configuration.server.port == 8080, "\(text)")
            #expect(loaded.configuration.windows == [.oneMinute, .fiveMinutes])
            #expect(loaded.configuration.sources.isEmpty)
        }
        let configuration = TocsinConfiguration.defaults
        #expect(configuration.server.host == "127.0.0.1")
        #expect(configuration.server.maxBodyBytes == 16 << 20)
        #expect(configuration.server.ingestEnabled)
        #expect(configuration.engine.allowedLateness == .seconds(30))
        #expect(configuration.input.validRanges == ["temperature": -50...120, "humidity": 0...100])
        #expect(configuration.detection.kinds == AnomalyKind.allCases)
        #expect(configuration.storePath == "./tocsin-data/tocsin.sqlite")
        #expect(configuration.alertsFilePath == "./tocsin-data/alerts.log")
        #expect(configuration.store.retention.eventAge == nil)
    }

    @Test func eachLayerIsStrongerThanTheOneBefore() throws {
        let yaml = "server:\n  port: 1001\n  host: file\nlog: {level: error}\nengine:\n  shards: 3"
        let loaded = try load(
            yaml, environment: ["SERVER_PORT": "1002", "SERVER_HOST": "environment"], flags: ["server.port": "1003"])
        let configuration = loaded.configuration
        #expect(configuration.server.port == 1003)
        #expect(configuration.server.host == "environment")
        #expect(configuration.engine.shards == 3)
        #expect(configuration.engine.inboxBatches == TocsinConfiguration.defaults.engine.inboxBatches)
        #expect(loaded.origins["server.port"] == .flag("--server.port"))
        #expect(loaded.origins["server.host"] == .environment(variable: "SERVER_HOST"))
        guard case .file(_, let line) = loaded.origins["engine.shards"] else {
            Issue.record("engine.shards does not come from the file")
            return
        }
        #expect(line == 6)
        #expect(loaded.origins["engine.inboxBatches"] == .default)
    }

    @Test func environmentNamesSplitCamelCase() throws {
        let loaded = try load(
            "",
            environment: [
                "SERVER_MAX_BODY_BYTES": "1MiB", "INPUT_MAPPING_EVENT_ID": "id", "LOG_LEVEL": "debug",
                "DETECTION_MINIMUM_DEVIATION_ABSOLUTE": "1.5",
            ])
        #expect(loaded.configuration.server.maxBodyBytes == 1 << 20)
        #expect(loaded.configuration.input.mapping.eventID == "id")
        #expect(loaded.configuration.log.level == .debug)
        #expect(loaded.configuration.detection.minimumDeviation.absolute == 1.5)
    }

    @Test func anAliasIsWeakerThanTheNameItself() throws {
        #expect(try load("", environment: ["PORT": "1"]).configuration.server.port == 1)
        #expect(try load("", environment: ["PORT": "1", "SERVER_PORT": "2"]).configuration.server.port == 2)
    }

    @Test func emptyAndUnknownVariablesAreIgnored() throws {
        let loaded = try load(
            "", environment: ["SERVER_PORT": "", "TOCSIN_WHATEVER": "1", "SOURCES_0_NONSENSE": "x", "WINDOWS_X": "1"])
        #expect(loaded.configuration.server.port == 8080)
        #expect(loaded.configuration.sources.isEmpty)
    }

    @Test func spaceAroundNumbersAndWordsIsIgnored() throws {
        let environment = ["SERVER_PORT": " 81\r", "LOG_LEVEL": "debug ", "STORE_STORE_EVENTS": "no\n"]
        let configuration = try load("", environment: environment).configuration
        #expect(configuration.server.port == 81)
        #expect(configuration.log.level == .debug)
        #expect(!configuration.store.storeEvents)
    }

    @Test func listsAreReplacedAndMapsMerged() throws {
        let yaml = """
            detection:
              kinds: [spike, drift]
            input:
              validRanges:
                pressure: [0, 400.5]
                Humidity: off
            """
        let file = try load(yaml).configuration
        #expect(file.detection.kinds == [.spike, .drift])
        #expect(file.input.validRanges == ["temperature": -50...120, "pressure": 0...400.5])
        let all = try load(
            yaml,
            environment: ["DETECTION_KINDS": "stuck, noise", "INPUT_VALID_RANGES": "pressure=1..2,x=-inf..5"],
            flags: ["input.validRanges.temperature": "0..1"])
        #expect(all.configuration.detection.kinds == [.stuck, .noise])
        #expect(
            all.configuration.input.validRanges
                == ["temperature": 0...1, "pressure": 1...2, "x": -Double.infinity...5])
        #expect(
            all.origins["input.validRanges.pressure"] == .environment(variable: "INPUT_VALID_RANGES"))
        #expect(all.origins["input.validRanges.temperature"] == .flag("--input.validRanges.temperature"))
    }

    @Test func aScalarIsAListOfItsParts() throws {
        #expect(try load("detection: {kinds: 'spike, stuck'}").configuration.detection.kinds == [.spike, .stuck])
        #expect(try load("detection: {kinds: []}").configuration.detection.kinds == [])
    }

    @Test func groupsInListsAreMergedKeyByKey() throws {
        let yaml = """
            windows:
              - {size: 30s, slide: 5s}
            sources:
              - kind: file
                path: a.csv
                mapping: {time: when}
              - kind: simulator
                rate: 5
            """
        let loaded = try load(
            yaml,
            environment: ["SOURCES_1_RATE": "7.5", "SOURCES_2_KIND": "stdin", "INPUT_MAPPING_SENSOR": "device"],
            flags: ["sources.0.follow": "true"])
        let sources = loaded.configuration.sources
        #expect(sources.map(\.name) == ["file-0", "simulator-1", "stdin-2"])
        #expect(sources[0].path == "a.csv")
        #expect(sources[0].follow)
        #expect(sources[0].mapping.time == "when")
        #expect(sources[0].mapping.sensor == "device", "inherited from input.mapping")
        #expect(sources[1].rate == 7.5)
        #expect(loaded.configuration.windows == [WindowDefinition(size: .seconds(30), slide: .seconds(5))])
    }

    @Test func anEmptyListOfSourcesIsAllowed() throws {
        #expect(try load("sources: []").configuration.sources.isEmpty)
        #expect(try problems("windows: []").first?.contains("`windows` is an empty list") == true)
    }

    @Test func anchorsAndMergeKeysWork() throws {
        let yaml = """
            sources:
              - &first
                kind: file
                path: a.csv
                name: a
              - <<: *first
                name: b
            """
        let sources = try load(yaml).configuration.sources
        #expect(sources.map(\.name) == ["a", "b"])
        #expect(sources.map(\.path) == ["a.csv", "a.csv"])
    }

    @Test func aSourceMadeByACommandHasTheDefaults() {
        let source = TocsinConfiguration.Source(kind: .file, name: "x", path: "p")
        #expect(source.speed == 1)
        #expect(source.format == .auto)
        #expect(source.mapping.timeFormat == .auto)
    }
}
