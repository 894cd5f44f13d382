internal import CKafka
internal import Synchronization
internal import TocsinCore

/// What a source shows of itself, and what it has told people already.
final class StatusBoard: Sendable {
    private struct State {
        var status: KafkaSourceStatus
        /// When (monotonic) each text was told last.
        var told: [String: Int64] = [:]
        /// The group's last word was what to read, be it nothing.
        var isAdmitted = false
        /// Since when it is connected and has no partition: by the monotonic clock, and by the wall clock.
        var emptySince: (monotonic: Int64, time: Timestamp)?
    }

    let name: String
    let observer: KafkaObserver
    private let secrets: KafkaSecrets
    private let clock: any WallClock
    private let state: Mutex<State>
    private let group: String
    private let patience: Span64
    private static let repeatInterval: Int64 = 60_000_000_000

    init(name: String, settings: KafkaSourceSettings, observer: KafkaObserver, clock: any WallClock) {
        self.name = name
        secrets = settings.connection.secrets
        group = settings.group
        patience = settings.groupPatience
        self.observer = observer
        self.clock = clock
        state = Mutex(State(status: KafkaSourceStatus(since: clock.now())))
    }

    var status: KafkaSourceStatus { state.withLock { $0.status } }

    func took(_ taken: PartitionIntake.Taken, at time: Timestamp) {
        state.withLock {
            $0.status.messages += taken.messages
            $0.status.bytes += taken.bytes
            $0.status.tombstones += taken.tombstones
            $0.status.lastMessage = time
        }
        connected()
    }

    /// - Parameter isAssigned: the group has said what to read; otherwise it has taken something away, and will say more.
    func rebalanced(isAssigned: Bool) {
        state.withLock {
            $0.status.rebalances += 1
            $0.isAdmitted = isAssigned
        }
    }

    func show(_ partitions: [KafkaSourceStatus.Partition]) {
        let (isNew, wasIdle, isIdle) = state.withLock { state in
            state.status.partitions = partitions.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
            let (wasSpare, wasIdle) = (state.status.isSpare, state.status.idleness != nil)
            let isEmpty =
                partitions.isEmpty && state.status.preparing == 0 && state.status.connection == .connected
            state.status.isSpare = state.isAdmitted && isEmpty && state.status.topicPartitions > 0
            state.status.isJoining = !state.isAdmitted && isEmpty
            judge(&state, isEmpty: isEmpty)
            return (state.status.isSpare && !wasSpare, wasIdle, state.status.idleness != nil)
        }
        if isNew { observer.note("\(name): \(status.sentence)") }
        if isIdle, !wasIdle { tellIdleness() }
        if wasIdle, !isIdle { note("the group has shared out its partitions") }
    }

    /// Whether being without partitions has become a problem.
    private func judge(_ state: inout State, isEmpty: Bool) {
        guard isEmpty else {
            state.emptySince = nil
            state.status.idleness = nil
            return
        }
        let now = SystemClock.monotonicNanoseconds
        let since = state.emptySince ?? (now, clock.now())
        state.emptySince = since
        if state.isAdmitted {
            if state.status.idleness?.cause == .isKeptOut { state.status.idleness = nil }
        } else if now - since.monotonic >= patience.nanoseconds {
            state.status.idleness = KafkaSourceStatus.Idleness(group: group, since: since.time, cause: .isKeptOut)
        }
    }

    /// What is known of partitions that others should read, while this process has none: nil = they are read.
    func sawUnread(_ found: GroupWatch.Unread?) {
        let (isNew, isOver) = state.withLock { state -> (Bool, Bool) in
            guard let since = state.emptySince, state.isAdmitted else { return (false, false) }
            let wasIdle = state.status.idleness != nil
            state.status.idleness = found.map {
                KafkaSourceStatus.Idleness(
                    group: group, since: since.time, cause: .nobodyReads($0.partition, messages: $0.messages))
            }
            return (!wasIdle && found != nil, wasIdle && found == nil)
        }
        if isNew { tellIdleness() }
        if isOver { note("the partitions of the group are read again") }
    }

