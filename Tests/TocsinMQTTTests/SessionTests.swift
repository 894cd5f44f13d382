import Testing
import TocsinCore
import TocsinMQTT

private func once(_ id: UInt16, _ content: UInt64 = 1) -> Delivery {
    Delivery(packetID: id, qos: .atLeastOnce, content: content)
}

private func exactly(_ id: UInt16, _ content: UInt64 = 1) -> Delivery {
    Delivery(packetID: id, qos: .exactlyOnce, content: content)
}

@Suite struct SessionTests {
    @Test func `QoS 1: acknowledged when durable, a copy meanwhile is not taken`() {
        var session = InboundSession()
        #expect(session.receive(once(1), isDuplicate: false) == .take)
        #expect(session.unacknowledged == 1)
        #expect(session.receive(once(1), isDuplicate: true) == .ignore)
        #expect(session.settle(once(1)) == .publishAcknowledgement)
        #expect(session.unacknowledged == 0)
        #expect(session.settle(once(1)) == nil)
    }

    @Test func `QoS 1: what comes again after a lost acknowledgement is acknowledged again, not taken`() {
        var session = InboundSession()
        _ = session.receive(once(1), isDuplicate: false)
        _ = session.settle(once(1))
        session.begin(isSessionPresent: true)
        #expect(session.receive(once(1), isDuplicate: true) == .acknowledge(.publishAcknowledgement))
        // Another message under the same id, or the same content sent anew, is another message.
        #expect(session.receive(once(1, 2), isDuplicate: true) == .take)
        _ = session.settle(once(1, 2))
        #expect(session.receive(once(1, 2), isDuplicate: false) == .take)
    }

    @Test func `an answered ping proves the acknowledgements before it, not those behind`() {
        var session = InboundSession()
        for id: UInt16 in 1...2 {
            _ = session.receive(once(id), isDuplicate: false)
            _ = session.settle(once(id))
            if id == 1 { session.pinged() }
        }
        session.answered()
        #expect(session.receive(once(1), isDuplicate: true) == .take)
        #expect(session.receive(once(2), isDuplicate: true) == .acknowledge(.publishAcknowledgement))
        session.answered()
        #expect(session.receive(once(2), isDuplicate: true) == .acknowledge(.publishAcknowledgement))
    }

    @Test func `the answer to the first of two pings proves nothing behind it`() {
        var session = InboundSession()
        for id: UInt16 in 1...2 {
            _ = session.receive(once(id), isDuplicate: false)
            _ = session.settle(once(id))
            session.pinged()
        }
        session.answered()
        #expect(session.receive(once(2), isDuplicate: true) == .acknowledge(.publishAcknowledgement))
        #expect(session.receive(once(1), isDuplicate: true) == .take)
        // What the lost connection has not answered proves nothing; the next one's ping does.
        session.begin(isSessionPresent: true)
        session.answered()
        #expect(session.receive(once(2), isDuplicate: true) == .acknowledge(.publishAcknowledgement))
        session.pinged()
        session.answered()
        #expect(session.receive(once(2), isDuplicate: true) == .take)
    }

    @Test func `QoS 2: received when durable, complete after the release`() {
        var session = InboundSession()
        #expect(session.receive(exactly(7), isDuplicate: false) == .take)
        #expect(session.release(7) == nil)
        #expect(session.receive(exactly(7), isDuplicate: true) == .ignore)
        #expect(session.settle(exactly(7)) == .publishReceived)
        session.begin(isSessionPresent: true)
        #expect(session.receive(exactly(7), isDuplicate: true) == .acknowledge(.publishReceived))
        #expect(session.release(7) == 0)
        #expect(session.release(7) == 0x92)
        #expect(session.receive(exactly(7), isDuplicate: false) == .take)
    }

    @Test func `a broker that has forgotten the session gets no acknowledgement of it`() {
        var session = InboundSession()
        _ = session.receive(once(1), isDuplicate: false)
        _ = session.receive(exactly(2), isDuplicate: false)
        session.begin(isSessionPresent: false)
        #expect(session.unacknowledged == 0)
        #expect(session.settle(once(1)) == nil)
        #expect(session.receive(once(1, 9), isDuplicate: false) == .take)
        #expect(session.settle(once(1)) == nil)
        #expect(session.unacknowledged == 1)
    }

    @Test func `what could not be made durable is taken again`() {
        var session = InboundSession()
        _ = session.receive(once(1), isDuplicate: false)
        session.abandon(once(1))
        #expect(session.unacknowledged == 0)
        #expect(session.receive(once(1), isDuplicate: true) == .take)
    }

    @Test func `the watchdog probes, trusts messages as well, and says when nothing comes`() {
        var watchdog = SubscriptionWatchdog(interval: .nanoseconds(100), timeout: .nanoseconds(50), now: 0)
        #expect(watchdog.tick(now: 0, isReading: true) == .probe)
        #expect(watchdog.tick(now: 49, isReading: true) == .none)
        watchdog.proved(now: 49)
        #expect(watchdog.provedAt == 49)
        #expect(watchdog.tick(now: 60, isReading: true) == .none)
        #expect(watchdog.tick(now: 100, isReading: true) == .probe)
        // While we do not read, no echo can come.
        #expect(watchdog.tick(now: 400, isReading: false) == .none)
        #expect(watchdog.tick(now: 449, isReading: true) == .none)
        #expect(watchdog.tick(now: 450, isReading: true) == .dead)
    }

    @Test func `pings go on while nothing is read, and only then silence is no death`() {
        var keepAlive = KeepAlive(interval: .nanoseconds(100), timeout: .nanoseconds(50), now: 0)
        #expect(keepAlive.tick(now: 99, isReading: true) == .none)
        #expect(keepAlive.tick(now: 100, isReading: false) == .ping)
        #expect(keepAlive.tick(now: 200, isReading: false) == .ping)
        #expect(keepAlive.tick(now: 249, isReading: true) == .none)
        #expect(keepAlive.tick(now: 250, isReading: true) == .dead)
        keepAlive.heard()
        #expect(keepAlive.tick(now: 260, isReading: true) == .none)
    }

    @Test func `packet ids are used in turn and never twice at a time`() {
        var identifiers = PacketIdentifiers()
        #expect(identifiers.take() == 1)
        #expect(identifiers.take() == 2)
        identifiers.free(1)
        for id: UInt16 in 3...65_535 { #expect(identifiers.take() == id) }
        #expect(identifiers.take() == 1)
        #expect(identifiers.take() == nil)
        identifiers.free(9)
        identifiers.free(9)
        #expect(identifiers.take() == 9)
        #expect(identifiers.take() == nil)
    }

    @Test func `waits double up to the longest, and lie in the upper half of their range`() {
        let backoff = Backoff()
        #expect(backoff.delay(attempt: 0, share: 1) == .milliseconds(500))
        #expect(backoff.delay(attempt: 0, share: 0) == .milliseconds(250))
        #expect(backoff.delay(attempt: 3, share: 1) == .seconds(4))
        #expect(backoff.delay(attempt: 1_000_000, share: 1) == .seconds(30))
        #expect(backoff.delay(attempt: -1, share: 7) == .milliseconds(500))
    }
}
