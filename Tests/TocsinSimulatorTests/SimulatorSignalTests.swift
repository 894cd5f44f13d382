import Testing
import TocsinCore
import TocsinSimulator

@Suite struct SimulatorSignalTests {
    @Test(arguments: 1...5)
    func `a plant has 15 to 25 percent anomalies: hot spikes and dry drops`(_ seed: UInt64) throws {
        let stream = try SimulatedStream(SimulatorSettings(profile: .plant, seed: seed), events: 20_000)
        let share = Double(stream.rows.count { $0.isAnomalous }) / 20_000
        #expect((0.15...0.25).contains(share))
        var hot = 0
        var dry = 0
        var wrong = 0
        for row in stream.rows {
            let isHot = (80...120).contains(row.values[0])
            let isDry = (0...20).contains(row.values[1])
            let isNormal =
                (isHot || (15...35).contains(row.values[0])) && (isDry || (25...75).contains(row.values[1]))
            if (isHot || isDry) != row.isAnomalous || (isHot && isDry) || !isNormal { wrong += 1 }
            hot += isHot ? 1 : 0
            dry += isDry ? 1 : 0
        }
        #expect(wrong == 0)
        #expect(hot > 1000 && dry > 1000)
        #expect(stream.episodes.count == hot + dry)
    }

    @Test func `noise is normal with the metric's sigma`() throws {
        var settings = SimulatorSettings(profile: .fleet, seed: 2)
        settings.dailyFactor = 0
        settings.offsetFactor = 0
        settings.anomalyRate = 0
        let values = try SimulatedStream(settings, events: 200_000).rows.map { ($0.values[0] - 25) / 1 }
        // Standard errors at this size: mean 0.0022, deviation 0.0016, kurtosis 0.011; tolerances are 4 of them.
        #expect(abs(mean(values)) < 0.009)
        #expect(abs(deviation(values) - 1) < 0.0065)
        #expect(abs(mean(values.map { $0 * $0 * $0 * $0 }) - 3) < 0.09)
        // Beyond the ziggurat's last layer: P(|z| > 3.445) = 5.7e-4, 114 ± 43 of 200,000.
        let beyond = values.count { abs($0) > 3.445 }
        #expect((71...157).contains(beyond))
    }

    @Test func `noise has the wanted correlation and keeps its sigma`() throws {
        var settings = SimulatorSettings(profile: .fleet, seed: 2)
        settings.sensors = 1
        settings.dailyFactor = 0
        settings.offsetFactor = 0
        settings.anomalyRate = 0
        settings.noiseCorrelation = 0.7
        let values = try SimulatedStream(settings, events: 100_000).rows.map { $0.values[0] - 25 }
        let correlation = mean(zip(values, values.dropFirst()).map { $0 * $1 }) / mean(values.map { $0 * $0 })
        #expect(abs(correlation - 0.7) < 0.02)
        #expect(abs(deviation(values) - 1) < 0.03)
    }

    @Test func `days are warm at 15:00 and sensors differ by constants`() throws {
        var settings = SimulatorSettings(profile: .fleet, seed: 4)
        settings.sensors = 200
        settings.interval = .hours(12)
        settings.start = settings.start.advanced(by: .hours(3))
        settings.anomalyRate = 0
        settings.staggersSensors = false
        let rows = try SimulatedStream(settings, events: 200 * 100).rows
        let night = mean(rows.filter { $0.time.contains("T03") }.map { $0.values[0] })
        let afternoon = mean(rows.filter { $0.time.contains("T15") }.map { $0.values[0] })
        // Twice the amplitude of 3 °C, less the cosine of the sensors' lags.
        #expect(abs(afternoon - night - 6) < 0.25)
        let means = Dictionary(grouping: rows, by: \.sensor).values.map { mean($0.map { $0.values[0] }) }
        #expect((1.6...2.4).contains(deviation(means)))
    }

    @Test func `smoke has the columns of the data set`() throws {
        let columns =
            "UTC,Temperature[C],Humidity[%],TVOC[ppb],eCO2[ppm],Raw H2,Raw Ethanol,Pressure[hPa],PM1.0,PM2.5,"
            + "NC0.5,NC1.0,NC2.5,CNT,Fire Alarm"
        var settings = SimulatorSettings(profile: .smoke)
        settings.format = .csv
        #expect(try text(settings, events: 1).hasPrefix("sensor_id,\(columns)\nsmoke_1,1759276800,"))
        settings.sensors = 1
        #expect(try text(settings, events: 1).hasPrefix("\(columns)\n1759276800,"))
        #expect(String(decoding: try Simulator(settings).header, as: UTF8.self) == "\(columns)\n")
    }

    @Test func `a fire brings gas, then particles, then heat, and dries the air`() throws {
        var settings = SimulatorSettings(profile: .smoke, seed: 11)
        settings.sensors = 1
        settings.dailyFactor = 0
        settings.offsetFactor = 0
        settings.format = .csv
        var simulator = try Simulator(settings)
        var output: [UInt8] = []
        let episodes = simulator.next(into: &output, maxEvents: 40_000).episodes
        let rows = try String(decoding: output, as: UTF8.self).split(separator: "\n").dropFirst().map {
            try $0.split(separator: ",").map { try number(String($0)) }
        }
        #expect(episodes.count > 3)
        let start = settings.start.seconds
        #expect(
            rows.allSatisfy { row in
                let isBurning = episodes.contains { ($0.start.seconds...$0.end.seconds).contains(row[0]) }
                return row[14] == (isBurning ? 1 : 0) && row[13] == row[0] - start
            })
        // The first fire begins in clean air.
        let episode = try #require(episodes.first)
        #expect(episode.kind == .fire && episode.metric == nil)
        let first = Int(episode.start.seconds - start)
        let last = min(rows.count - 1, Int(episode.end.seconds - start))
        func onset(_ metric: String, falls: Bool = false) throws -> Int {
            let index = try #require(settings.profile.metrics.firstIndex { $0.name == metric })
            let sigma = settings.profile.metrics[index].noise
            let clean = rows[max(0, first - 100)..<first].map { $0[index + 1] }
            return try #require(
                (first...last).first { second in
                    let change = rows[second][index + 1] - mean(clean)
                    return (falls ? -change : change) > 6 * sigma
                })
        }
        let gas = max(try onset("TVOC[ppb]"), try onset("eCO2[ppm]"))
        let particles = try onset("PM1.0")
        #expect(gas < particles)
        #expect(particles < (try onset("Temperature[C]")))
        #expect(particles < (try onset("Humidity[%]", falls: true)))
        #expect(rows[last][1] - rows[first][1] > 4)
        // Particle sizes keep their proportion, and the air clears afterwards.
        #expect(abs(rows[last][10] / rows[last][8] - 6.885) < 0.2)
        let cleared = last + 600
        if cleared < rows.count, episodes[1].start.seconds - start > Double(cleared) {
            #expect(rows[cleared][3] < rows[last][3] / 2)
        }
    }
}
