import Testing
import TocsinBench
import TocsinCore

@Suite("Benchmark settings")
struct SettingsTests {
    @Test("stages by name, each once, in the order given")
    func stages() throws {
        #expect(try PipelineStage.list("windows, decode,windows") == [.windows, .decode])
        #expect(try PipelineStage.list("persist") == [.persist])
    }

    @Test("an unknown stage is named, and the known ones", arguments: ["decode,bnk", "", ",", "Decode"])
    func unknownStage(text: String) {
        let error = #expect(throws: TocsinError.self) { try PipelineStage.list(text) }
        #expect(error?.code == .usage)
        if text == "decode,bnk" {
            #expect(error?.message.contains("'bnk'") == true)
            #expect(error?.remedy?.contains("bank") == true)
        }
    }

    @Test("numbers of sensors")
    func numbers() throws {
        #expect(try ScalingBench.numbers("10, 1000,1_000_000") == [10, 1000, 1_000_000])
        #expect(throws: TocsinError.self) { try ScalingBench.numbers("10,,20") }
        #expect(throws: TocsinError.self) { try ScalingBench.numbers("ten") }
        #expect(throws: TocsinError.self) {
            try ScalingBench(sensors: [0], readings: 1, flags: [], progress: nil)
        }
    }

    @Test(
        "what cannot be sent is refused",
        arguments: [
            { $0.rate = 0 }, { $0.rate = .nan }, { $0.seconds = -1 }, { $0.batch = 0 }, { $0.connections = 0 },
            { $0.sensors = 0 }, { $0.url = "localhost:8080" },
            {
                $0.batch = 100_000
                $0.sensors = 1
            },
        ] as [@Sendable (inout LatencySettings) -> Void])
    func latency(change: @Sendable (inout LatencySettings) -> Void) throws {
        var settings = LatencySettings()
        try settings.validate()
        change(&settings)
        let error = #expect(throws: TocsinError.self) { try settings.validate() }
        #expect(error?.code == .usage)
    }

    @Test("what cannot be driven is refused")
    func memory() throws {
        var settings = MemorySettings()
        try settings.validate()
        settings.warmUpSeconds = -1
        #expect(throws: TocsinError.self) { try settings.validate() }
        settings = MemorySettings()
        settings.sensors = 0
        #expect(throws: TocsinError.self) { try settings.validate() }
        var pipeline = PipelineBench.Settings()
        try pipeline.validate()
        pipeline.repeats = 0
        #expect(throws: TocsinError.self) { try pipeline.validate() }
    }
}
