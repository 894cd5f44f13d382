internal import TocsinCore

/// What waits and what is done, kind by kind. No I/O in here.
struct OutputBook: Sendable {
    struct Lane: Sendable {
        var appended = OutputMark()
        var done = OutputMark()
        /// In this process.
        var sent: UInt64 = 0
        var refused: UInt64 = 0
        /// Monotonic nanoseconds of the last sign that messages get on, or of the moment when the first began to wait.
        var lastProgress: Int64 = 0
        var failure: String?

        var isIdle: Bool { done.messages >= appended.messages }
        var waiting: UInt64 { isIdle ? 0 : appended.messages - done.messages }
        var waitingBytes: UInt64 { done.bytes >= appended.bytes ? 0 : appended.bytes - done.bytes }
    }

    var lanes = [Lane](repeating: Lane(), count: OutputKind.allCases.count)
    /// The output spool's last record.
    var last: UInt64 = 0
    /// What the connection said last, until something arrives again.
    var problem: String?

    /// After a start: what an earlier process appended and what it had sent.
    init(_ totals: [OutputMark], done: [OutputMark], last: UInt64) {
        self.last = last
        for index in lanes.indices where index < totals.count && index < done.count {
            lanes[index].appended = totals[index]
            lanes[index].done = done[index]
            if lanes[index].isIdle { lanes[index].appended = done[index] }
        }
    }

    var waitingBytes: UInt64 { lanes.reduce(0) { $0 &+ $1.waitingBytes } }
    /// The one that keeps most of the disk, of those that say why they wait.
    var firstStuck: OutputKind? {
        OutputKind.allCases.filter { !lanes[$0.index].isIdle && lanes[$0.index].failure != nil }
            .min { lanes[$0.index].done.sequence < lanes[$1.index].done.sequence }
    }
    var isIdle: Bool { lanes.allSatisfy(\.isIdle) }

    /// Every kind's total with one more block.
    func totals(adding messages: Int, bytes: UInt64, of kind: OutputKind) -> [OutputMark] {
        var totals = lanes.map(\.appended)
        totals[kind.index].messages &+= UInt64(messages)
        totals[kind.index].bytes &+= bytes
        return totals
    }

    mutating func append(_ kind: OutputKind, _ sequence: UInt64, total: OutputMark, now: Int64) {
        let index = kind.index
        if lanes[index].isIdle {
            // Nothing of this kind stands before: the lane need not read what does.
            lanes[index].done.sequence = sequence - 1
            lanes[index].lastProgress = now
        }
        lanes[index].appended = total
        lanes[index].appended.sequence = sequence
        last = sequence
    }

    /// - Returns: whether the lane has nothing left.
    mutating func advance(_ kind: OutputKind, to mark: OutputMark, sent: UInt64, now: Int64) -> Bool {
        let index = kind.index
        // What waits may have been carried forward meanwhile.
        let sequence = max(lanes[index].done.sequence, mark.sequence)
        lanes[index].done = mark
        lanes[index].done.sequence = sequence
        lanes[index].sent &+= sent
        lanes[index].lastProgress = now
        lanes[index].failure = nil
        return lanes[index].isIdle
    }

    /// Nobody needs the records of the output spool up to this one.
    var releasable: UInt64 { lanes.map { $0.isIdle ? last : $0.done.sequence }.min() ?? 0 }

    /// What a new process has to know; an idle lane begins behind everything.
    func position(spool: UInt64) -> OutputPosition {
        OutputPosition(
            spool: spool,
            marks: lanes.map { lane in
                var mark = lane.done
                if lane.isIdle { mark.sequence = last }
                return mark
            })
    }
}
