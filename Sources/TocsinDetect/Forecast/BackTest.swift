/// A model's errors on the last part of a history, horizon by horizon, each forecast made without what came after it.
///
/// Rolling origin (Tashman 2000): the model stands at every origin as it would have stood then.
struct BackTest: Sendable {
    /// Slots ahead, ascending; the last is the whole horizon.
    let horizons: [Int]
    /// By horizon: what came less what was expected.
    var errors: [[Double]]

    /// Origins at most; more are thinned out.
    private static let mostOrigins = 1500

    /// - Parameters:
    ///   - model: has seen `values[..<first]`.
    /// - Returns: the errors, and in `model` the model that has seen all values.
    init(_ model: inout ForecastModel, values: [Double], from first: Int, horizons: [Int]) {
        self.horizons = horizons
        errors = Array(repeating: [], count: horizons.count)
        let stride = max((values.count - first) / Self.mostOrigins, 1)
        for origin in first..<max(values.count, first) {
            if (origin - first) % stride == 0 {
                for (place, horizon) in horizons.enumerated() {
                    let target = origin + horizon - 1
                    guard target < values.count else { break }
                    let error = values[target] - model.point(horizon)
                    if error.isFinite { errors[place].append(error) }
                }
            }
            model.observe(values[origin])
        }
    }

    var origins: Int { errors.first?.count ?? 0 }

    /// Mean absolute errors by horizon; NaN where there is none.
    var meanErrors: [Double] {
        errors.map { errors in
            errors.isEmpty ? .nan : errors.reduce(0) { $0 + abs($1) } / Double(errors.count)
        }
    }

    /// The mean over the horizons of this model's mean error as a share of the other's; 1 = as good.
    func ratio(to other: BackTest) -> Double {
        var sum = 0.0
        var count = 0.0
        for (own, its) in zip(meanErrors, other.meanErrors) where own.isFinite && its.isFinite {
            // Where both are perfect they are equal.
            sum += its > 0 ? own / its : (own > 0 ? 2 : 1)
            count += 1
        }
        return count > 0 ? sum / count : .nan
    }

    /// Horizons from 1 to `last`, each a third longer than the one before.
    static func horizons(to last: Int) -> [Int] {
        var horizons: [Int] = []
        var next = 1.0
        while Int(next) < last {
            if horizons.last != Int(next) { horizons.append(Int(next)) }
            next = max(next * 1.34, next + 1)
        }
        return horizons + [max(last, 1)]
    }
}
