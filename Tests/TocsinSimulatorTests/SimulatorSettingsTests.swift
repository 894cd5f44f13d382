import Testing
import TocsinCore
import TocsinSimulator

@Suite struct SimulatorSettingsTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var place: String
        var change: @Sendable (inout SimulatorSettings) -> Void
        var testDescription: String { place }
    }

    static let mistakes: [Mistake] = [
        Mistake(place: "simulator.sensors") { $0.sensors = 0 },
        Mistake(place: "simulator.sensors") { $0.sensors = .max },
        Mistake(place: "simulator.interval") { $0.interval = .seconds(0) },
        Mistake(place: "simulator.interval") { $0.interval = .nanoseconds(1_500_000) },
        Mistake(place: "simulator.interval") { $0.interval = .days(2) },
        Mistake(place: "simulator.start") { $0.start = Timestamp(nanoseconds: -1) },
        Mistake(place: "simulator.start") { $0.start = Timestamp(nanoseconds: .max) },
        Mistake(place: "simulator.anomalyRate") { $0.anomalyRate = -0.1 },
        Mistake(place: "simulator.anomalyRate") { $0.anomalyRate = .nan },
        Mistake(place: "simulator.anomalyRate") { $0.anomalyRate = 1 },
        Mistake(place: "simulator.noise") { $0.noiseFactor = .infinity },
        Mistake(place: "simulator.dailyAmplitude") { $0.dailyFactor = -1 },
        Mistake(place: "simulator.sensorOffsets") { $0.offsetFactor = .nan },
        Mistake(place: "simulator.noiseCorrelation") { $0.noiseCorrelation = 1 },
        Mistake(place: "simulator.format") {
            $0.profile = .smoke; $0.format = .narrow
        },
        Mistake(place: "simulator.anomalies") { $0.injections = [] },
        Mistake(place: "simulator.anomalies.fire") { $0.injections = [Injection(.fire)] },
        Mistake(place: "simulator.anomalies.range") { $0.injections = [Injection(.range)] },
        Mistake(place: "simulator.anomalies.silence.amplitude") {
            $0.injections = [Injection(.silence, amplitude: 1...2)]
        },
        Mistake(place: "simulator.anomalies.spike.amplitude") {
            $0.injections = [Injection(.spike, amplitude: -2...2)]
        },
        Mistake(place: "simulator.anomalies.drift.duration") {
            $0.injections = [Injection(.drift, duration: .seconds(0)...(.seconds(5)))]
        },
    ]

    @Test(arguments: mistakes)
    func `a mistake is named with its place and a remedy`(_ mistake: Mistake) throws {
        var settings = SimulatorSettings(profile: .plant)
        mistake.change(&settings)
        let error = try #require(throws: TocsinError.self) { try Simulator(settings) }
        #expect(error.code == .configuration && error.place == mistake.place)
        #expect(error.remedy?.isEmpty == false)
    }

    @Test func `every profile's defaults are valid`() throws {
        for profile in SimulatorProfile.allCases { try SimulatorSettings(profile: profile).validate() }
        #expect(SimulatorSettings(profile: .plant).sensors == 5)
        #expect(SimulatorSettings(profile: .plant).interval == .seconds(12))
        #expect(SimulatorSettings(profile: .fleet).sensors == 10_000)
    }
}
