/// What the training of a fire model tells.
public struct FireTrainingReport: Sendable {
    /// Rows learnt from: with a sign of fire near their beginning, and quiet ones.
    public var fireRows: Int
    public var quietRows: Int
    /// Fires that begin within a recording, late enough for a past to compare with.
    public var onsets: Int
    /// Share of wrong rows among those that a tree did not see; flatters, because neighbours in time did.
    public var outOfBagError: Double
    /// Of the fires, those that the forest alone finds when it learns from the other fifths of the time only.
    public var foundInUnseenBlocks: Int
    /// Alarms of the forest alone over unseen quiet time, and how long that was.
    public var falseAlarms: Int
    public var quietDays: Double
    public var threshold: Double
    /// Per feature its share of all impurity taken away, the largest first; those above 1 %.
    public var importances: [(feature: String, share: Double)]
    /// For people: identifying columns, too little to learn from.
    public var warnings: [String]

    /// Upper end of the 95 % interval of false alarms a day (Poisson; 3 / days where there was none).
    public var falseAlarmsPerDayAtMost: Double {
        guard quietDays > 0 else { return .infinity }
        // The rule of three and its continuation: 3.0, 4.7, 6.3, then by the normal approximation.
        let count = Double(falseAlarms)
        let upper = [3.0, 4.75, 6.3]
        let most = falseAlarms < upper.count ? upper[max(falseAlarms, 0)] : count + 1.645 * count.squareRoot() + 1.5
        return most / quietDays
    }
}
