internal import TocsinCore

/// What an `AdaptiveChart` has learnt, and where the asset is.
struct ChartModel: Sendable {
    /// A row moves the chart by at most so many deviations of where it is now.
    private static let bound = 10.0
    /// Of the quantile's steps, on the scale of the logarithm. A tenth of what would converge fastest for a chi-square:
    /// enough for a quiet day, and a fault that begins slowly raises the limit little.
    private static let gain = 4.0
    /// 99.5 % of the squares of a normal quantity lie below it (chi-square with one degree of freedom).
    private static let normalQuantile = 7.879
    /// Below it nothing has been measured.
    private static let leastLimit = 1e-6

    let width: Int
    var scaler: RowScaler
    /// Metrics that have only states so far are learnt like the others and left out of T².
    var palettes: ValuePalettes
    var average: ShiftingAverage
    /// All in units of `scaler`.
    var mean: [Double]
    var covariance: SymmetricMatrix
    var between: SymmetricMatrix
    var precision: SymmetricMatrix
    var deviations: [Double]
    /// The last row: smoothed less mean, and P times it.
    var distance: [Double]
    var products: [Double]
    var blockSum: [Double]
    /// T² at which the score is 1.
    var limit = 1.0
    var statistic = 0.0
    /// Rows learnt, with their weights.
    var weight: Double
    var blockLength: Int
    var blockRows = 0
    var sinceRefresh = 0
    var isAlarm = false
    var alarmRows = 0
    /// Rows that wait to be learnt: row, then distance, `width` numbers each, then T²; a ring of `mostDelay` places.
    var waiting: [Float]
    var firstWaiting = 0
    var waitingRows = 0

    /// Numbers a waiting row takes.
    var stride: Int { 2 * width + 1 }

    mutating func observe(_ row: Span<Double>, settings: AdaptiveChart.Settings) -> AdaptiveChart.Reading {
        let rate = isAlarm ? 0 : 1 / weight
        let place = (firstWaiting + waitingRows) % AdaptiveChart.mostDelay
        let start = stride * place
        var isWider = false
        for metric in 0..<width {
            if metric < row.count, palettes.learn(row[metric], metric) { isWider = true }
            let standardised = metric < row.count ? scaler.standardised(row[metric], metric) : .nan
            let reach = Self.bound * deviations[metric]
            let value =
                standardised.isNaN
                ? mean[metric] : standardised.clamped(mean[metric] - reach, mean[metric] + reach)
            average.learn(value, metric, rate: rate)
            distance[metric] = average.values[metric] - mean[metric]
            waiting[start + metric] = Float(value)
            waiting[start + width + metric] = Float(distance[metric])
        }
        if isWider { widen(settings) }
        statistic = squaredDistance()
        waiting[start + 2 * width] = Float(min(statistic, 1e30))
        let score = statistic / limit
        isAlarm = isAlarm ? score >= settings.release : score >= 1
        learn(settings)
        return AdaptiveChart.Reading(score: score, isAlarm: isAlarm)
    }

    /// The row just seen waits; the one that has waited long enough is learnt.
    private mutating func learn(_ settings: AdaptiveChart.Settings) {
        if isAlarm {
            alarmRows = min(alarmRows + 1, 1 << 40)
            // What came just before it may have been its beginning.
            (firstWaiting, waitingRows) = (0, 0)
            if alarmRows <= settings.acceptance { return }
            if alarmRows == settings.acceptance + 1 { weight = min(weight, Double(max(settings.learningRows, 64))) }
            learn(row: average.values, distance: distance, settings)
        } else {
            waitingRows += 1
            let delay = min(Int(weight) / 40, AdaptiveChart.mostDelay - 1)
            while waitingRows > delay {
                // A pause shorter than this does not end an alarm: noise where there was none falls below the release
                // now and then, and would never be accepted.
                alarmRows = 0
                // A shorter delay than before, after a reset: what is too much is let go.
                if waitingRows == delay + 1 { learnWaiting(settings) }
                firstWaiting = (firstWaiting + 1) % AdaptiveChart.mostDelay
                waitingRows -= 1
            }
        }
        sinceRefresh += 1
        if sinceRefresh >= AdaptiveChart.refresh { refresh(settings) }
    }

