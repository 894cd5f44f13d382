public import TocsinCore

extension FirstCause {
    /// "temperature of pump_3 moved first, pressure followed 40 s later, flow of pump_4 2.5 min later, and 3 more"
    public var sentence: String {
        var text = "\(Self.name(metric, sensor, isKnown: false)) moved first"
        for (index, follower) in followers.prefix(2).enumerated() {
            let isKnown = follower.metric != nil && follower.sensor == sensor
            text += ", \(Self.name(follower.metric, follower.sensor, isKnown: isKnown))"
            if follower.lag > 0 {
                text += "\(index == 0 ? " followed" : "") \(Sentence.duration(follower.lag)) later"
            } else {
                text += " at the same time"
            }
        }
        let rest = followers.count - 2
        return rest > 0 ? text + ", and \(rest) more" : text
    }

    private static func name(_ metric: String?, _ sensor: String, isKnown: Bool) -> String {
        guard let metric else { return sensor }
        return isKnown ? metric : "\(metric) of \(sensor)"
    }
}

extension JSONWriter {
    public mutating func value(_ cause: FirstCause) {
        object {
            $0.field("sensor_id", cause.sensor)
            $0.field("metric", cause.metric)
            $0.field("time", cause.time)
            $0.key("followers")
            $0.array { list in
                for follower in cause.followers {
                    list.object {
                        $0.field("sensor_id", follower.sensor)
                        $0.field("metric", follower.metric)
                        $0.field("lag_seconds", follower.lag)
                        $0.field("correlation", follower.correlation)
                    }
                }
            }
            $0.field("sentence", cause.sentence)
        }
    }
}
