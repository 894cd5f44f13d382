public import TocsinCore

extension JSONWriter {
    public mutating func value(_ performance: AlarmPerformance) {
        func actors(_ list: [AlarmPerformance.Actor], _ json: inout JSONWriter) {
            json.array { array in
                for actor in list {
                    array.object {
                        $0.field("sensor_id", actor.sensor)
                        $0.field("kind", actor.kind.name)
                        $0.field("alarms", actor.alarms)
                        $0.field("share", actor.share)
                    }
                }
            }
        }
        object {
            $0.field("start", performance.start)
            $0.field("end", performance.end)
            $0.field("alarms", performance.alarms)
            $0.field("average_per_10_minutes", performance.average)
            $0.field("peak_in_10_minutes", performance.peak)
            $0.field("rating", performance.rating.rawValue)
            $0.field("overloaded_share", performance.overloadedShare)
            $0.field("floods", performance.floods)
            $0.field("flood_share", performance.floodShare)
            $0.field("stale", performance.stale)
            $0.field("newly_stale_per_day", performance.stalePerDay)
            $0.field("unacknowledged", performance.unacknowledged)
            $0.field("median_response_seconds", performance.medianResponse ?? .nan)
            $0.key("severity_shares")
            $0.object { json in
                for severity in Alarm.Severity.allCases {
                    json.field(severity.rawValue, performance.severities[severity] ?? 0)
                }
            }
            $0.field("bad_actor_share", performance.badActorShare)
            $0.key("bad_actors")
            actors(performance.badActors, &$0)
            $0.key("chattering")
            actors(performance.chattering, &$0)
            $0.key("targets")
            $0.array { list in
                for target in performance.targets {
                    list.object {
                        $0.field("figure", target.figure.rawValue)
                        $0.field("value", target.value)
                        $0.field("acceptable", target.acceptable)
                        $0.field("manageable", target.manageable)
                        $0.field("bound", target.bound.rawValue)
                        $0.field("rating", target.rating?.rawValue)
                    }
                }
            }
        }
    }
}
