internal import Synchronization
internal import TocsinCore

extension KafkaOutput {
    /// Sends until `finish`, then what waits, for `endPatience` at most where brokers answer. Cancelling has no effect.
    public func run() async {
        let lanes = OutputKind.allCases.map { kind in
            // Not children: what waits is sent also when the task around is cancelled. Awaited right below.
            Task.detached { [self] in
                var lane = OutputLane(self, kind)
                await lane.run()
            }
        }
        let watch = Task.detached { [self] in await endInTime() }
        let carrier = Task.detached { [self] in
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                await carryForward()
            }
        }
        for lane in lanes { await lane.value }
        isOver.store(true, ordering: .releasing)
        carrier.cancel()
        await watch.value
        await carrier.value
        save(isUrgent: true)
    }

    /// After `finish`: gives the lanes their time, then cuts them off.
    private func endInTime() async {
        // Only a look at a flag: ten times a second costs nothing.
        while !isEnding.load(ordering: .acquiring) { try? await Task.sleep(for: .milliseconds(100)) }
        let start = SystemClock.monotonicNanoseconds
        let isAway = status.failure != nil
        let patience = isAway ? Span64.milliseconds(500) : settings.endPatience
        while !isIdle, !isOver.load(ordering: .acquiring),
            SystemClock.monotonicNanoseconds &- start < patience.nanoseconds
        {
            try? await Task.sleep(for: .milliseconds(10))
        }
        isOver.store(true, ordering: .releasing)
        // Fails what is under way, so that nobody waits for it.
        await producer?.close(timeout: .seconds(0))
    }
}
