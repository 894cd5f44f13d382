public import TocsinCore

/// Lets a score pass only when it is the highest of the last `span` readings: one mark at the leading edge of an
/// event instead of hundreds within it, and a second one only for something worse.
///
/// A ring with the falling staircase of maxima (Lemire's streaming maximum, 2006); constant time on average, 12 bytes
/// a reading of the span.
public struct LeadingEdge: Sendable {
    public let span: Int
    private var scores: [Double]
    private var times: [UInt32]
    private var head = 0
    private var count = 0
    private var now: UInt32 = 0

    /// - Parameter span: readings, 1 … 65,535.
    public init(span: Int = 100) {
        self.span = min(max(span, 1), 65_535)
        scores = .init(repeating: 0, count: self.span + 1)
        times = .init(repeating: 0, count: self.span + 1)
    }

    /// The score itself where it is above all in the span before it, else 0. Scores at or below 0 never pass.
    public mutating func observe(_ score: Double) -> Double {
        now &+= 1
        guard score > 0 else { return 0 }
        while count > 0, now &- times[head] > UInt32(span) { drop() }
        let passes = count == 0 || scores[head] < score
        while count > 0, scores[place(count - 1)] <= score { count -= 1 }
        let last = place(count)
        scores[last] = score
        times[last] = now
        count += 1
        return passes ? score : 0
    }

    @inline(__always) private func place(_ offset: Int) -> Int {
        let sum = head + offset
        return sum > span ? sum - span - 1 : sum
    }

    private mutating func drop() {
        head = place(1)
        count -= 1
    }
}

extension LeadingEdge {
    public func save(to writer: inout StateWriter) {
        writer.write(UInt16(span))
        writer.write(UInt16(count))
        for offset in 0..<count {
            writer.write(scores[place(offset)])
            writer.write(now &- times[place(offset)])
        }
    }

    /// nil for bytes that `save` did not write.
    public init?(restoring reader: inout StateReader) {
        guard let span = reader.read(UInt16.self), span > 0, let count = reader.read(UInt16.self),
            Int(count) <= Int(span) + 1
        else { return nil }
        self.init(span: Int(span))
        now = 0
        for offset in 0..<Int(count) {
            guard let score = reader.readDouble(), score > 0, let age = reader.read(UInt32.self),
                offset == 0 || (scores[offset - 1] > score && now &- times[offset - 1] > age)
            else { return nil }
            scores[offset] = score
            times[offset] = now &- age
        }
        self.count = Int(count)
    }
}
