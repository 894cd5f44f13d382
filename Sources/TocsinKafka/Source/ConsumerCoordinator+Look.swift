internal import TocsinCore

extension ConsumerCoordinator {
    /// Looks at the cluster now and then: whether it answers, how many partitions there are, and, from a process that has
    /// none of them, whether others read them.
    func look() async {
        let client = loop.client
        var failures = 0
        var watch = GroupWatch(patience: settings.groupPatience, startsAtEnd: startsAtEnd)
        while !Task.isCancelled {
            switch await side.run({ client.lookAtCluster(milliseconds: 1000) }) {
            case .failure(let failure):
                // One answer may be late: behind a long fetch on the same connection, or on a busy machine.
                failures += 1
                if failures >= 4 { board.failed(failure, "the cluster does not answer", isSilence: true) }
            case .success(let topics):
                failures = 0
                board.connected()
                let named = settings.topics.filter { !$0.hasPrefix("^") }
                let missing = named.filter { topics[$0] == .some(nil) }
                board.sawTopics(partitions: topics.values.reduce(0) { $0 + ($1 ?? 0) }, missing: missing)
                await lookAtOthers(topics, &watch)
            }
            let isConnected = board.status.connection == .connected && failures == 0
            try? await Task.sleep(for: .nanoseconds(isConnected ? settings.lookInterval.nanoseconds : 500_000_000))
        }
    }

    /// What nobody reads shows in what nobody commits: every broker can be asked for that, by whoever may read.
    private func lookAtOthers(_ topics: [String: Int?], _ watch: inout GroupWatch) async {
        guard board.status.isSpare else { return watch.forget() }
        let partitions = topics.sorted { $0.key < $1.key }.flatMap { topic, count in
            (0..<Int32(clamping: count ?? 0)).map { TopicPartition(topic, $0) }
        }
        let client = loop.client
        let answers = await side.run {
            (client.committed(partitions, milliseconds: 1000), client.ends(partitions, milliseconds: 1000))
        }
        guard case .success(let ends) = answers.1 else { return }
        var seen: [TopicPartition: GroupWatch.Seen] = [:]
        for (partition, range) in ends {
            guard case .success(let committed)? = answers.0[partition] else { continue }
            seen[partition] = GroupWatch.Seen(committed: committed?.offset, ends: range)
        }
        board.sawUnread(watch.see(seen, at: SystemClock.monotonicNanoseconds))
    }
}
