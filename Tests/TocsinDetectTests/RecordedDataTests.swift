import Foundation
import Testing
import TocsinCore
import TocsinDetect

/// Real recordings beside the repository; skipped with a message where they are not.
private let recordings = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data")

private func lines(_ path: String) -> [[Substring]]? {
    guard let text = try? String(contentsOf: recordings.appending(path: path), encoding: .utf8) else { return nil }
    return text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",", omittingEmptySubsequences: false) }
}

private let haveRecordings = lines("adbench/thyroid.csv") != nil

@Suite(.enabled(if: haveRecordings, "no recordings at ../shared/data"))
struct RecordedDataTests {
    /// Means of ten seeds of scikit-learn 1.9.1 and how far a mean of three seeds may be from them.
    @Test(arguments: [
        ("annthyroid", 0.818, 0.03), ("cardio", 0.933, 0.02), ("pendigits", 0.942, 0.03), ("satellite", 0.701, 0.03),
        ("satimage-2", 0.994, 0.004), ("thyroid", 0.978, 0.008),
    ])
    func forestsReachTheReference(_ name: String, _ reference: Double, _ tolerance: Double) throws {
        let table = try #require(lines("adbench/\(name).csv"))
        let names = table[0].dropLast().map(String.init)
        let rows = table.dropFirst().flatMap { $0.dropLast().map { Double($0) ?? .nan } }
        let labels = table.dropFirst().map { $0.last == "1" }
        var sum = 0.0
        for seed in 1...3 {
            let forest = try IsolationForest.train(rows: rows, names: names, seed: UInt64(seed))
            var scores: [Double] = []
            forest.score(rows: rows, into: &scores)
            sum += auroc(scores, labels)
        }
        #expect(abs(sum / 3 - reference) < tolerance)
    }

    private func verdicts(_ path: String) throws -> [(time: Timestamp, kind: AnomalyKind, isContinuation: Bool)] {
        let table = try #require(lines(path)).dropFirst()
        var bank = Bank()
        return table.compactMap { row in
            guard let time = Timestamp(wall: row[0]), let value = Double(row[1]) else { return nil }
            let result = bank.assess(series: first, time: time, highWater: time, value: value)
            return result.kind.map { (time, $0, result.isContinuation) }
        }
    }

    @Test func theMachineFailureIsFoundInsideItsWindows() throws {
        let found = try verdicts("nab/data/realKnownCause/machine_temperature_system_failure.csv")
        let windows = [
            ("2013-12-10 06:25:00", "2013-12-12 05:35:00"), ("2013-12-15 17:50:00", "2013-12-17 17:00:00"),
            ("2014-01-27 14:20:00", "2014-01-29 13:30:00"), ("2014-02-07 14:55:00", "2014-02-09 14:05:00"),
        ].compactMap { start, end in
            Timestamp(wall: start[...]).flatMap { first in Timestamp(wall: end[...]).map { first...$0 } }
        }
        #expect(windows.count == 4)
        // The planned shutdown and the catastrophic failure.
        #expect(found.contains { windows[1].contains($0.time) })
        #expect(found.contains { windows[3].contains($0.time) })
        // Incidents elsewhere: verdicts at least six hours apart.
        var incidents = 0
        var last = Timestamp(nanoseconds: 0)
        for verdict in found where !windows.contains(where: { $0.contains(verdict.time) }) {
            if verdict.time.nanoseconds - last.nanoseconds >= 6 * 3_600_000_000_000 { incidents += 1 }
            last = verdict.time
        }
        #expect(incidents <= 3)
    }

    @Test(arguments: ["art_daily_small_noise", "art_flatline", "art_noisy"])
    func artificialSeriesWithoutAnomalyAreQuiet(_ name: String) throws {
        #expect(try verdicts("nab/data/artificialNoAnomaly/\(name).csv").isEmpty)
    }

    /// Row 3,178 of the second recording is the ignition.
    @Test func theFireIsSeenAtOnce() throws {
        let table = try #require(lines("smoke/smoke_shared.csv"))
        let columns = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
        let recording = table.dropFirst().filter { $0[1] == "B" }
        var bank = Bank()
        var kinds: [Int: Int] = [:]
        for (index, row) in recording.prefix(3400).enumerated() {
            guard let utc = Double(row[2]) else { continue }
            let time = Timestamp(seconds: utc)
            for (series, column) in columns.enumerated() {
                guard let value = Double(row[column]) else { continue }
                let result = bank.assess(series: SeriesID(UInt32(series)), time: time, highWater: time, value: value)
                if result.kind != nil, !result.isContinuation { kinds[index, default: 0] += 1 }
            }
        }
        #expect((3150...3200).contains { kinds[$0] != nil })
        #expect((3178...3300).reduce(0) { $0 + (kinds[$1] ?? 0) } >= 3)
    }
}

extension Timestamp {
    /// "2013-12-02 21:15:00" read as UTC.
    fileprivate init?(wall text: Substring) {
        let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count >= 6 else { return nil }
        var parts = DateComponents()
        parts.timeZone = TimeZone(identifier: "UTC")
        parts.calendar = Calendar(identifier: .gregorian)
        (parts.year, parts.month, parts.day) = (numbers[0], numbers[1], numbers[2])
        (parts.hour, parts.minute, parts.second) = (numbers[3], numbers[4], numbers[5])
        guard let date = parts.date else { return nil }
        self.init(seconds: date.timeIntervalSince1970)
    }
}
