import Testing
import TocsinCore
import TocsinSimulator

/// Streams of one seed with and without anomalies share their noise, so the difference is the injected shape itself.
@Suite struct SimulatorInjectionTests {
    private static let rounding = 0.0101

    private func settings(_ injection: Injection?, rate: Double = 0.2) -> SimulatorSettings {
        var settings = SimulatorSettings(profile: .machine, seed: 21)
        settings.staggersSensors = false
        settings.anomalyRate = injection == nil ? 0 : rate
        if let injection { settings.injections = [injection] }
        return settings
    }

    /// One sensor with and without the injection, second by second, and its episodes that ended.
    private func compare(
        _ injection: Injection, hours: Int64 = 6
    ) throws -> [(episode: InjectedEpisode, normal: [Double], injected: [Double], sigma: Double)] {
        let plain = settings(nil)
        let end = plain.start.advanced(by: .hours(hours))
        let normal = try SimulatedStream(plain, events: .max, until: end)
        let injected = try SimulatedStream(settings(injection), events: .max, until: end)
        let names = Set(normal.rows.map(\.sensor))
        var result: [(InjectedEpisode, [Double], [Double], Double)] = []
        for name in names.sorted() {
            let before = normal.rows(of: name)
            let after = injected.rows(of: name)
            let episodes = injected.episodes.filter { $0.sensor == name && $0.end < end }
            let concerned = Set(
                injected.episodes.filter { $0.sensor == name }.flatMap {
                    second($0.start, plain)...second($0.end, plain)
                })
            #expect(
                before.indices.allSatisfy {
                    concerned.contains($0) || (before[$0].values == after[$0].values && !after[$0].isAnomalous)
                })
            for episode in episodes {
                let index = try normal.index(of: try #require(episode.metric))
                let range = second(episode.start, plain)...second(episode.end, plain)
                #expect(range.allSatisfy { after[$0].isAnomalous && after[$0].kind == injection.kind.name })
                result.append(
                    (
                        episode, range.map { before[$0].values[index] }, range.map { after[$0].values[index] },
                        normal.metrics[index].noise
                    ))
            }
        }
        #expect(result.count > 10)
        return result
    }

    private func second(_ time: Timestamp, _ settings: SimulatorSettings) -> Int {
        Int(time.since(settings.start).nanoseconds / 1_000_000_000)
    }

    @Test func `a spike adds its amplitude for its duration`() throws {
        let injection = Injection(.spike, amplitude: 6...9, duration: .seconds(2)...(.seconds(3)))
        var signs = Set<Bool>()
        for (episode, normal, injected, sigma) in try compare(injection) {
            let amplitude = try #require(episode.amplitude)
            #expect((6...9).contains(abs(amplitude)) && (2...3).contains(normal.count))
            signs.insert(amplitude > 0)
            for (before, after) in zip(normal, injected) {
                #expect(abs(after - before - amplitude * sigma) < Self.rounding || after == 0)
            }
        }
        #expect(signs.count == 2)
    }

    @Test func `a drift is a straight ramp up to its amplitude`() throws {
        let injection = Injection(.drift, amplitude: 5...8, duration: .minutes(2)...(.minutes(4)))
        for (episode, normal, injected, sigma) in try compare(injection) {
            let amplitude = try #require(episode.amplitude)
            #expect((5...8).contains(abs(amplitude)) && (120...240).contains(normal.count))
            #expect(
                normal.indices.allSatisfy {
                    let wanted = amplitude * sigma * Double($0 + 1) / Double(normal.count)
                    return abs(injected[$0] - normal[$0] - wanted) < Self.rounding
                })
        }
    }

    @Test func `a stuck sensor repeats its first value, or rests apart from it`() throws {
        for (_, normal, injected, _) in try compare(Injection(.stuck)) {
            #expect(Set(injected) == [normal[0]] && injected.count >= 60)
        }
        for (episode, normal, injected, sigma) in try compare(Injection(.stuck, amplitude: 3...4)) {
            #expect(Set(injected).count == 1)
            let amplitude = try #require(episode.amplitude)
            #expect(abs(injected[0] - normal[0] - amplitude * sigma) < Self.rounding && abs(amplitude) >= 3)
        }
    }

    @Test func `noise widens the spread by its amplitude`() throws {
        let injection = Injection(.noise, amplitude: 5...5, duration: .minutes(4)...(.minutes(4)))
        var ratios: [Double] = []
        for (_, normal, injected, sigma) in try compare(injection) {
            let added = zip(injected, normal).map { $0 - $1 }
            #expect(abs(mean(added)) < 5 * sigma * 5 / 240.0.squareRoot())
            ratios.append(deviation(added) / sigma)
        }
        #expect(abs(mean(ratios) - 5) < 0.15)
    }

    @Test func `silence leaves out exactly its events`() throws {
        let plain = settings(nil)
        let end = plain.start.advanced(by: .hours(6))
        let normal = try SimulatedStream(plain, events: .max, until: end)
        let silent = try SimulatedStream(settings(Injection(.silence)), events: .max, until: end)
        #expect(silent.episodes.count > 10 && silent.episodes.allSatisfy { $0.metric == nil && $0.amplitude == nil })
        for name in Set(normal.rows.map(\.sensor)) {
            let missing = Set(
                silent.episodes.filter { $0.sensor == name }.flatMap { second($0.start, plain)...second($0.end, plain) }
            )
            let expected = normal.rows(of: name).enumerated().filter { !missing.contains($0.offset) }.map(\.element)
            let actual = silent.rows(of: name)
            #expect(actual.map(\.time) == expected.map(\.time) && actual.map(\.values) == expected.map(\.values))
        }
    }

    @Test(arguments: [AnomalyKind.spike, .drift, .stuck, .noise, .silence], [0.02, 0.2, 0.6])
    func `the rate is the share of sensor-time`(_ kind: AnomalyKind, _ rate: Double) throws {
        var wanted = SimulatorSettings(profile: .fleet, seed: 8)
        wanted.sensors = 500
        wanted.anomalyRate = rate
        wanted.injections = [Injection(kind, duration: .seconds(1)...(.seconds(9)))]
        var simulator = try Simulator(wanted)
        var output: [UInt8] = []
        let end = wanted.start.advanced(by: .seconds(1000))
        let seconds = simulator.next(into: &output, maxEvents: .max, until: end).episodes.reduce(0.0) {
            $0 + min(end, $1.end).since($1.start).seconds + 1
        }
        #expect(abs(seconds / 500_000 - rate) < 0.1 * rate)
    }

    @Test func `all enabled kinds occur, no other`() throws {
        var mixed = SimulatorSettings(profile: .fleet, seed: 8)
        mixed.sensors = 300
        mixed.anomalyRate = 0.5
        #expect(
            Set(try SimulatedStream(mixed, events: 300_000).episodes.map(\.kind))
                == [.spike, .drift, .stuck, .noise, .silence])
        mixed.injections = [Injection(.spike), Injection(.noise)]
        #expect(Set(try SimulatedStream(mixed, events: 300_000).episodes.map(\.kind)) == [.spike, .noise])
        mixed.anomalyRate = 0
        #expect(try SimulatedStream(mixed, events: 30_000).episodes.isEmpty)
    }
}
