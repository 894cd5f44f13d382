import Testing
import TocsinCore
import TocsinEvaluation

@Suite struct SKABChangePointTests {
    /// One row a second.
    private func recording(_ rows: Int, truth: [Int], predicted: [Int]) -> SKABChangePoint.Recording {
        SKABChangePoint.Recording(
            times: (0..<rows).map { Timestamp(seconds: Double($0)) },
            changePoints: (0..<rows).map(truth.contains), predicted: (0..<rows).map(predicted.contains))
    }

    @Test func perfectAndSilent() {
        let perfect = SKABChangePoint.score([recording(300, truth: [50, 200], predicted: [50, 200])])
        #expect(abs(perfect.standard - 100) < 1e-9 && abs(perfect.lowFalseNegatives - 100) < 1e-9)
        #expect(perfect.missed == 0 && perfect.falsePositives == 0 && perfect.changePoints == 2)
        let silent = SKABChangePoint.score([recording(300, truth: [50, 200], predicted: [])])
        #expect(silent.standard == 0 && silent.lowFalsePositives == 0 && silent.missed == 2)
    }

    /// Expected figures: the published formula written out in pandas.
    @Test func lateEarlyAndFalseOnes() {
        let result = SKABChangePoint.score([
            recording(400, truth: [50, 100, 300], predicted: [10, 70, 71, 109, 110, 165, 390]),
            recording(100, truth: [], predicted: [5, 6]),
            recording(200, truth: [100], predicted: [160]),
        ])
        #expect(result.missed == 1 && result.falsePositives == 5 && result.changePoints == 4)
        #expect(abs(result.standard - 50.946879774037) < 1e-9, "\(result)")
        #expect(abs(result.lowFalsePositives - 42.369543535429) < 1e-9)
        #expect(abs(result.lowFalseNegatives - 58.964586516025) < 1e-9)
    }

    @Test func oddInputHasAnAnswer() {
        #expect(SKABChangePoint.score([]).standard == 0)
        let far = SKABChangePoint.Recording(
            times: [Timestamp(nanoseconds: .min), Timestamp(nanoseconds: .max)], changePoints: [true, true, true],
            predicted: [true, true])
        #expect(SKABChangePoint.score([far]).standard.isFinite)
        #expect(SKABChangePoint.score([far], window: .seconds(-5)).standard.isFinite)
        #expect(SKABChangePoint.changes(of: []).isEmpty)
        #expect(SKABChangePoint.changes(of: [true, true, false, true]) == [true, false, true, true])
    }
}

@Suite(.enabled(if: sharedTable("skab/published/per_file_counts.csv") != nil, "no recordings at ../shared/data"))
struct SKABPublishedTests {
    /// The board's figures for the shared files, from the published counts of each file pooled.
    @Test func pooledCountsGiveTheBoard() throws {
        let board = try #require(sharedTable("skab/published/outlier_scores.csv")).dropFirst()
        let counts = try #require(sharedTable("skab/published/per_file_counts.csv")).dropFirst()
        var checked = 0
        for row in board {
            var pooled = PointCounts()
            for file in counts where file[0] == row[0] {
                pooled += PointCounts(
                    truePositives: Int(file[2]) ?? 0, falsePositives: Int(file[3]) ?? 0,
                    trueNegatives: Int(file[5]) ?? 0, falseNegatives: Int(file[4]) ?? 0)
            }
            guard pooled.total > 0, let f1 = Double(row[4]), let alarms = Double(row[5]), let misses = Double(row[6])
            else { continue }
            #expect(abs(pooled.f1 - f1) < 0.000_6, "\(row[0])")
            #expect(abs(100 * pooled.falseAlarmRate - alarms) < 0.000_6, "\(row[0])")
            #expect(abs(100 * pooled.missedAlarmRate - misses) < 0.000_6, "\(row[0])")
            checked += 1
        }
        #expect(checked > 5)
    }
}
