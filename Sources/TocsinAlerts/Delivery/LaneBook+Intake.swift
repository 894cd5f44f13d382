internal import TocsinCore

// What comes in: whether it is told here, at once or later.

extension LaneBook {
    /// Steps that change nothing about whether somebody must be told.
    private static let remarks: [AlarmChange.Step] = [.updated, .commented, .assigned]
    private static let queueLimit = 10_000

    /// - Parameter isRouted: whether the routes send this alarm here.
    mutating func take(_ item: AlertItem, isRouted: Bool, now: Timestamp) {
        if item.isAgain { return takeAgain(item, now) }
        let (change, id) = (item.change, item.change.alarm.id)
        if change.step == .handedOver { return handOver(item) }
        if change.step == .takenOver { return takeOver(item, isRouted: isRouted, now) }
        if change.step == .cleared { forgetAwaited(id) }
        // Also what nobody is told of, a shelf first of all, spares those who have not been told yet.
        if delayed[id] != nil, change.isTold || !change.step.isBeginning { return takeWhileDelayed(item) }
        // Whoever was told that it began is told that it is over, also where it has become part of a summary since.
        let isEnd = change.step == .cleared && engaged[id] != nil
        guard change.isTold || isEnd else { return takeUntold(item, isRouted: isRouted, now) }
        let isRouted = isRouted || awaited[id] != nil
        switch change.step {
        case .raised, .reopened, .escalated, .unshelved, .inService: takeRaise(item, isRouted: isRouted, now)
        case .cleared:
            guard engaged.removeValue(forKey: id) != nil, wants(change.step) else {
                return settle([item.number], .passedOver)
            }
            enqueue(delivery(item), now)
        case .updated where engaged[id] == nil && awaited[id] != nil:
            // Its beginning was not meant for this lane.
            var beginning = item
            beginning.change = AlarmChange(step: .raised, alarm: change.alarm)
            takeRaise(beginning, isRouted: true, now)
        default:
            if change.step == .updated, engaged[id] != nil { renew(change.alarm) }
            guard engaged[id] != nil, wants(change.step) else { return settle([item.number], .passedOver) }
            engaged[id] = change.alarm
            enqueue(delivery(item), now)
        }
    }

    /// A member of a summary: what is told of that is told here too.
    private mutating func takeUntold(_ item: AlertItem, isRouted: Bool, _ now: Timestamp) {
        let alarm = item.change.alarm
        // Nor for ever, should nothing more be heard of the summary.
        guard isRouted, item.change.step.isBeginning, AlertSeverity(alarm.severity) >= policy.severity,
            let summary = alarm.summary, engaged[summary] == nil, awaited[summary] == nil,
            now < item.recorded.advanced(by: policy.giveUpAfter)
        else { return settle([item.number], .passedOver) }
        awaited[summary] = item.number
    }

    /// A dead letter that someone wants sent again: neither routes nor cooldown nor quiet hours hold it back.
    private mutating func takeAgain(_ item: AlertItem, _ now: Timestamp) {
        var delivery = delivery(item)
        delivery.isAgain = true
        delivery.note = "sent again by hand"
        guard delivery.change?.step.isBeginning == true, engaged[delivery.incident] == nil else {
            return push(delivery, now)
        }
        delivery.note = "sent again by hand; it is over since"
        push(delivery, now)
        guard !traits.takesDigests, wants(.cleared), var alarm = delivery.change?.alarm else { return }
        // A machine would take it for open, and nothing would ever close it.
        alarm.state = .cleared
        alarm.cleared = alarm.cleared ?? now
        delivery.content = .change(AlarmChange(step: .cleared, alarm: alarm))
        push(delivery, now)
    }

    /// What has not been tried yet tells how it stands now: a summary that waits has got more members.
    private mutating func renew(_ alarm: Alarm) {
        func renewed(_ delivery: inout Delivery) {
            guard delivery.incident == alarm.id, delivery.attempts == 0, let step = delivery.change?.step,
                step.isBeginning
            else { return }
            delivery.content = .change(AlarmChange(step: step, alarm: alarm))
        }
        if var incident = incidents[alarm.id] {
            for index in incident.queue.indices { renewed(&incident.queue[index]) }
            incidents[alarm.id] = incident
        }
        for index in overflow.indices { renewed(&overflow[index]) }
        for index in quietHeld.indices { renewed(&quietHeld[index]) }
    }

    private func wants(_ step: AlarmChange.Step) -> Bool {
        let steps = policy.steps ?? traits.steps
        return steps.contains(step.rawValue) || (steps.contains("*") && !steps.contains("-" + step.rawValue))
    }

    private func delivery(_ item: AlertItem) -> Delivery {
        Delivery(
            content: .change(item.change), numbers: [item.number], incident: item.change.alarm.id,
            recorded: item.recorded)
    }

