import Foundation
import TocsinCore
import TocsinEvaluation

/// Real recordings beside the repository; the tests that need them say so where they are not.
let sharedData = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "shared/data")

func sharedTable(_ path: String) -> [[Substring]]? {
    guard let text = try? String(contentsOf: sharedData.appending(path: path), encoding: .utf8) else { return nil }
    return text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",", omittingEmptySubsequences: false) }
}

/// "2013-12-02 21:15:00" read as UTC.
func wallTime(_ text: some StringProtocol) -> Timestamp? {
    Timestamp(iso8601: text.replacingOccurrences(of: " ", with: "T") + "Z")
}

/// The windowed Gaussian detector of the NAB repository (6,400 rows, moved on in steps of 100).
struct WindowedGaussian {
    private var window: [Double] = []
    private var waiting: [Double] = []
    private var mean = 0.0
    private var deviation = 1.0

    mutating func score(_ value: Double) -> Double {
        // The published results passed through files with twelve digits, which makes 1 of all that is nearly 1.
        let score = window.isEmpty ? 0 : ((1 - tail(value)) * 1e12).rounded() / 1e12
        if window.count < 6_400 {
            window.append(value)
            update()
        } else {
            waiting.append(value)
            if waiting.count == 100 {
                window.removeFirst(100)
                window += waiting
                waiting = []
                update()
            }
        }
        return score
    }

    private func tail(_ value: Double) -> Double {
        let mirrored = value < mean ? 2 * mean - value : value
        return 0.5 * erfc((mirrored - mean) / deviation / 2.0.squareRoot())
    }

    private mutating func update() {
        let count = Double(window.count)
        mean = window.reduce(0, +) / count
        deviation = (window.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
        if deviation == 0 { deviation = 0.000_001 }
    }
}

/// The shared NAB files with a detector's scores, in the order of their names.
func nabFiles(_ detect: ([Double]) -> [Double]) throws -> [NABFile] {
    let labels = try Data(contentsOf: sharedData.appending(path: "nab/labels/combined_windows.json"))
    let windows = try JSONDecoder().decode([String: [[String]]].self, from: labels)
    return try windows.sorted { $0.key < $1.key }.map { name, limits in
        let rows = (sharedTable("nab/data/\(name)") ?? []).dropFirst()
        let times = rows.map { wallTime($0[0]) ?? Timestamp(nanoseconds: 0) }
        let published = try limits.map { limit in
            guard limit.count == 2, let start = wallTime(limit[0]), let end = wallTime(limit[1])
            else { throw CocoaError(.coderInvalidValue) }
            return (start: start, end: end)
        }
        return NABFile(
            name: name, scores: detect(rows.map { Double($0[1]) ?? .nan }),
            windows: NABFile.windows(published, in: times))
    }
}

/// The relative entropy detector of the NAB repository: five bins between the file's ends, windows of 52 rows, a new
/// hypothesis for each window that no earlier one explains. Scores are 0 and 1.
struct RelativeEntropy {
    private let low: Double
    private let step: Double
    private var recent: [Double] = []
    private var hypotheses: [(shares: [Double], count: Int)] = []

    init(values: [Double]) {
        low = values.min() ?? 0
        step = ((values.max() ?? 0) - low) / 5
    }

    mutating func score(_ value: Double) -> Double {
        recent.append(value)
        guard step != 0, recent.count >= 52 else { return 0 }
        recent.removeFirst(recent.count - 52)
        var shares = Array(repeating: 0.0, count: 5)
        for value in recent {
            // The top value falls into the bin of its lower neighbours, as in numpy.histogram.
            shares[min(4, Int(((value - low) / step).rounded(.up)))] += 1.0 / 52
        }
        guard !hypotheses.isEmpty else {
            hypotheses.append((shares, 1))
            return 0
        }
        var best: (index: Int, entropy: Double)?
        for index in hypotheses.indices {
            let entropy = 2 * 52 * divergence(shares, hypotheses[index].shares)
            // The 99 % point of chi-squared with four degrees of freedom.
            if entropy < 13.276_704_135_987_622, entropy < best?.entropy ?? .infinity { best = (index, entropy) }
        }
        guard let best else {
            hypotheses.append((shares, 1))
            return 1
        }
        hypotheses[best.index].count += 1
        return hypotheses[best.index].count <= 1 ? 1 : 0
    }

    private func divergence(_ shares: [Double], _ other: [Double]) -> Double {
        zip(shares, other).reduce(0) { sum, pair in
            pair.0 == 0 ? sum : sum + (pair.1 == 0 ? .infinity : pair.0 * log(pair.0 / pair.1))
        }
    }
}
