import Testing
import TocsinCore
import TocsinDetect

@Suite("Charts over all metrics of an asset")
struct AssetChartTests {
    /// Four metrics: two that move together, one alone, one that wanders slowly upwards like a warming motor.
    private func rows(_ count: Int, seed: UInt64, wander: Double = 0.004, from start: Int = 0) -> [Double] {
        var noise = SeededNoise(seed: seed)
        var rows: [Double] = []
        for index in 0..<count {
            let common = noise.next()
            rows += [10 + common, 5 - 2 * common + 0.1 * noise.next(), noise.next()]
            rows.append(70 + wander * Double(index + start) + 0.2 * noise.next())
        }
        return rows
    }

    private func row(_ rows: [Double], _ index: Int) -> [Double] { Array(rows[index * 4..<index * 4 + 4]) }

    @Test("A broken correlation alarms, with both metrics in range, and the contributions sum to one and name them")
    func brokenCorrelation() throws {
        var chart = try AssetChart(fitting: rows(400, seed: 1), width: 4)
        let test = rows(400, seed: 2, from: 400)
        var shares: [Double] = []
        for index in 0..<300 { #expect(!chart.observe(row(test, index)).isAlarm) }
        var alarmed = false
        for index in 300..<340 {
            var values = row(test, index)
            (values[0], values[1]) = (11.5, 8)
            alarmed = chart.observe(values).isAlarm
        }
        chart.contributions(into: &shares)
        #expect(alarmed)
        #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
        #expect(shares[0] + shares[1] > 0.8)
    }

    @Test("Drift shown while fitting is forgiven, the same drift without it is not")
    func wander() throws {
        var settings = AssetChart.Settings()
        settings.wander = 0
        var forgiving = try AssetChart(fitting: rows(400, seed: 3), width: 4)
        var strict = try AssetChart(fitting: rows(400, seed: 3), width: 4, settings: settings)
        let later = rows(600, seed: 4, from: 400)
        var (forgiven, told) = (0, 0)
        for index in 0..<600 {
            forgiven += forgiving.observe(row(later, index)).isAlarm ? 1 : 0
            told += strict.observe(row(later, index)).isAlarm ? 1 : 0
        }
        #expect(forgiven == 0)
        #expect(told > 100)
    }

    @Test("An alarm holds until the score falls below the release")
    func deadBand() throws {
        var chart = try AssetChart(fitting: rows(400, seed: 5, wander: 0), width: 4)
        let test = rows(200, seed: 6, wander: 0)
        var between = 0
        for index in 0..<200 {
            var values = row(test, index)
            if index < 60 { values[2] += 6 }
            let reading = chart.observe(values)
            if reading.score < 1, reading.score >= chart.settings.release, index > 60 {
                between += 1
                #expect(reading.isAlarm)
            }
            if index == 199 { #expect(!reading.isAlarm) }
        }
        #expect(between > 0)
    }

    @Test("Missing, infinite and constant metrics are borne, too few rows are refused")
    func borders() throws {
        var rows = rows(100, seed: 7)
        for index in 0..<100 { rows[index * 4 + 2] = index % 3 == 0 ? .nan : 1.5 }
        var chart = try AssetChart(fitting: rows, width: 4)
        var subspace = try PrincipalSubspace(fitting: rows, width: 4)
        for values in [[.nan, .infinity, -.infinity, 1e308], [], [1], [10, 5, 1.5, 70, 3, 4]] as [[Double]] {
            #expect(chart.observe(values).score.isFinite)
            #expect(subspace.observe(values).score.isFinite)
        }
        #expect(throws: TocsinError.self) { try AssetChart(fitting: Array(rows[..<40]), width: 4) }
        #expect(throws: TocsinError.self) { try AssetChart(fitting: [], width: 0) }
        #expect(throws: TocsinError.self) { try PrincipalSubspace(fitting: Array(rows[..<40]), width: 4) }
    }

    @Test("Chart and subspace are saved and restored; damaged bytes give nil or a working one")
    func saving() throws {
        var chart = try AssetChart(fitting: rows(200, seed: 8), width: 4)
        var subspace = try PrincipalSubspace(fitting: rows(200, seed: 8), width: 4)
        let test = rows(100, seed: 9)
        for index in 0..<50 {
            _ = chart.observe(row(test, index))
            _ = subspace.observe(row(test, index))
        }
        var writer = StateWriter()
        chart.save(to: &writer)
        subspace.save(to: &writer)
        var reader = StateReader(writer.bytes)
        var chartCopy = try #require(AssetChart(restoring: &reader))
        var subspaceCopy = try #require(PrincipalSubspace(restoring: &reader))
        for index in 50..<100 {
            #expect(chart.observe(row(test, index)) == chartCopy.observe(row(test, index)))
            #expect(subspace.observe(row(test, index)) == subspaceCopy.observe(row(test, index)))
        }
        var random = SplitMix64(seed: 10)
        for _ in 0..<400 {
            var bytes = writer.bytes
            bytes[random.next(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            var damaged = StateReader(bytes)
            guard var copy = AssetChart(restoring: &damaged) else { continue }
            _ = copy.observe([1, 2, 3, 4])
            guard var other = PrincipalSubspace(restoring: &damaged) else { continue }
            _ = other.observe([1, 2, 3, 4])
        }
    }

    @Test("Q sees a broken correlation, T² more of the usual movement; the parts sum to the score")
    func subspaceKinds() throws {
        // Three metrics driven by one cause.
        var noise = SeededNoise(seed: 11)
        var fit: [Double] = []
        for _ in 0..<500 {
            let cause = noise.next()
            fit += [cause, 2 * cause + 0.05 * noise.next(), -cause + 0.05 * noise.next()]
        }
        var subspace = try PrincipalSubspace(fitting: fit, width: 3)
        #expect(subspace.components == 1)
        let usual = subspace.observe([1, 2, -1])
        #expect(usual.tSquared < 1 && usual.residual < 1)
        let more = subspace.observe([6, 12, -6])
        #expect(more.tSquared > 2 && more.residual < 1)
        let broken = subspace.observe([1, -2, -1])
        #expect(broken.residual > 2 && broken.tSquared < 1)
        var parts: [Double] = []
        subspace.contributions(into: &parts)
        #expect(abs(parts.reduce(0, +) - broken.score) < 1e-9 * broken.score)
        #expect(parts[1] > parts[0] && parts[1] > parts[2])
    }
}
