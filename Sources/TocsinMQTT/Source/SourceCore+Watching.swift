internal import Synchronization
internal import TocsinCore

/// The watchdog: a silent stop is noticed and said.
extension SourceCore {
    /// 0 = a message as any other, 1 = our probe, 2 = our own presence, 3 = our Sparkplug state.
    func ownKind(_ topic: String) -> UInt8 {
        if topic == probeTopic { return 1 }
        if topic == subscription.presenceTopic { return 2 }
        if let id = subscription.sparkplugHostID, topic == "spBv1.0/STATE/\(id)" { return 3 }
        return 0
    }

    func heardOwn(_ kind: UInt8, _ payload: UnsafeRawBufferPointer) {
        if kind == 1 {
            echoes += 1
            failedProbes = 0
            proved()
        } else if kind == 3, String(decoding: payload, as: UTF8.self).contains("\"online\":false") {
            // The will of an older connection came after our birth (Sparkplug 3.0, section 6.4.29).
            for message in presence(isOnline: true) { publish(message) }
        }
    }

    func proved() {
        watchdog?.proved(now: SystemClock.monotonicNanoseconds)
        let now = clock.now()
        status.withLock {
            if $0.refusals.isEmpty { $0.isSubscriptionAlive = true }
            $0.lastProof = now
            $0.isQuiet = false
        }
    }

    func ticked(_ now: Int64, on link: BrokerLink) {
        if let quietAfter = subscription.quietAfter, now &- lastMessage > quietAfter.nanoseconds {
            let isNew = status.withLock { status in
                defer { status.isQuiet = true }
                return !status.isQuiet
            }
            if isNew { observe(.note("no message for \(quietAfter.formatted) s")) }
        }
        tryRefusedAgain(now)
        switch watchdog?.tick(now: now, isReading: link.isReading) ?? .none {
        case .none: break
        case .probe: probe()
        case .dead: subscriptionIsDead(link)
        }
    }

    private func probe() {
        publish(MQTTMessage(topic: probeTopic, payload: Array("tocsin".utf8), qos: .atLeastOnce))
    }

    /// A probe has had no echo, or the connection ended before it came. When none has ever come back the broker silently
    /// forbids the topic, some (Mosquitto 2.0 in 3.1.1) by hanging up.
    /// - Returns: true when nothing more is probed.
    func isProbeHopeless(isEnd: Bool) -> Bool {
        failedProbes += 1
        guard echoes == 0, failedProbes > (isEnd ? 2 : 1) else { return false }
        stopProbing(
            "no probe on \(probeTopic) has ever come back: the broker seems to forbid the topic; allow it, name another, or switch the watchdog off"
        )
        return true
    }

    /// The broker takes no messages of ours to a topic. None is sent there again: Mosquitto 2.0 hangs up on each.
    func notTaken(_ topic: String, _ reason: String) {
        guard topic != probeTopic else {
            return stopProbing("the broker refuses the probe's topic \(probeTopic): \(reason)")
        }
        guard refusedTopics.insert(topic).inserted else { return }
        let text = "the broker takes no messages to \(topic) (\(reason)): none is sent there any more"
        let now = clock.now()
        status.withLock {
            $0.lastError = text
            $0.lastErrorAt = now
        }
        observe(.note(text))
    }

    private func subscriptionIsDead(_ link: BrokerLink) {
        guard !isProbeHopeless(isEnd: false) else { return }
        let text = "the subscription is not alive: no echo within \(subscription.watchdog.timeout.formatted) s"
        let now = clock.now()
        status.withLock {
            $0.isSubscriptionAlive = false
            $0.lastError = text
            $0.lastErrorAt = now
        }
        observe(.notAlive(text))
        link.close(text)
    }

    func stopProbing(_ reason: String) {
        guard isProbing else { return }
        isProbing = false
        watchdog = nil
        let now = clock.now()
        status.withLock {
            if $0.refusals.isEmpty { $0.isSubscriptionAlive = nil }
            $0.lastError = reason
            $0.lastErrorAt = now
        }
        observe(.note(reason))
    }
}
