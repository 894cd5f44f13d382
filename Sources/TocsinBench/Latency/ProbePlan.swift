internal import TocsinCore
internal import TocsinMeasure

/// Which request carries which probe, and when each of them was due: what arrives on `/live` finds its way back.
///
/// Watched sensors are followed for their readings; trained ones send a reading a second and a spike now and then, whose
/// verdict is published when it is durable.
package struct ProbePlan {
    package enum Role { case watched, trained }

    package struct Probe {
        package var name: String
        package var role: Role
        var lastMilliseconds = Int64.min
        /// Readings since its last spike.
        var quietReadings = 0
        var value = 0.0
    }

    package private(set) var probes: [Probe]
    /// Monotonic due time by name and event time in ms.
    private var due: [Key: Int64] = [:]
    /// The same of spikes, for those who hear of their alarms.
    private var alertDue: [Key: Int64] = [:]
    package private(set) var spikesSent = 0
    private var number = 0
    private var random = Noise(seed: 11)
    private let watchedCount: Int
    private let isAlone: Bool

    private struct Key: Hashable {
        var name: String
        var milliseconds: Int64
    }

    /// Readings of a trained sensor before the load begins, one a second.
    static let trainingReadings = 240
    private static let watchedSpacing: Int64 = 20
    private static let trainedSpacing: Int64 = 1000
    /// Readings between two spikes of a sensor.
    private static let quietReadings = 8
    private static let quietReadingsAlone = 3
    private static let level = 25.0
    private static let spike = 40.0

    /// - Parameters:
    ///   - run: makes the names new, so that nothing of an earlier run is among them.
    ///   - isAlone: one reading a request: mostly a watched one, every fourth time one of the trained.
    package init(run: Int64, watched: Int, trained: Int, isAlone: Bool) {
        self.isAlone = isAlone
        let suffix = String(run, radix: 36)
        probes =
            (0..<watched).map { Probe(name: "bench_watched_\($0)_\(suffix)", role: .watched) }
            + (0..<trained).map { Probe(name: "bench_trained_\($0)_\(suffix)", role: .trained) }
        watchedCount = watched
        // Not all of them at once.
        for index in probes.indices { probes[index].quietReadings = index % Self.quietReadings }
    }

    package var watchedNames: [String] { probes.filter { $0.role == .watched }.map(\.name) }

    /// The probe readings of the next request, to be sent at `due` (monotonic) = `milliseconds` (wall clock).
    package mutating func next(due time: Int64, milliseconds: Int64) -> [(name: String, value: Double)] {
        var readings: [(name: String, value: Double)] = []
        let carriesTrained = !isAlone || number % 4 == 3
        let watched = number % max(1, watchedCount)
        if watchedCount > 0, !(isAlone && carriesTrained), isFree(watched, milliseconds, Self.watchedSpacing) {
            readings.append(note(watched, time, milliseconds, value: Self.level + random.next()))
        }
        let trainedCount = probes.count - watchedCount
        if trainedCount > 0, carriesTrained {
            let trained = watchedCount + (isAlone ? number / 4 : number) % trainedCount
            if isFree(trained, milliseconds, Self.trainedSpacing) {
                probes[trained].quietReadings += 1
                var value = Self.level + random.next()
                let isSpike = probes[trained].quietReadings >= (isAlone ? Self.quietReadingsAlone : Self.quietReadings)
                if isSpike {
                    probes[trained].quietReadings = 0
                    value += Self.spike
                    spikesSent += 1
                }
                let reading = note(trained, isSpike ? time : nil, milliseconds, value: value)
                readings.append(reading)
            }
        }
        number += 1
        return readings
    }

    /// When the request with this reading was due; once each.
    package mutating func takeDue(_ name: String, milliseconds: Int64) -> Int64? {
        due.removeValue(forKey: Key(name: name, milliseconds: milliseconds))
    }

    /// When the request with this spike was due; once each.
    package mutating func takeAlertDue(_ name: String, milliseconds: Int64) -> Int64? {
        alertDue.removeValue(forKey: Key(name: name, milliseconds: milliseconds))
    }

    /// Probes that have not come back.
    package var outstanding: Int { due.count }

    private func isFree(_ index: Int, _ milliseconds: Int64, _ spacing: Int64) -> Bool {
        let last = probes[index].lastMilliseconds
        return last == .min || milliseconds - last >= spacing
    }

    private mutating func note(
        _ index: Int, _ time: Int64?, _ milliseconds: Int64, value: Double
    ) -> (name: String, value: Double) {
        probes[index].lastMilliseconds = milliseconds
        if let time {
            let key = Key(name: probes[index].name, milliseconds: milliseconds)
            due[key] = time
            if probes[index].role == .trained { alertDue[key] = time }
        }
        return (probes[index].name, value)
    }
}

/// Deterministic noise, about normal with a standard deviation of 0.6: the sum of uniform numbers (SplitMix64).
struct Noise: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Double {
        var sum = 0.0
        for _ in 0..<4 { sum += Double(word() >> 11) * 0x1p-53 }
        return sum - 2
    }

    private mutating func word() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
