public import TocsinCore

extension Bank {
    /// Makes further settings known, for series that are to be judged by other rules. Index 0 is the settings that the
    /// bank was made with.
    ///
    /// - Returns: the index for `setSettings`; beyond 255 further ones 0, so that the default holds.
    public mutating func addSettings(_ settings: BankSettings) -> UInt8 {
        guard rules.count <= Int(UInt8.max) else { return 0 }
        rules.append(BankParameters(settings))
        return UInt8(rules.count - 1)
    }

    /// From its next reading on a series is judged by the settings of that index; an unknown index is the default.
    ///
    /// It is not saved with the series: who restores a bank sets it again. What the series has learned stays.
    public mutating func setSettings(series: SeriesID, index: UInt8) {
        let place = Int(series.index)
        if place >= states.count { grow(to: place + 1) }
        states[place].settingsIndex = Int(index) < rules.count ? index : 0
        // It may not have been watched for silence until now.
        bringForward(place)
    }
}