    private mutating func takeRaise(_ item: AlertItem, isRouted: Bool, _ now: Timestamp) {
        let (change, alarm) = (item.change, item.change.alarm)
        let isKnown = engaged[alarm.id] != nil
        // What was over and comes back worse is a reopening too.
        let isWanted = wants(change.step) || (change.step == .escalated && !isKnown && wants(.reopened))
        guard isWanted, isKnown || (isRouted && AlertSeverity(alarm.severity) >= policy.severity) else {
            return settle([item.number], .passedOver)
        }
        if policy.delay.nanoseconds > 0, !isKnown, alarm.care.acknowledged != nil {
            return settle([item.number], .passedOver)
        }
        var delivery = delivery(item)
        if policy.cooldown.nanoseconds > 0, change.step == .raised || change.step == .reopened {
            let pair = Pair(sensor: alarm.sensor, kind: alarm.kind)
            if let last = lastRaised[pair], now < last.advanced(by: policy.cooldown) {
                cooled[pair, default: 0] += 1
                engaged[alarm.id] = alarm
                // What still stands when the cooldown is over must be known: the last that was heard is that it was over.
                let note = "held back by the cooldown of \(Self.text(policy.cooldown))"
                return hold(delivery, until: last.advanced(by: policy.cooldown), note: note, pair: pair)
            }
            if lastRaised.count >= Self.queueLimit { forgetOldCooldowns(now) }
            lastRaised[pair] = now
            if let count = cooled.removeValue(forKey: pair) {
                delivery.note = "\(count) more held back by the cooldown"
            }
        }
        engaged[alarm.id] = alarm
        guard policy.delay.nanoseconds > 0, !told.contains(alarm.id) else { return enqueue(delivery, now) }
        holdUnlessAcknowledged(delivery, recorded: item.recorded)
    }

    mutating func holdUnlessAcknowledged(_ delivery: Delivery, recorded: Timestamp) {
        hold(
            delivery, until: recorded.advanced(by: policy.delay),
            note: "nobody has acknowledged it for \(Self.text(policy.delay))")
    }

    /// Somebody may acknowledge it before, and it may be over.
    private mutating func hold(_ delivery: Delivery, until due: Timestamp, note: String, pair: Pair? = nil) {
        var delivery = delivery
        delivery.note = note
        if let earlier = delayed[delivery.incident] { delivery.numbers = earlier.delivery.numbers + delivery.numbers }
        delayed[delivery.incident] = Delayed(delivery: delivery, due: due, pair: pair)
        delayedOrder.append((delivery.incident, due))
    }

    /// While nobody is told yet: whoever acknowledges, shelves or clears it in time spares the others.
    private mutating func takeWhileDelayed(_ item: AlertItem) {
        let (change, id) = (item.change, item.change.alarm.id)
        if change.step.isBeginning {
            // What is told later is how it stands then.
            delayed[id]?.delivery.content = .change(change)
            delayed[id]?.delivery.numbers.append(item.number)
            engaged[id] = change.alarm
        } else if Self.remarks.contains(change.step) {
            if let step = delayed[id]?.delivery.change?.step {
                delayed[id]?.delivery.content = .change(AlarmChange(step: step, alarm: change.alarm))
            }
            settle([item.number], .passedOver)
        } else {
            settle((delayed.removeValue(forKey: id)?.delivery.numbers ?? []) + [item.number], .passedOver)
            engaged[id] = nil
            counts.suppressed += 1
        }
    }

    private mutating func forgetOldCooldowns(_ now: Timestamp) {
        lastRaised = lastRaised.filter { now < $0.value.advanced(by: policy.cooldown) }
        cooled = cooled.filter { lastRaised[$0.key] != nil }
    }

    /// Into quiet, or to be sent.
    mutating func enqueue(_ delivery: Delivery, _ now: Timestamp) {
        var delivery = delivery
        if let quiet = policy.quiet, quiet.isQuiet(now), let change = delivery.change {
            guard policy.quietPassesCritical, AlertSeverity(change.alarm.severity) == .critical else {
                quietHeld.append(delivery)
                return bound(now)
            }
            // It has become critical: its milder beginning must not be told after it.
            let earlier = quietHeld.filter { $0.incident == delivery.incident }
            quietHeld.removeAll { $0.incident == delivery.incident }
            delivery.numbers = earlier.flatMap(\.numbers) + delivery.numbers
        }
        push(delivery, now)
    }

    mutating func push(_ delivery: Delivery, _ now: Timestamp) {
        let id = delivery.incident
        incidents[id, default: Incident()].queue.append(delivery)
        if let incident = incidents[id], incident.queue.count == 1, !incident.isUnderWay { due.push(id, due: now) }
        bound(now)
    }

    /// Beyond the limit the oldest that waits becomes a dead letter.
    private mutating func bound(_ now: Timestamp) {
        guard incidents.count + overflow.count + quietHeld.count > Self.queueLimit else { return }
        let reason = "the queue of this channel is full"
        if !overflow.isEmpty { return giveUp(overflow.removeFirst(), reason, now) }
        if !quietHeld.isEmpty { return giveUp(quietHeld.removeFirst(), reason, now) }
        // Many at once, so that a storm does not look through all of them for each alarm.
        let idle = incidents.filter { !$0.value.isUnderWay }
            .sorted { ($0.value.queue.first?.numbers.first ?? .max) < ($1.value.queue.first?.numbers.first ?? .max) }
        for (id, incident) in idle.prefix(Self.queueLimit / 20) {
            incidents[id] = nil
            for delivery in incident.queue { giveUp(delivery, reason, now) }
        }
    }

    static func text(_ span: Span64) -> String {
        let seconds = Int64(span.seconds.rounded())
        return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
    }
}
