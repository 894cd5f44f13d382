internal import TocsinCore

extension ChartModel {
    /// Learns first rows, row after row, at least 64.
    ///
    /// - Parameter weight: what each of them counts in rows merely seen.
    init(fitting rows: [Double], width: Int, settings: AdaptiveChart.Settings, weight: Double) {
        let count = rows.count / width
        self.width = width
        scaler = RowScaler(fitting: rows, width: width)
        let zeros = [Double](repeating: 0, count: width)
        (mean, distance, products, blockSum) = (zeros, zeros, zeros, zeros)
        deviations = .init(repeating: 1, count: width)
        covariance = SymmetricMatrix(size: width)
        (between, precision) = (covariance, covariance)
        waiting = .init(repeating: 0, count: (2 * width + 1) * AdaptiveChart.mostDelay)
        self.weight = min(Double(count) * max(weight, 1), max(settings.memory, 64))
        blockLength = max(count / AdaptiveChart.blocks, 1)
        palettes = ValuePalettes(width: width)
        for row in 0..<count {
            for metric in 0..<width { _ = palettes.learn(rows[row * width + metric], metric) }
        }
        average = ShiftingAverage(width: width, weight: 2 / (max(settings.span, 1) + 1))
        // The first rows of the average are not settled yet.
        let settling = min(Int(settings.span.clamped(1, 1e6)), count / 4)
        estimate(rows, count: count, settling: settling)
        refresh(settings)
        limit = max(quantile(sorted: statistics(rows, count: count, settling: settling), AdaptiveChart.quantile), 1e-9)
        limit *= max(settings.limit, 1e-9)
    }

    private mutating func estimate(_ rows: [Double], count: Int, settling: Int) {
        var (smoothedMean, block) = (mean, mean)
        var begin = 0
        for row in 0..<count {
            for metric in 0..<width {
                let value = scaler.scaled(rows[row * width + metric], metric)
                average.learn(value, metric, rate: max(1.0 / 8192, 1 / Double(row + 2)))
                block[metric] += value
                if row >= settling { smoothedMean[metric] += average.values[metric] }
            }
            if row >= settling { covariance.addOuter(of: average.values, from: 0, weight: 1) }
            // Parts of equal length but for one row, the last one to the end.
            if (row + 1) * AdaptiveChart.blocks / count > row * AdaptiveChart.blocks / count {
                for metric in 0..<width { block[metric] /= Double(row + 1 - begin) }
                between.addOuter(of: block, from: 0, weight: 1 / Double(AdaptiveChart.blocks - 1))
                for metric in 0..<width { block[metric] = 0 }
                begin = row + 1
            }
        }
        let settled = Double(count - settling)
        covariance.scale(by: 1 / settled)
        for metric in 0..<width { smoothedMean[metric] /= settled }
        covariance.addOuter(of: smoothedMean, from: 0, weight: -1)
    }

    /// T² of the settled rows, ascending.
    private mutating func statistics(_ rows: [Double], count: Int, settling: Int) -> [Double] {
        average.restart()
        var statistics: [Double] = []
        statistics.reserveCapacity(count)
        for row in 0..<count {
            for metric in 0..<width {
                average.learn(scaler.scaled(rows[row * width + metric], metric), metric, rate: 0)
                distance[metric] = average.values[metric]
            }
            let statistic = squaredDistance()
            if row >= settling { statistics.append(statistic) }
        }
        statistics.sort()
        return statistics
    }
}
