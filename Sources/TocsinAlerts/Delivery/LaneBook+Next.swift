internal import TocsinCore

// What goes out, and when.

extension LaneBook {
    mutating func next(now: Timestamp) -> Action {
        releaseDelayed(now)
        releaseQuiet(now)
        if let lastStart, now >= lastStart { return .wait(until: nil) }
        guard underWay < policy.concurrency else { return .wait(until: nil) }
        if let rest = [pausedUntil, restsUntil].compactMap({ $0 }).max(), rest > now { return .wait(until: rest) }
        // After a rest one message feels its way.
        if failures >= Self.failuresToRest, underWay > 0 { return .wait(until: nil) }
        releaseOverflow(now)
        var delivery = refresh(now) ?? pop(now)
        if delivery == nil {
            // What has just been put into a list that need not gather.
            releaseOverflow(now)
            delivery = pop(now)
        }
        if let delivery {
            underWay += 1
            return .send(delivery)
        }
        return .wait(until: wakeUp(now))
    }

    /// Everything that is held back goes out now, as lists: nothing outlives this process.
    mutating func flush(now: Timestamp) {
        for (id, _) in delayedOrder {
            if let entry = delayed.removeValue(forKey: id) { settle(entry.delivery.numbers, .passedOver) }
        }
        delayedOrder = []
        tell(quietHeld, .quietHours, now)
        quietHeld = []
        for delivery in overflow where !traits.takesDigests { push(delivery, now) }
        if traits.takesDigests { tell(overflow, .rateLimit, now) }
        overflow = []
    }

    private mutating func releaseDelayed(_ now: Timestamp) {
        while let (id, due) = delayedOrder.first {
            guard let entry = delayed[id], entry.due == due else {
                delayedOrder.removeFirst()
                continue
            }
            guard due <= now else { return }
            delayedOrder.removeFirst()
            delayed[id] = nil
            enqueue(entry.pair.map { cooledDown(entry.delivery, $0, now) } ?? entry.delivery, now)
        }
    }

    /// It has outlasted the cooldown, and the next one begins.
    private mutating func cooledDown(_ delivery: Delivery, _ pair: Pair, _ now: Timestamp) -> Delivery {
        lastRaised[pair] = now
        let others = (cooled.removeValue(forKey: pair) ?? 1) - 1
        guard others > 0, let note = delivery.note else { return delivery }
        var delivery = delivery
        delivery.note = "\(note), as \(others) more before it"
        return delivery
    }

    private mutating func releaseQuiet(_ now: Timestamp) {
        guard !quietHeld.isEmpty, policy.quiet?.isQuiet(now) != true, listed.isEmpty else { return }
        let held = quietHeld
        quietHeld = []
        tell(held, .quietHours, now)
    }

    /// As one list where the channel takes lists; to machines one by one, without what came and went in between.
    private mutating func tell(_ held: [Delivery], _ hold: AlertHold, _ now: Timestamp) {
        guard traits.takesDigests else {
            let over = Set(held.filter { $0.change?.step == .cleared }.map(\.incident))
            for delivery in held {
                if over.contains(delivery.incident), !told.contains(delivery.incident) {
                    counts.suppressed += 1
                    settle(delivery.numbers, .passedOver)
                } else {
                    push(delivery, now)
                }
            }
            return
        }
        guard let first = held.first else { return }
        if held.count == 1 {
            var delivery = first
            delivery.isReleased = true
            delivery.note = [delivery.note, "held back: \(hold.rawValue)"].compactMap { $0 }.joined(separator: "; ")
            return push(delivery, now)
        }
        listed = Set(held.map(\.incident))
        let numbers = held.flatMap(\.numbers)
        push(
            Delivery(
                content: .digest(held.compactMap(\.change), hold), numbers: numbers,
                incident: "digest-\(numbers.first ?? 0)-\(numbers.last ?? 0)", recorded: first.recorded), now)
    }

