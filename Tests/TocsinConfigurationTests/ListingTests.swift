import Foundation
import Testing
import TocsinConfiguration

@Suite("Listing, reference and examples")
struct ListingTests {
    private func text(_ name: String) throws -> String {
        let content = try #require(FileManager.default.contents(atPath: repositoryFile(name)), "\(name) is missing")
        return String(decoding: content, as: UTF8.self)
    }

    /// Without the comments, which name origins.
    private func values(_ yaml: String) -> [String] {
        yaml.split(separator: "\n").map { line in
            String(line.prefix(upTo: line.firstRange(of: "  #")?.lowerBound ?? line.endIndex))
                .replacing(" ", with: "")
        }
    }

    @Test func theListingReadBackGivesTheSame() throws {
        let yaml = """
            server: {host: "::1", port: 81}
            input:
              defaultSensor: "null"
              validRanges: {"odd: name": [-inf, 5], "äö": [1, 2]}
              mapping: {ignore: [a b, "c\\"d"]}
            sources:
              - {kind: file, path: "/tmp/ü #1.csv", mapping: {time: "t\\n\\u0001"}}
              - {kind: folder, path: in, name: "- x"}
            store: {retention: {events: 36h, maxBytes: 3000000}}
            """
        let first = try load(yaml)
        let second = try load(first.effective)
        #expect(values(second.effective) == values(first.effective))
        #expect(second.configuration.input.defaultSensor == "null")
        #expect(second.configuration.sources.map(\.name) == ["file-0", "- x"])
        #expect(second.configuration.sources[0].mapping.time == "t\n\u{1}")
    }

    @Test func theListingNamesOrigins() throws {
        let loaded = try load("server:\n  port: 81", environment: ["LOG_LEVEL": "debug"], flags: ["engine.shards": "2"])
        let lines = loaded.effective.split(separator: "\n")
        func line(_ start: String) -> Substring { lines.first { $0.contains(start) } ?? "" }
        #expect(line("port: 81").hasSuffix(":2"))
        #expect(line("level: debug").hasSuffix("# environment variable LOG_LEVEL"))
        #expect(line("shards: 2").hasSuffix("# flag --engine.shards"))
        #expect(line("host: 127.0.0.1").hasSuffix("# default"))
    }

    @Test func everyKeyIsListed() throws {
        let loaded = try load(
            """
            windows: [{size: 1m, slide: 1m}]
            sources: [{kind: stdin}]
            alerts:
              webhooks: [{url: 'http://h'}]
              channels: [{kind: webhook, name: w}]
              routes: [{channels: [w]}]
              escalations: [{channels: [w]}]
            rules: [{sensor: a}]
            classes: [{name: a, sensors: [a]}]
            maintenance: [{when: 'Sat 02:00-04:00'}]
            assets: [{name: a, sensors: [a]}]
            server: {ingest: {keys: [{name: a, key: b}]}}
            """)
        for entry in KeyRegistry.entries where entry.shape != .map {
            #expect(loaded.origins[entry.name.replacing("[]", with: ".0")] != nil, "\(entry.name) is never read")
        }
    }

    @Test func namesAndVariablesAreUnique() {
        let names = KeyRegistry.entries.map(\.name)
        #expect(Set(names).count == names.count)
        let variables = KeyRegistry.entries.flatMap { [$0.environmentName] + $0.aliases }
        #expect(Set(variables).count == variables.count)
        #expect(!variables.contains(""))
        for entry in KeyRegistry.entries {
            #expect(entry.summary.hasSuffix("."), "\(entry.name)")
            #expect(!entry.summary.dropLast().contains(". ") || entry.name == "input.validRanges", "\(entry.name)")
        }
    }

    /// To renew the file: `UPDATE_REFERENCE=1 swift test --filter theReferenceIsUpToDate`.
    @Test func theReferenceIsUpToDate() throws {
        if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] != nil {
            let content = Data((ConfigurationReference.markdown + "\n").utf8)
            try content.write(to: URL(filePath: repositoryFile("docs/configuration.md")))
        }
        let isCurrent = try text("docs/configuration.md") == ConfigurationReference.markdown + "\n"
        #expect(isCurrent, "docs/configuration.md is out of date: tocsin check --reference > docs/configuration.md")
    }

    @Test func theExampleIsValid() throws {
        let example = try text("tocsin.example.yaml")
        #expect(try problems(example).isEmpty)
        // With the commented parts switched on, too.
        let full = example.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard let mark = line.firstRange(of: "# "), line[..<mark.lowerBound].allSatisfy({ $0 == " " }),
                line.hasPrefix("  ")
            else { return String(line) }
            return String(line[..<mark.lowerBound] + line[mark.upperBound...])
        }.filter { !$0.hasPrefix("  A f") }.joined(separator: "\n")
        let loaded = try load(full)
        #expect(loaded.configuration.sources.map(\.name) == ["plant", "gateway", "boiler"])
        #expect(loaded.configuration.alerts.webhooks.count == 1)
        #expect(loaded.configuration.input.validRanges["pressure"] == 0...400)
    }

    @Test func theExampleForTheEnvironmentIsValid() throws {
        var environment: [String: String] = [:]
        for line in try text(".env.example").split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            environment[String(parts[0])] = String(parts[1])
        }
        #expect(try load("", environment: environment).configuration.server.port == 8080)
        let known = Set(KeyRegistry.entries.flatMap { [$0.environmentName, $0.environmentName + "_FILE"] })
        #expect(environment.keys.allSatisfy(known.contains), "\(environment.keys.filter { !known.contains($0) })")
    }
}
