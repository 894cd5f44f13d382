/// Hands out packet ids 1 to 65,535 in turn, never one that is in use.
public struct PacketIdentifiers: Sendable {
    private var used = [Bool](repeating: false, count: 65_536)
    private var last: UInt16 = 0
    public private(set) var usedCount = 0

    public init() {}

    /// nil when all are in use.
    public mutating func take() -> UInt16? {
        guard usedCount < 65_535 else { return nil }
        repeat { last = last == 65_535 ? 1 : last + 1 } while used[Int(last)]
        used[Int(last)] = true
        usedCount += 1
        return last
    }

    public mutating func free(_ id: UInt16) {
        guard used[Int(id)] else { return }
        used[Int(id)] = false
        usedCount -= 1
    }
}
