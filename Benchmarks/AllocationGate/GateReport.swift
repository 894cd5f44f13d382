internal import TocsinMeasure

/// Allocations of one stage over all measured batches.
struct StageCount {
    var stage: String
    var allocations: UInt64
    var batches: Int
    var readings: Int

    var perThousand: Double { readings > 0 ? Double(allocations) * 1000 / Double(readings) : 0 }
    var perBatch: Double { batches > 0 ? Double(allocations) / Double(batches) : 0 }
}

/// Measured beside allowed.
struct GateReport {
    let text: String
    /// One line for each stage that allocates too much, or for which nothing is allowed or measured.
    let failures: [String]

    init(counts: [StageCount], thresholds: Thresholds) {
        var table = TextTable(["stage", "per batch", "per 1,000 readings", "allowed"])
        var failures: [String] = []
        for count in counts {
            let allowed = thresholds.allocationsPer1000Readings[count.stage]
            table.add([
                count.stage, Figure.decimal(count.perBatch), Figure.decimal(count.perThousand, digits: 3),
                allowed.map { Figure.decimal($0, digits: 3) } ?? "-",
            ])
            guard let allowed else {
                failures.append("FAIL allocation gate: thresholds.json says nothing of '\(count.stage)'")
                continue
            }
            if count.perThousand > allowed + thresholds.tolerance {
                failures.append(
                    "FAIL allocation gate: \(count.stage) makes \(Figure.decimal(count.perThousand, digits: 3)) "
                        + "allocations per 1,000 readings, allowed are \(Figure.decimal(allowed, digits: 3))")
            }
        }
        let measured = Set(counts.map(\.stage))
        for stage in thresholds.allocationsPer1000Readings.keys.sorted() where !measured.contains(stage) {
            failures.append("FAIL allocation gate: '\(stage)' of thresholds.json is not measured")
        }
        text = table.text + (failures.isEmpty ? "\nPASS allocation gate" : "")
        self.failures = failures
    }
}