    private func tellIdleness() {
        problem(
            status.sentence
                + "\n  -> look at the group's members at a broker (kafka-consumer-groups --describe --members "
                + "--group \(group)), and give applications with topics of their own a group each")
    }

    func preparing(_ count: Int) { state.withLock { $0.status.preparing += count } }

    func missed(_ count: Int64) { state.withLock { $0.status.missed += Int(clamping: count) } }

    /// What the cluster says of the topics.
    func sawTopics(partitions: Int, missing: [String]) {
        let news = state.withLock { state in
            let news = missing.filter { !state.status.missingTopics.contains($0) }
            state.status.topicPartitions = partitions
            state.status.missingTopics = missing
            return news
        }
        for topic in news { problem("the topic \(topic) does not exist; it is waited for") }
    }

    /// Messages of a partition wait for what decodes them, or nil: they do no longer.
    func obstacle(_ error: (any Error)?, for partition: TopicPartition) {
        let ended = state.withLock { state -> Bool in
            let before = state.status.obstacles[partition]
            state.status.obstacles[partition] = error.map { ($0 as? TocsinError)?.message ?? "\($0)" }
            return before != nil && error == nil
        }
        if let error { problem("messages of \(partition) wait for what decodes them: \(error)") }
        if ended { note("messages of \(partition) are decoded again") }
    }

    // MARK: Connection

    func connected() {
        let before = state.withLock { state -> KafkaSourceStatus? in
            guard state.status.connection == .connecting || state.status.connection == .disconnected else { return nil }
            let before = state.status
            state.status.connection = .connected
            state.status.since = clock.now()
            state.status.reason = nil
            return before
        }
        guard let before else { return }
        let seconds = Int(max(0, min(1e9, clock.now().since(before.since).seconds)))
        observer.note(
            before.connection == .disconnected
                ? "\(name): a broker answers again after \(seconds) s" : "\(name): connected to the brokers")
    }

    /// - Parameters:
    ///   - subject: what was being done, where the error does not say.
    ///   - isSilence: no broker has answered anything for a while, whatever the connections look like.
    func failed(_ failure: KafkaFailure, _ subject: String? = nil, isSilence: Bool = false) {
        let place = subject.map { "\(name): \($0)" } ?? name
        let text = failure.error(place: place, secrets: secrets).description
        state.withLock { state in
            state.status.lastFailure = KafkaSourceStatus.Failure(time: clock.now(), text: text)
            guard failure.isConnection, state.status.connection != .ended else { return }
            // Why comes first, that all are down follows: the reason stays.
            let isReason = failure.code != TKF_ERR_ALL_BROKERS_DOWN || state.status.reason == nil
            if isReason { state.status.reason = secrets.masked(failure.text) }
            if state.status.connection == .connected, failure.isOutage || isSilence {
                state.status.connection = .disconnected
                state.status.since = clock.now()
            }
        }
        problem(nil, text)
    }

    func ended(_ reason: String?) {
        state.withLock { state in
            state.status.connection = .ended
            state.status.since = clock.now()
            state.status.reason = reason
            state.status.partitions = []
        }
    }

    // MARK: Words

    func note(_ text: String) { observer.note("\(name): \(text)") }

    /// Told once a minute at most.
    func problem(_ text: String) { problem("\(name): ", text) }

    private func problem(_ prefix: String?, _ text: String) {
        let now = SystemClock.monotonicNanoseconds
        let isNew = state.withLock { state in
            if let last = state.told[text], now - last < Self.repeatInterval { return false }
            if state.told.count > 1000 { state.told.removeAll() }
            state.told[text] = now
            return true
        }
        if isNew { observer.problem((prefix ?? "") + text) }
    }
}
