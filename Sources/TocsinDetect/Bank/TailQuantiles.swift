/// The p-value of a residual: the tail of a series' own residuals, as it is measured.
///
/// Two quantiles of |z| follow the residuals by sign steps (Robbins and Monro 1951; the guarantee of adaptive conformal
/// inference, Gibbs and Candès 2021: whatever the distribution, the long-run share beyond them is right), the one that
/// 2 % exceed and the one that 0.08 % exceed. With the median, which is 0.6745 by the definition of the unit, they
/// stand at equal steps of ln p, so that the generalised Pareto distribution through all three follows in closed form
/// (Pickands 1975): with y = (z − median) / (q − median) and r = (far − q) / (q − median)
///
///     −ln p = ln 2 + ln 25 · ln(1 + y (r − 1)) / ln r
///
/// r < 1 is a light tail, r > 1 a heavy one. At p = 1e-4 it is within a factor 1.5 for normal, Laplace, uniform,
/// log-normal and Student-t residuals.
struct TailQuantiles {
    var rate: Float
    var far: Float
    var bend: Float

    static let median: Float = 0.674_49
    static let logOf2 = 0.693_147_180_559_945_3
    static let logOf25 = 3.218_875_824_868_200_7
    /// −ln 0.0008.
    static let farSurprise = 7.130_898_829_896_348
    /// −ln 1e-4: as far as the quantiles carry.
    static let reach = 9.210_340_371_976_184

    /// The residual that 2 % exceed.
    var near: Float { Self.median + 1 / rate }

    /// Of a normal distribution.
    init() { self.init(near: 2.3263, far: 3.3528) }

    init(rate: Float, far: Float, bend: Float) {
        self.rate = rate
        self.far = far
        self.bend = bend
    }

    /// Quantiles that make no tail are moved to the nearest that do.
    init(near: Float, far: Float) {
        let near = near.clamped(0.8, 1e6)
        let distance = near - Self.median
        let step = (far - near).clamped(0.03 * distance, 50 * distance)
        rate = 1 / distance
        self.far = near + step
        bend = Float(naturalLog(Double(step / distance))) / 2
    }

    /// −ln p where p > 0.02 (y < 1): the curve's second-order form, which needs no logarithm and no branch.
    @inline(__always) static func nearSurprise(_ y: Double, bend: Double) -> Double {
        (logOf2 + logOf25 * y * (1 + bend * (1 - y))).atLeast(0)
    }

    /// −ln p beyond 2 %. The quantiles reach to p = 1e-4, from the far one on with a tail no lighter than a normal one,
    /// because an end is not to be known from few readings. From there to the spike limit it rises in proportion, so that
    /// decision and p-value agree, and beyond with the logarithm.
    func farSurprise(_ z: Double, limit: Double, surpriseLimit: Double) -> Double {
        let logRatio = 2 * Double(bend)
        let shape = abs(logRatio) < 1e-3 ? 1e-3 : logRatio / Self.logOf25
        let ratio = exponential(shape * Self.logOf25)
        let scale = shape / ((ratio - 1) * Double(rate))
        let far = Double(self.far)
        if z <= far {
            let part = naturalLog(max(1 + shape * (z - Double(Self.median)) / scale, 1e-9)) / shape
            return (Self.logOf2 + part).clamped(0, Self.farSurprise)
        }
        var outer = max(shape, -0.15)
        if abs(outer) < 1e-3 { outer = 1e-3 }
        let outerScale = max(scale * ratio * ratio, (far - Double(near)) / Self.logOf25)
        let reached = far + outerScale * (exponential((Self.reach - Self.farSurprise) * outer) - 1) / outer
        guard z > reached else { return Self.farSurprise + naturalLog(1 + outer * (z - far) / outerScale) / outer }
        let top = max(surpriseLimit, Self.reach)
        let limit = max(limit, 1.05 * reached)
        guard z < limit else { return top * (1 + naturalLog(z / limit)) }
        return Self.reach + (top - Self.reach) * (z - reached) / (limit - reached)
    }

    /// One residual beyond the first quantile, and `ordinary` ones that were counted since the last call.
    mutating func follow(exceeding z: Float?, ordinary: Float, age: Float) {
        let nearGain = max(8 / (age + 60), 0.01)
        let farGain = (104 / (age + 60)).clamped(0.01, 0.1)
        var (near, far) = (self.near, self.far)
        let steepness = (far - near) * rate
        if let z {
            near *= 1 + nearGain
            if z > far { far *= 1 + farGain }
        }
        near *= 1 - (nearGain * 0.02 * ordinary)
        far *= 1 - (farGain * 0.0008 * ordinary)
        // A young tail is moved as a whole: the far quantile alone would need 100,000 readings to come in.
        if age < 4096 { far += (1 + steepness) * (near - self.near) }
        self = TailQuantiles(near: near, far: far)
    }
}

extension TailQuantiles {
    /// The three numbers belong together.
    var isPlausible: Bool {
        guard rate >= 1e-7, rate <= 8, far > near, far <= 1e8 else { return false }
        return abs(naturalLog(Double((far - near) * rate)) - 2 * Double(bend)) < 0.05
    }
}

extension SeriesState {
    var tailQuantiles: TailQuantiles {
        get { TailQuantiles(rate: tailRate, far: tailFar, bend: tailBend) }
        set { (tailRate, tailFar, tailBend) = (newValue.rate, newValue.far, newValue.bend) }
    }
}
