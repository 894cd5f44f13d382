internal import TocsinCore

/// Reads times in the form that the mapping says.
struct TimeReader: Sendable {
    let format: InputMapping.TimeFormat

    /// The unit of numbers, nil where their magnitude says it.
    var unit: EpochUnit? {
        switch format {
        case .auto, .iso8601: nil
        case .seconds: .seconds
        case .milliseconds: .milliseconds
        case .microseconds: .microseconds
        case .nanoseconds: .nanoseconds
        }
    }

    func time(_ text: Span<UInt8>) -> Timestamp? {
        let unit: EpochUnit
        switch format {
        case .auto:
            let isDate = text.count >= 10 && text[4] == UInt8(ascii: "-")
            return isDate ? Timestamp(iso8601: text) : Timestamp(epoch: text)
        case .iso8601: return Timestamp(iso8601: text)
        case .seconds: unit = .seconds
        case .milliseconds: unit = .milliseconds
        case .microseconds: unit = .microseconds
        case .nanoseconds: unit = .nanoseconds
        }
        return Timestamp(epoch: text, unit: unit)
    }
}
