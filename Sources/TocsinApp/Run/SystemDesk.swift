internal import Logging
internal import TocsinAlerts
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine

/// The program's own alarms, with the same life as those of sensors: stored, shown, told, and looked after by people.
///
/// Beside the engine, because they are true when the stream stands still, and told before they are stored, because the
/// store may be what is in trouble. What the store does not take waits here. One command after the other: no locks.
final class SystemDesk: Sendable {
    private enum Command: Sendable {
        case look
        case act(AlarmAction, Alarm, CheckedContinuation<Void, any Error>)
    }

    private let commands: AsyncStream<Command>
    private let entrance: AsyncStream<Command>.Continuation
    private let pipeline: Pipeline
    private let figures: @Sendable () -> SystemAlerts.Figures?

    /// - Parameter figures: how the program is doing; nil = nobody watches, and what was left open ends.
    init(pipeline: Pipeline, figures: @escaping @Sendable () -> SystemAlerts.Figures?) {
        self.pipeline = pipeline
        self.figures = figures
        (commands, entrance) = AsyncStream.makeStream()
    }

    func look() { entrance.yield(.look) }
    func finish() { entrance.finish() }

    /// - Throws: when the store does not take it now, or the process is ending.
    func take(_ action: AlarmAction, on alarm: Alarm) async throws {
        try await withCheckedThrowingContinuation { continuation in
            if case .enqueued = entrance.yield(.act(action, alarm, continuation)) { return }
            continuation.resume(throwing: CancellationError())
        }
    }

    /// Works until `finish`, or until the task is cancelled.
    func run() async {
        let alarms = pipeline.configuration.alarms
        var state = State(
            alerts: SystemAlerts(
                limits: SystemAlerts.Limits(pipeline.configuration.alerts.system),
                open: pipeline.dispatcher.openAlarms),
            care: CareBook(latched: Set(alarms.latched), memory: alarms.cooldown))
        for alarm in state.alerts.openAlarms { state.care.restore(alarm) }
        for await command in commands {
            let now = pipeline.clock.now()
            await takeUp(&state, now)
            switch command {
            case .look:
                let changes = figures().map { state.alerts.evaluate($0, now: now) } ?? state.alerts.clearAll(now: now)
                tell(changes, annotatedBy: &state, now: now)
                try? await write(&state)
            case .act(let action, let alarm, let continuation):
                let known = state.alerts.openAlarms.first { $0.id == alarm.id }
                let changes = state.care.take(action, known: known, stored: alarm)
                publish(changes)
                state.unwritten.append(outcome(changes, [action], now))
                do {
                    try await write(&state)
                    continuation.resume()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    private struct State {
        var alerts: SystemAlerts
        var care: CareBook
        var unwritten: [BatchOutcome] = []
        var hasStored = false
    }

    /// What an earlier process left open in the store, once the store answers.
    private func takeUp(_ state: inout State, _ now: Timestamp) async {
        guard !state.hasStored, let open = try? await pipeline.store.openAlarms() else { return }
        state.hasStored = true
        for alarm in open where alarm.kind == .system {
            // A latched one is over, and waits for a person.
            let isCurrent = alarm.cleared != nil || state.alerts.adopt(alarm)
            // The store knows what people have done with it.
            state.care.restore(alarm)
            guard !isCurrent else { continue }
            var over = alarm
            (over.state, over.cleared) = (.cleared, now)
            tell([AlarmChange(step: .cleared, alarm: over)], annotatedBy: &state, now: now)
        }
    }

    private func tell(_ changes: [AlarmChange], annotatedBy state: inout State, now: Timestamp) {
        var all = changes
        for index in all.indices { state.care.annotate(&all[index]) }
        all += state.care.advance(to: now)
        guard !all.isEmpty else { return }
        for change in all {
            pipeline.logger.log(
                level: change.step == .raised ? .warning : .notice, "\(change.alarm.sentence.printable)",
                metadata: ["step": "\(change.step.rawValue)", "alarm": "\(change.alarm.sensor)"])
        }
        publish(all)
        state.unwritten.append(outcome(all, [], now))
    }

    private func publish(_ changes: [AlarmChange]) {
        pipeline.engine.hub.publish(anomalies: [], alarms: changes)
        pipeline.dispatcher.tell(changes)
    }

    private func outcome(_ changes: [AlarmChange], _ actions: [AlarmAction], _ now: Timestamp) -> BatchOutcome {
        let origin = TocsinCore.Origin(source: SourceID(0), sourceName: "tocsin", position: 0, received: now)
        return BatchOutcome(
            batch: Batch(origin: origin), fates: [], accepted: [], alarmChanges: changes, actions: actions)
    }

    private func write(_ state: inout State) async throws {
        guard !state.unwritten.isEmpty else { return }
        try await pipeline.store.write(state.unwritten)
        state.unwritten = []
    }
}
