internal import TocsinCore

extension Explanation {
    /// One JSON object with all figures; times in RFC 3339, numbers in the units of the series.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object { object in
            object.key("anomaly")
            object.value(anomaly)
            object.key("alarm")
            if let alarm { object.value(alarm) } else { object.null() }
            object.field("alarm_findings", alarmFindings)
            object.key("feedback")
            if let feedback { object.value(feedback) } else { object.null() }
            object.key("model")
            if let model {
                object.object {
                    $0.field("name", model.name)
                    $0.field("version", model.version)
                    $0.field("origin", model.origin.rawValue)
                    $0.field("created", model.created)
                }
            } else {
                object.null()
            }
            object.field("unit", main?.unit)
            object.field("from", view.lowerBound)
            object.field("to", view.upperBound)
            object.field("source", sourceName)
            write(stretches: &object)
            write(movements: &object)
            object.field("first_moved", firstMoved)
            write(neighbours: &object)
            for (name, list) in [("earlier", earlier), ("around", around)] {
                object.field("\(name)_count", list.count)
                object.key(name)
                object.array { array in for anomaly in list.prefix(20) { array.value(anomaly) } }
            }
        }
        return json.bytes
    }

    private var sourceName: String {
        switch main?.origin {
        case .readings: "readings"
        case .windows: "windows"
        case nil: "none"
        }
    }

    private func write(stretches object: inout JSONWriter) {
        object.key("stretches")
        object.array { array in
            for stretch in stretches {
                array.object {
                    $0.field("part", stretch.part.rawValue)
                    $0.field("from", stretch.start)
                    $0.field("to", stretch.end)
                    $0.field("count", stretch.count)
                    $0.field("mean", stretch.mean)
                    $0.field("minimum", stretch.minimum)
                    $0.field("maximum", stretch.maximum)
                }
            }
        }
    }

    private func write(movements object: inout JSONWriter) {
        object.key("metrics")
        object.array { array in
            for movement in movements {
                array.object {
                    $0.field("metric", movement.metric)
                    $0.field("before", movement.before)
                    $0.field("during", movement.during)
                    $0.field("distance", movement.distance)
                    $0.field("moved_at", movement.isRemarkable ? movement.began : nil)
                }
            }
        }
    }

    private func write(neighbours object: inout JSONWriter) {
        object.key("neighbours")
        guard let neighbours else { return object.null() }
        object.object {
            $0.field("statistic", neighbours.statistic?.name ?? "reading")
            $0.field("value", neighbours.value)
            $0.field("others", neighbours.count)
            $0.field("rank", neighbours.rank)
            $0.field("median", neighbours.others.median)
            $0.field("low_quartile", neighbours.others.lowQuartile)
            $0.field("high_quartile", neighbours.others.highQuartile)
            $0.field("moved", neighbours.moved)
            $0.field("moved_of", neighbours.movedOf)
            $0.key("also_found")
            $0.array { array in for name in neighbours.alsoFound { array.value(name) } }
        }
    }
}