    private mutating func learnWaiting(_ settings: AdaptiveChart.Settings) {
        weight = min(weight + 1, max(settings.memory, 64))
        let rate = 1 / weight
        let start = stride * firstWaiting
        for metric in 0..<width {
            let value = Double(waiting[start + metric])
            mean[metric] += rate * (value - mean[metric])
            blockSum[metric] += value
            let scaled = rate * Double(waiting[start + width + metric])
            let line = metric * width
            for other in 0..<width {
                let element = covariance.elements[line + other]
                covariance.elements[line + other] =
                    element + scaled * Double(waiting[start + width + other]) - rate * element
            }
        }
        // The quantile of T² by stochastic approximation (Robbins and Monro 1951): from the first rows alone it may be
        // far too low.
        let isBeyond = Double(waiting[start + 2 * width]) * settings.limit > limit
        limit *= exponential(min(Self.gain * rate, 0.1) * ((isBeyond ? 1 : 0) - (1 - AdaptiveChart.quantile)))
        closeBlock(settings)
    }

    private mutating func learn(row: [Double], distance: [Double], _ settings: AdaptiveChart.Settings) {
        weight = min(weight + 1, max(settings.memory, 64))
        let rate = 1 / weight
        for metric in 0..<width {
            mean[metric] += rate * (row[metric] - mean[metric])
            blockSum[metric] += row[metric]
        }
        covariance.scale(by: 1 - rate)
        covariance.addOuter(of: distance, from: 0, weight: rate)
        closeBlock(settings)
    }

    private mutating func closeBlock(_ settings: AdaptiveChart.Settings) {
        blockRows += 1
        guard blockRows >= blockLength else { return }
        let share = min(1 / Double(AdaptiveChart.blocks), Double(blockLength) / weight)
        for metric in 0..<width { blockSum[metric] = blockSum[metric] / Double(blockRows) - mean[metric] }
        between.scale(by: 1 - share)
        between.addOuter(of: blockSum, from: 0, weight: share)
        for metric in 0..<width { blockSum[metric] = 0 }
        blockRows = 0
    }

    mutating func squaredDistance() -> Double {
        var sum = 0.0
        for row in 0..<width {
            var product = 0.0
            let start = row * width
            for column in 0..<width { product += precision.elements[start + column] * distance[column] }
            products[row] = product
            sum += product * distance[row]
        }
        return max(sum, 0)
    }

    /// A metric has turned out to be a quantity: from now on it counts.
    private mutating func widen(_ settings: AdaptiveChart.Settings) {
        refresh(settings)
        // Where nothing counted before, the limit is that of nothing: it begins at that of one normal metric.
        if limit < Self.leastLimit { limit = Self.normalQuantile * max(settings.limit, 1e-9) }
    }

    /// Inverts what was learnt; where it cannot be, every metric stands for itself.
    mutating func refresh(_ settings: AdaptiveChart.Settings) {
        sinceRefresh = 0
        let wander = max(settings.wander, 0)
        let floor = 1e-3 * 2 / (max(settings.span, 1) + 1)
        for place in precision.elements.indices {
            precision.elements[place] = covariance.elements[place] + wander * between.elements[place]
        }
        precision.shrink(by: settings.shrinkage.clamped(0, 1), floor: floor)
        for metric in 0..<width where palettes.isDiscrete(metric) {
            precision.clear(metric)
            precision[metric, metric] = 1
        }
        if !precision.invert() {
            for place in precision.elements.indices { precision.elements[place] = 0 }
            for metric in 0..<width {
                let variance = covariance[metric, metric] + wander * between[metric, metric]
                precision[metric, metric] = 1 / max(variance, floor)
            }
        }
        for metric in 0..<width where palettes.isDiscrete(metric) { precision[metric, metric] = 0 }
        for metric in 0..<width {
            let variance = covariance[metric, metric] + between[metric, metric]
            deviations[metric] = max(variance.squareRoot(), 1)
            if !(deviations[metric] < 1e9) { deviations[metric] = 1 }
        }
    }

    func share(of metric: Int) -> Double {
        guard metric >= 0, metric < width, statistic > 0 else { return 0 }
        return distance[metric] * products[metric] / statistic
    }

    func band(of metric: Int, wander: Double) -> (low: Double, high: Double) {
        guard metric >= 0, metric < width else { return (.nan, .nan) }
        let variance = covariance[metric, metric] + max(wander, 0) * between[metric, metric]
        let reach = 4 * max(variance, 0).squareRoot()
        let unit = 1 / scaler.inverseDeviations[metric]
        let centre = scaler.means[metric]
        return (centre + unit * (mean[metric] - reach), centre + unit * (mean[metric] + reach))
    }
}
