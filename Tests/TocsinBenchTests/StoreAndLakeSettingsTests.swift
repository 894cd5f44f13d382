import Testing
import TocsinBench
import TocsinCore

@Suite("Settings of the store's and the lake's benchmark")
struct StoreAndLakeSettingsTests {
    @Test(
        "what no store can be measured with is refused",
        arguments: [
            { $0.rows = -1 }, { $0.rows = 0 }, { $0.stored = 99_999 }, { $0.stored = -1 }, { $0.queries = 0 },
            { $0.repeats = 0 }, { $0.ingest = 1000 }, { $0.postgresURL = "postgresql://db" },
            { $0.comparesPsql = true },
            {
                $0.stored = 100_000
                $0.ingest = 0
            },
            {
                $0.engine = .postgres
                $0.comparesPsql = true
                $0.stored = 100_000
                $0.rows = 0
            },
        ] as [@Sendable (inout StoreBenchSettings) -> Void])
    func store(change: @Sendable (inout StoreBenchSettings) -> Void) throws {
        var settings = StoreBenchSettings()
        try settings.validate()
        change(&settings)
        let error = #expect(throws: TocsinError.self) { try settings.validate() }
        #expect(error?.code == .usage)
    }

    @Test("listings alone, and psql beside a server, can be measured")
    func possible() throws {
        var settings = StoreBenchSettings()
        settings.rows = 0
        settings.stored = 100_000
        settings.ingest = 1000
        try settings.validate()
        settings = StoreBenchSettings()
        settings.engine = .postgres
        settings.comparesPsql = true
        try settings.validate()
    }

    @Test(
        "what no lake can be measured with is refused",
        arguments: [
            { $0.readings = 0 }, { $0.etlReadings = 399_999 }, { $0.repeats = 0 },
            {
                $0.parts = [.bronze]
                $0.python = "python3"
            },
        ] as [@Sendable (inout LakeBenchSettings) -> Void])
    func lake(change: @Sendable (inout LakeBenchSettings) -> Void) throws {
        var settings = LakeBenchSettings()
        try settings.validate()
        change(&settings)
        let error = #expect(throws: TocsinError.self) { try settings.validate() }
        #expect(error?.code == .usage)
    }

    @Test("parts by name, each once, in the order given")
    func parts() throws {
        #expect(try LakeBenchSettings.Part.list("etl, bronze,etl") == [.etl, .bronze])
        let error = #expect(throws: TocsinError.self) { try LakeBenchSettings.Part.list("bronze,gold") }
        #expect(error?.message.contains("'gold'") == true)
        #expect(error?.remedy?.contains("pipeline") == true)
        #expect(throws: TocsinError.self) { try LakeBenchSettings.Part.list(",") }
    }
}
