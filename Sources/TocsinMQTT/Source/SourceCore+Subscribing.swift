internal import Synchronization
internal import TocsinCore

/// What we ask of the broker, what it grants, and what we tell of ourselves.
extension SourceCore {
    var probeTopic: String { subscription.watchdog.topic ?? WatchdogSettings.topic(clientID: clientID) }
    private var stateTopic: String? { subscription.sparkplugHostID.map { "spBv1.0/STATE/\($0)" } }

    func connectRequest() -> ConnectRequest {
        let seconds = UInt16(clamping: max(1, settings.keepAlive.components.seconds))
        var request = ConnectRequest(
            version: version, clientID: clientID, isCleanStart: !subscription.keepsSession,
            keepAliveSeconds: seconds)
        request.username = settings.username
        request.password = settings.password
        if subscription.keepsSession {
            request.sessionExpirySeconds = UInt32(clamping: subscription.sessionExpiry.components.seconds)
        }
        request.receiveMaximum = UInt16(clamping: subscription.window)
        hostBirth = clock.now().nanoseconds / 1_000_000
        request.will = presence(isOnline: false).first
        return request
    }

    /// The birth or the last will; Sparkplug wants the same time in both (Sparkplug 3.0, section 6.4.27).
    func presence(isOnline: Bool) -> [MQTTMessage] {
        let qos = min(.atLeastOnce, maximumQoS)
        if let stateTopic {
            let payload = "{\"online\":\(isOnline),\"timestamp\":\(hostBirth)}"
            return [MQTTMessage(topic: stateTopic, payload: Array(payload.utf8), qos: qos, isRetained: true)]
        }
        guard let topic = subscription.presenceTopic else { return [] }
        let payload = isOnline ? subscription.onlinePayload : subscription.offlinePayload
        return [MQTTMessage(topic: topic, payload: Array(payload.utf8), qos: qos, isRetained: true)]
    }

    func subscribe(isSessionPresent: Bool) {
        setState(.subscribing)
        refusals = [:]
        if isSessionPresent, version == .v311, isSurelySaved {
            // Asking again would bring all retained messages again, which 3.1.1 cannot forbid.
            granted()
        } else {
            subscribedAt = nil
            let handling: UInt8 = subscription.retained == .ignore ? 2 : 1
            request(
                subscription.topics.map {
                    SubscribeRequest(filter: $0.filter, qos: subscription.qos, retainHandling: handling)
                })
        }
        if isProbing { subscribeToProbe() }
        if let stateTopic { request([SubscribeRequest(filter: stateTopic, qos: .atLeastOnce)]) }
    }

    /// A broker that was killed comes back with the session as it was saved last, perhaps without its subscriptions.
    private var isSurelySaved: Bool {
        guard let subscribedAt, subscription.retained == .take else { return false }
        return SystemClock.monotonicNanoseconds &- subscribedAt > Self.savingTime.nanoseconds
    }

    func subscribeToProbe() {
        request([SubscribeRequest(filter: probeTopic, qos: .atMostOnce, retainHandling: 2)])
    }

    private func request(_ filters: [SubscribeRequest]) {
        guard let link, !filters.isEmpty, let id = identifiers.take() else { return }
        requests[id] = filters
        var writer = PacketWriter(version: link.version)
        writer.subscribe(filters, packetID: id)
        link.send(writer.bytes)
    }

    func subscribed(_ packetID: UInt16, _ codes: [UInt8], _ text: String?, on link: BrokerLink) {
        identifiers.free(packetID)
        guard let filters = requests.removeValue(forKey: packetID) else { return }
        for (index, filter) in filters.enumerated() {
            let code = index < codes.count ? codes[index] : 0x80
            let isData = subscription.topics.contains { $0.filter == filter.filter }
            guard code >= 0x80 else {
                refusals[filter.filter] = nil
                if isData, code < filter.qos.rawValue {
                    observe(
                        .note(
                            "the broker grants QoS \(code) only for \(filter.filter), asked for was \(filter.qos.rawValue)"
                        ))
                }
                continue
            }
            let words = link.version == .v5 ? ReasonWords.v5(code) : ReasonWords.subscribe311(code)
            let reason = words + (text.map { " (\($0))" } ?? "")
            if filter.filter == probeTopic, !isData {
                stopProbing("the broker refuses the probe's topic \(probeTopic): \(reason)")
                continue
            }
            if refusals.updateValue(reason, forKey: filter.filter) == nil {
                observe(.refused(filter: filter.filter, reason: reason))
            }
        }
        if filters.contains(where: { filter in subscription.topics.contains { $0.filter == filter.filter } }) {
            granted()
        }
    }

    /// The end of a connection in words. A broker that hangs up mostly does so because of what it has just refused, or
    /// has not granted yet.
    func withRefusals(_ text: String) -> String {
        if let refusal { return "\(refusal); then: \(text)" }
        let asked = requests.values.joined().map(\.filter).filter { $0 != probeTopic }.sorted()
        return asked.isEmpty ? text : "\(text), before it granted the subscription to \(asked.joined(separator: ", "))"
    }

    /// One of the refusals in words; nil without any.
    private var refusal: String? {
        refusals.min { $0.key < $1.key }.map { "the broker refuses the subscription to \($0.key): \($0.value)" }
    }

    private func granted() {
        let (refusals, refusal, now) = (refusals, refusal, clock.now())
        status.withLock {
            $0.refusals = refusals
            if let refusal {
                $0.lastError = refusal
                $0.lastErrorAt = now
                $0.isSubscriptionAlive = false
            }
        }
        let clockNow = SystemClock.monotonicNanoseconds
        guard refusals.isEmpty else {
            nextTryOfRefused = clockNow &+ Self.retryOfRefused.nanoseconds
            return setState(.refused)
        }
        subscribedAt = subscribedAt ?? clockNow
        setState(.running)
        for message in presence(isOnline: true) { publish(message) }
        if isProbing {
            watchdog = SubscriptionWatchdog(
                interval: subscription.watchdog.interval, timeout: subscription.watchdog.timeout, now: clockNow)
        }
    }

    func tryRefusedAgain(_ now: Int64) {
        guard !refusals.isEmpty, requests.isEmpty, now >= nextTryOfRefused else { return }
        nextTryOfRefused = now &+ Self.retryOfRefused.nanoseconds
        request(
            subscription.topics.filter { refusals[$0.filter] != nil }.map {
                SubscribeRequest(
                    filter: $0.filter, qos: subscription.qos, retainHandling: subscription.retained == .ignore ? 2 : 1)
            })
    }
}
