public import TocsinCore

/// When the messages of a recording are due: at the pace of their own times, faster or slower by a factor.
///
/// A pure function of what it is given; nanoseconds count from the begin of the sending. Due times never fall.
public struct ReplayPacer: Sendable {
    private let speed: Double
    private let nanosecondsWithoutTime: Double
    private let longestPause: Double
    /// Where the time of a message and its due time are tied to each other.
    private var anchor: (time: Timestamp, due: Double)?
    private var latest = Timestamp(nanoseconds: .min)
    private var isFresh = true
    private var due = 0.0

    /// - Parameters:
    ///   - speed: times the original pace; 0 = as fast as possible.
    ///   - rate: messages per second of those without a time; 0 = as fast as possible.
    ///   - longestPause: a longer gap is cut to this, in nanoseconds of the sending.
    public init(speed: Double, rate: Double, longestPause: Span64?) {
        self.speed = max(0, speed)
        nanosecondsWithoutTime = rate > 0 ? 1e9 / rate : 0
        self.longestPause = longestPause.map { Double(max(0, $0.nanoseconds)) } ?? .infinity
    }

    /// A new file begins: one that starts before the end of the last is taken to follow it at once.
    public mutating func beginFile() { isFresh = true }

    /// - Parameter time: nil = the message has none.
    public mutating func due(_ time: Timestamp?) -> Int64 {
        guard speed > 0 else { return 0 }
        defer { isFresh = time == nil && isFresh }
        guard let time else {
            due += nanosecondsWithoutTime
            return Self.clamped(due)
        }
        if let anchor, !(isFresh && time <= latest) {
            let distance = Double(time.nanoseconds) - Double(anchor.time.nanoseconds)
            let wanted = anchor.due + distance / speed
            if wanted - due > longestPause {
                self.anchor = (time, due + longestPause)
                due += longestPause
            } else {
                due = max(due, wanted)
            }
        } else {
            anchor = (time, due)
        }
        latest = max(latest, time)
        return Self.clamped(due)
    }

    private static func clamped(_ value: Double) -> Int64 { Int64(min(max(value, 0), 9e18)) }
}
