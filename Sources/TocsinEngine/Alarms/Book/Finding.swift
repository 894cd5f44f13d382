public import TocsinCore

/// A verdict with its names and its sentence: what is booked.
public struct Finding: Sendable {
    public var verdict: Verdict
    public var sensor: String
    public var metric: String?
    /// Of this verdict; an incident keeps the sentence of its strongest one.
    public var sentence: String

    public init(verdict: Verdict, sensor: String, metric: String?, sentence: String) {
        self.verdict = verdict
        self.sensor = sensor
        self.metric = metric
        self.sentence = sentence
    }
}

/// What the book made of a finding.
public struct BookedFinding: Sendable {
    public enum Place: Sendable, Equatable {
        /// In an incident that is open now.
        case incident
        /// In one that will be raised if the condition holds.
        case pending
        /// It belongs to a level that has been accepted as the new normal.
        case accepted
    }

    public var place: Place
    /// Of the incident, also of one that is not raised yet; nil for the new normal.
    public var alarmID: String?
    public var change: AlarmChange?
    /// Whether the verdict is to be stored: a continuation that opens an incident is.
    public var isNews: Bool
}
