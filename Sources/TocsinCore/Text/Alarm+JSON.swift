// The one JSON form of alarms and anomalies: API, live screen, alerts.log and webhooks all show the same object.

extension JSONWriter {
    public mutating func value(_ alarm: Alarm) {
        object {
            $0.field("id", alarm.id)
            $0.field("sensor_id", alarm.sensor)
            $0.field("metric", alarm.metric)
            $0.field("kind", alarm.kind.name)
            $0.field("state", alarm.state.rawValue)
            $0.field("severity", alarm.severity.rawValue)
            $0.field("raised", alarm.raised)
            $0.field("last_seen", alarm.lastSeen)
            $0.field("cleared", alarm.cleared)
            $0.field("verdicts", alarm.verdicts)
            $0.field("score", alarm.score)
            $0.field("p_value", alarm.pValue)
            $0.field("sentence", alarm.sentence)
            $0.field("summary", alarm.summary)
            $0.field("cause", alarm.cause)
            $0.field("life_state", alarm.lifeState.rawValue)
            $0.field("acknowledged", alarm.care.acknowledged)
            $0.field("acknowledged_by", alarm.care.acknowledgedBy)
            $0.field("assignee", alarm.care.assignee)
            $0.field("shelved_until", alarm.care.shelvedUntil)
        }
    }

    public mutating func value(_ change: AlarmChange) {
        object {
            $0.field("step", change.step.rawValue)
            $0.key("alarm")
            $0.value(change.alarm)
        }
    }

    /// - Parameter isPlaced: false = its place in the stream, `given`, is not known yet.
    public mutating func value(_ action: AlarmAction, isPlaced: Bool = true) {
        object {
            $0.field("id", action.id)
            $0.field("alarm_id", action.alarmID)
            $0.field("sensor_id", action.sensor)
            $0.field("kind", action.kind.name)
            $0.field("action", action.verb.rawValue)
            $0.field("person", action.person)
            $0.field("text", action.text)
            $0.field("until", action.until)
            $0.field("given", isPlaced ? action.given : nil)
            $0.field("at", action.wallTime)
        }
    }

    public mutating func value(_ anomaly: Anomaly) {
        object {
            $0.field("id", anomaly.id)
            $0.field("alarm_id", anomaly.alarmID)
            $0.field("sensor_id", anomaly.sensor)
            $0.field("metric", anomaly.metric)
            $0.field("kind", anomaly.kind.name)
            $0.field("detector", anomaly.detector.name)
            $0.field("model", anomaly.model)
            $0.field("start", anomaly.start)
            $0.field("time", anomaly.time)
            $0.field("value", anomaly.value)
            $0.field("expected_low", anomaly.expectedLow)
            $0.field("expected_high", anomaly.expectedHigh)
            $0.field("score", anomaly.score)
            $0.field("p_value", anomaly.pValue)
            $0.key("contributions")
            $0.array { list in
                for contribution in anomaly.contributions {
                    list.object {
                        $0.field("name", contribution.name)
                        $0.field("share", contribution.share)
                    }
                }
            }
            $0.field("sentence", anomaly.sentence)
            $0.field("note", anomaly.note)
        }
    }
}