    private mutating func releaseOverflow(_ now: Timestamp) {
        guard !overflow.isEmpty, listed.isEmpty, let overflowDue, overflowDue <= now else { return }
        if let rate = policy.rate, rateMeter.used(rate, now) >= rate.messages { return }
        let held = overflow
        overflow = []
        self.overflowDue = nil
        tell(held, .rateLimit, now)
    }

    private mutating func refresh(_ now: Timestamp) -> Delivery? {
        guard let interval = traits.refresh, !told.isEmpty, !isFinishing else { return nil }
        let span = Span64(nanoseconds: Int64(interval.inSeconds * 1e9))
        guard let due = nextRefresh else {
            nextRefresh = now.advanced(by: span)
            return nil
        }
        guard due <= now else { return nil }
        nextRefresh = now.advanced(by: span)
        let open = engaged.values.filter { told.contains($0.id) && incidents[$0.id] == nil }.sorted { $0.id < $1.id }
        guard !open.isEmpty else { return nil }
        return Delivery(content: .open(open), numbers: [], incident: "open", recorded: now)
    }

    private mutating func pop(_ now: Timestamp) -> Delivery? {
        while let entry = due.first, entry.due <= now {
            _ = due.pop()
            guard var incident = incidents[entry.incident], !incident.isUnderWay, var head = incident.queue.first else {
                continue
            }
            if isFinishing, head.attempts > 0 { continue }
            let end = head.recorded.advanced(by: policy.giveUpAfter)
            if now > end || (head.attempts == 0 && now == end) {
                incident.queue.removeFirst()
                giveUp(head, head.lastReason ?? "not told in time", now)
                resume(entry.incident, incident, now)
                continue
            }
            if head.attempts == 0, isHeld(entry, incident, head, now) { continue }
            if head.attempts == 0, policy.rate != nil { rateMeter.note(now) }
            head.attempts += 1
            incident.queue[0].attempts = head.attempts
            incident.isUnderWay = true
            incidents[entry.incident] = incident
            return head
        }
        return nil
    }

    /// Whether it may not go out now; then it has been put where it waits.
    private mutating func isHeld(_ entry: DueQueue.Entry, _ incident: Incident, _ head: Delivery, _ now: Timestamp)
        -> Bool
    {
        let used = policy.rate.map { rateMeter.used($0, now) } ?? 0
        let messages = policy.rate?.messages ?? .max
        if head.isDigest || head.isReleased || !traits.takesDigests {
            guard used >= messages, let free = policy.rate.flatMap({ rateMeter.nextFree($0) }) else { return false }
            due.push(DueQueue.Entry(due: free, order: entry.order, incident: entry.incident))
            return true
        }
        // The last place belongs to the list of all others.
        let isFull = used >= max(1, messages - 1)
        guard isFull || !overflow.isEmpty || listed.contains(entry.incident) else { return false }
        overflow += incident.queue
        incidents[entry.incident] = nil
        let gathering = isFull ? policy.rate?.gathering ?? .seconds(0) : .seconds(0)
        overflowDue = overflowDue ?? now.advanced(by: gathering)
        return true
    }

    private mutating func wakeUp(_ now: Timestamp) -> Timestamp? {
        var times: [Timestamp] = []
        if let entry = due.first { times.append(entry.due) }
        if let (_, due) = delayedOrder.first(where: { delayed[$0.id]?.due == $0.due }) { times.append(due) }
        if !quietHeld.isEmpty, let quiet = policy.quiet, listed.isEmpty { times.append(quiet.end(after: now)) }
        if !overflow.isEmpty, listed.isEmpty, let overflowDue {
            let isFull = policy.rate.map { rateMeter.used($0, now) >= $0.messages } ?? false
            let free = isFull ? policy.rate.flatMap { rateMeter.nextFree($0) } : nil
            times.append(max(overflowDue, free ?? overflowDue))
        }
        if !told.isEmpty, let nextRefresh { times.append(nextRefresh) }
        return times.min()
    }
}
