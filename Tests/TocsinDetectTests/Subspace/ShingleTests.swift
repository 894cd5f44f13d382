import Testing
import TocsinCore
import TocsinDetect

@Suite("Windows of one series: subspace and clusters")
struct ShingleTests {
    /// A triangle wave of 40 readings with noise; from `broken` on for 20 readings it stands still at a usual height.
    private func wave(_ count: Int, broken: Int) -> [Double] {
        var noise = SeededNoise(seed: 1)
        var held = 0.0
        return (0..<count).map { index in
            let phase = Double(index % 40) / 40
            let value = (phase < 0.5 ? phase : 1 - phase) * 10 + 0.1 * noise.next()
            if index == broken { held = value }
            return (broken..<broken + 20).contains(index) ? held + 0.1 * noise.next() : value
        }
    }

    @Test("A changed shape within the usual range is the most surprising window of both")
    func brokenShape() {
        let values = wave(4000, broken: 3310)
        var subspace = ShingleSubspace()
        var clusters = ShingleClusters()
        var (highest, place) = (SIMD2<Double>(0, 0), SIMD2<Int>(0, 0))
        for (index, value) in values.enumerated() {
            let surprise = SIMD2(subspace.observe(value), clusters.observe(value))
            for view in 0..<2 where index > 500 && surprise[view] > highest[view] {
                (highest[view], place[view]) = (surprise[view], index)
            }
        }
        #expect((3310..<3360).contains(place[0]))
        #expect((3310..<3360).contains(place[1]))
        #expect(highest[0] > 5 && highest[1] > 3)
    }

    @Test("Saved and restored they go on with the same answers", arguments: [0, 10, 80, 1000])
    func saving(moment: Int) throws {
        let values = wave(2000, broken: 1500)
        var subspace = ShingleSubspace(window: 12)
        var clusters = ShingleClusters(window: 12, centres: 4)
        for value in values[..<moment] {
            _ = subspace.observe(value)
            _ = clusters.observe(value)
        }
        var writer = StateWriter()
        subspace.save(to: &writer)
        clusters.save(to: &writer)
        var reader = StateReader(writer.bytes)
        var subspaceCopy = try #require(ShingleSubspace(restoring: &reader))
        var clustersCopy = try #require(ShingleClusters(restoring: &reader))
        for value in values[moment...] {
            #expect(subspace.observe(value) == subspaceCopy.observe(value))
            #expect(clusters.observe(value) == clustersCopy.observe(value))
        }
        var random = SplitMix64(seed: 3)
        for _ in 0..<300 {
            var bytes = writer.bytes
            bytes[random.next(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            var damaged = StateReader(bytes)
            guard var copy = ShingleSubspace(restoring: &damaged) else { continue }
            for value in values[..<100] { _ = copy.observe(value) }
            guard var other = ShingleClusters(restoring: &damaged) else { continue }
            for value in values[..<100] { _ = other.observe(value) }
        }
    }

    @Test("Constant, huge and missing values pass")
    func borders() {
        var subspace = ShingleSubspace(window: 4)
        var clusters = ShingleClusters(window: 4)
        for value in [.nan, .infinity, 1e308, 1e149, -1e149] + [Double](repeating: 3, count: 300) {
            #expect(subspace.observe(value).isFinite)
            #expect(clusters.observe(value).isFinite)
        }
    }
}
