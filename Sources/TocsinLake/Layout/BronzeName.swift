internal import TocsinCore

/// The name of a bronze file: which records of which spool it was made of, so that making it again overwrites it.
public struct BronzeName: Hashable, Sendable {
    /// The spool's random number.
    public var spool: UInt64
    /// Numbers of the first and the last record of the roll.
    public var first: UInt64
    public var last: UInt64
    /// From 0: a large roll's hour is cut into several files, by sensor.
    public var part: Int

    public init(spool: UInt64, first: UInt64, last: UInt64, part: Int = 0) {
        self.spool = spool
        self.first = first
        self.last = last
        self.part = part
    }

    /// `part-0f3c…-000000000001-000000000420-0.parquet`.
    public var text: String {
        "part-\(StableHash.hex(spool))-\(Self.digits(first))-\(Self.digits(last))-\(part).parquet"
    }

    /// nil for a name of another kind.
    public init?(_ text: some StringProtocol) {
        guard LakeLayout.isPart(text) else { return nil }
        let parts = text.dropFirst(5).dropLast(8).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].utf8.count == 16, let spool = UInt64(parts[0], radix: 16),
            let first = UInt64(parts[1]), let last = UInt64(parts[2]), first <= last, let part = Int(parts[3])
        else { return nil }
        self.init(spool: spool, first: first, last: last, part: part)
        guard self.text == text else { return nil }
    }

    private static func digits(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
    }
}
