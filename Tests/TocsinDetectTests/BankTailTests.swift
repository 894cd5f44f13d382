import Testing
import TocsinCore
import TocsinDetect

/// On stationary noise of any shape the share of readings with p ≤ 1e-4 is 1e-4, within a factor of two.
@Suite struct BankTailTests {
    enum Shape: CaseIterable { case normal, laplace, uniform, logNormal, studentFour, quantised }

    private static func draw(_ shape: Shape, _ random: inout Random) -> Double {
        switch shape {
        case .normal: return random.normal()
        case .laplace:
            let u = random.uniform(-1, 1)
            return (u < 0 ? 1 : -1) * ln(max(1 - abs(u), 1e-300))
        case .uniform: return random.uniform()
        case .logNormal: return power(random.normal())
        case .studentFour:
            var sum = 0.0
            for _ in 0..<4 {
                let z = random.normal()
                sum += z * z
            }
            return random.normal() / (sum / 4).squareRoot()
        case .quantised: return (random.normal() * 10).rounded() / 10
        }
    }

    /// e^x by squaring: no C library in tests.
    private static func power(_ x: Double) -> Double {
        let small = x / 1024
        var result = 1 + small + small * small / 2 + small * small * small / 6
        for _ in 0..<10 { result *= result }
        return result
    }

    @Test(arguments: Shape.allCases)
    func thePValueIsAFrequency(_ shape: Shape) {
        var random = Random(17)
        var rare = 0
        var hundredth = 0
        var total = 0
        for _ in 0..<25 {
            var bank = Bank(settings: BankSettings(falseAlarmRate: 1e-4))
            for reading in 0..<50_000 {
                let time = seconds(reading)
                let value = 20 + Self.draw(shape, &random)
                let result = bank.assess(series: first, time: time, highWater: time, value: value)
                guard reading >= 10_000 else { continue }
                total += 1
                if result.surprise >= 9.210_34 { rare += 1 }
                if result.surprise >= 4.605_17 { hundredth += 1 }
            }
        }
        let rate = Double(rare) / Double(total)
        #expect(rate > 0.5e-4 && rate < 2e-4, "\(rate)")
        let common = Double(hundredth) / Double(total)
        #expect(common > 0.4e-2 && common < 2e-2, "\(common)")
    }
}
