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
            heardEcho()
        } else if kind == 3, String(decoding: payload, as: UTF8.self).contains("\"online\":false") {
            // The will of an older connection came after our birth (Sparkplug 3.0, section 6.4.29).
            for message in presence(isOnline: true) { publish(message) }
        }
    }

    private func heardEcho() {
        echoes += 1
        failedProbes = 0
        isProbeOnTrial = false
        probePause = subscription.watchdog.retry.nanoseconds
        status.withLock { $0.watchdogOff = nil }
        proved()
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
        if let since = unwritableSince, now &- since > settings.answerTimeout.nanoseconds {
            return link.close("the broker at \(settings.address) takes nothing that is sent to it")
        }
        tryRefusedAgain(now)
        tryProbingAgain(now)
        tellPresenceAgain(now)
        switch watchdog?.tick(now: now, isReading: link.isReading) ?? .none {
        case .none: break
        case .probe: probe()
        case .dead: subscriptionIsDead(link)
        }
    }

    private func probe() {
        publish(MQTTMessage(topic: probeTopic, payload: Array("tocsin".utf8), qos: .atLeastOnce))
    }

    /// What made a probe hopeless may have passed. Where trying it costs the connection it is tried ever more seldom.
    private func tryProbingAgain(_ now: Int64) {
        guard subscription.watchdog.isEnabled, !isProbing, refusals.isEmpty, requests.isEmpty, now >= nextProbeTrial
        else { return }
        isProbing = true
        isProbeOnTrial = true
        subscribeToProbe()
        watchdog = SubscriptionWatchdog(
            interval: subscription.watchdog.interval, timeout: subscription.watchdog.timeout, now: now)
    }

    /// A connection that ended for another reason may have brought another broker.
    func probeSooner() {
        if !endedOnTrial {
            probePause = subscription.watchdog.retry.nanoseconds
            nextProbeTrial = min(nextProbeTrial, SystemClock.monotonicNanoseconds &+ probePause)
        }
        endedOnTrial = false
    }

    /// A probe has had no echo, or the connection ended before it came. When none has ever come back the broker silently
    /// forbids the topic, some (Mosquitto 2.0 in 3.1.1) by hanging up.
    /// - Returns: true when nothing more is probed.
    func isProbeHopeless(isEnd: Bool) -> Bool {
        failedProbes += 1
        if isProbeOnTrial, isEnd {
            endedOnTrial = true
            probePause = min(probePause &* 4, max(probePause, Self.longestProbePause))
        }
        guard isProbeOnTrial || (echoes == 0 && failedProbes > (isEnd ? 2 : 1)) else { return false }
        let known = isProbeOnTrial ? status.withLock { $0.watchdogOff } : nil
        stopProbing(
            known
                ?? "no probe on \(probeTopic) has ever come back: the broker seems to forbid the topic; allow it, name another, or switch the watchdog off"
        )
        return true
    }

    /// The broker takes no message of ours to a topic. Where it never will none is sent there again: Mosquitto 2.0 hangs
    /// up on each.
    func notTaken(_ topic: String, _ reason: UInt8) {
        let words = ReasonWords.v5(reason)
        guard topic != probeTopic else {
            return stopProbing("the broker refuses the probe's topic \(probeTopic): \(words)")
        }
        let now = SystemClock.monotonicNanoseconds
        if ReasonWords.isOfTopic(reason) {
            guard refusedTopics.updateValue(now, forKey: topic) == nil else { return }
            return noteRefusal("the broker takes no messages to \(topic) (\(words)): none is sent there any more")
        }
        nextPresence = now &+ Self.retryOfRefused.nanoseconds
        guard doubtfulTopics.insert(topic).inserted else { return }
        noteRefusal("the broker takes no message to \(topic) for now (\(words)): it is told again")
    }

    /// A new connection may find other permissions; a broker that hangs up on what it refuses must not be asked on each.
    func forgetRefusedTopics() {
        let now = SystemClock.monotonicNanoseconds
        refusedTopics = refusedTopics.filter { now &- $0.value < Self.refusalIsRecent.nanoseconds }
        doubtfulTopics = []
    }

    private func tellPresenceAgain(_ now: Int64) {
        guard let due = nextPresence, now >= due else { return }
        nextPresence = nil
        for message in presence(isOnline: true) { publish(message) }
    }

    private func noteRefusal(_ text: String) {
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
        nextProbeTrial = SystemClock.monotonicNanoseconds &+ probePause
        let isKnown = isProbeOnTrial
        isProbeOnTrial = false
        let now = clock.now()
        status.withLock {
            if $0.refusals.isEmpty { $0.isSubscriptionAlive = nil }
            $0.watchdogOff = reason
            $0.lastError = reason
            $0.lastErrorAt = now
        }
        if !isKnown { observe(.note(reason)) }
    }
}
