internal import TocsinCore

/// Where a partition begins in this process, and with what state.
struct PartitionStart: Sendable, Equatable {
    enum State: Sendable, Equatable {
        /// What this engine knows is the newest there is.
        case kept
        /// Another process has gone on, or this one let go: the record is the newest there is.
        case adopted
        /// Nobody has left anything; what this engine knows is outdated.
        case fresh
    }

    var state: State
    /// nil: nothing is known, the settings say.
    var offset: Int64?
    /// Somebody moved the group's position by hand: it counts.
    var isMovedByHand = false

    /// What stands beside the offsets that this program commits.
    static let mark = "tocsin"

    /// - Parameters:
    ///   - own: how far this process came, out of its spool or of its memory.
    ///   - committed: the group's offset; its metadata tells who wrote it.
    ///   - isHandedOver: whether states move between processes at all.
    static func decide(
        claim: PartitionClaim?, transfer: PartitionTransfer?, own: ReadPosition?, committed: PartitionOffset?,
        isHandedOver: Bool
    ) -> PartitionStart {
        let isOurs = committed?.metadata?.hasPrefix(mark) ?? false
        let moved = isOurs ? nil : committed?.offset
        guard isHandedOver else {
            // The group's offset is further where another process went on.
            let offset = moved ?? [own?.next, committed?.offset].compactMap(\.self).max()
            return PartitionStart(state: .kept, offset: offset, isMovedByHand: moved != nil && own != nil)
        }
        var start: PartitionStart
        let isGivenUp = transfer.map { $0.isGivenUp && $0.generation == claim?.generation } ?? false
        if let claim, let own, own.number == claim.generation, !isGivenUp {
            start = PartitionStart(state: .kept, offset: own.next)
        } else if let transfer {
            start = PartitionStart(state: .adopted, offset: transfer.state.position?.next ?? committed?.offset)
        } else {
            start = PartitionStart(state: .fresh, offset: committed?.offset)
        }
        if let moved, moved != start.offset {
            start.isMovedByHand = start.offset != nil
            start.offset = moved
        }
        return start
    }
}
