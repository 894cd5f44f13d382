public import TocsinCore
public import TocsinDetect

/// What `ForecastRun` found, for people, for programs and as a table.
public struct ForecastReport: Sendable {
    public let name: String
    public let unit: String
    /// Slots of the history.
    public let values: Int
    public let forecast: Forecast
    /// nil where no limit was asked for.
    public let crossing: ThresholdCrossing?
    public let step: Span64
    public let modelName: String
    /// nil = none.
    public let season: Span64?
    /// The back-test's mean error as a share of that of the last value.
    public let errorToNaive: Double
    /// Moments of the back-test.
    public let origins: Int

    /// Lines of the table in `text`.
    private static let lines = 12

    /// The sentence on the limit: "bearing reaches 80 °C in about 3.2 h (1.9 h to 6 h)"; nil without a limit.
    public var sentence: String? { crossing.map { "\(name) \($0.sentence(unit: unit))" } }

    /// Some lines of the forecast, where it comes from, and the sentence on the limit.
    public func text() -> String {
        let percent = Int((100 * errorToNaive).rounded())
        let seasonal = season.map { ", season \(Self.length($0))" } ?? ""
        let every = max((forecast.points.count + Self.lines - 1) / Self.lines, 1)
        var rows = [["time", "expected", "low", "high"]]
        for (place, point) in forecast.points.enumerated() where (place + 1) % every == 0 {
            rows.append([point.time.iso8601] + [point.value, point.lower, point.upper].map(Self.number))
        }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = "\(name): \(values) values every \(Self.length(step)), the last at \(forecast.start.iso8601)\n"
        text += "model: \(modelName)\(seasonal)"
        text +=
            origins > 0 ? "; mean error \(percent) % of that of the last value (\(origins) moments tried)\n\n" : "\n\n"
        for row in rows {
            for (column, cell) in row.enumerated() {
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                text += column == 0 ? cell + blanks : "  " + blanks + cell
            }
            text += "\n"
        }
        let share = Int((100 * forecast.coverage).rounded())
        text += "\(share) of 100 values are expected between low and high.\n"
        if let sentence { text += "\n\(sentence)\n" }
        return text
    }

    /// `time,expected,low,high`, one row a slot.
    public func csv() -> String {
        var text = "time,expected,low,high\n"
        for point in forecast.points { text += "\(point.time.iso8601),\(point.value),\(point.lower),\(point.upper)\n" }
        return text
    }

    /// Everything, as one object; lengths of time in seconds, null = not within the horizon.
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("name", name)
            json.field("unit", unit)
            json.field("values", Double(values))
            json.field("step_seconds", step.seconds)
            json.field("model", modelName)
            json.field("season_seconds", season?.seconds ?? .nan)
            json.field("error_to_last_value", errorToNaive)
            json.field("backtest_origins", Double(origins))
            json.field("coverage", forecast.coverage)
            json.field("start", forecast.start)
            if let crossing {
                json.key("limit")
                json.object { json in
                    json.field("value", crossing.limit)
                    json.field("side", crossing.side.rawValue)
                    json.field("sentence", sentence ?? "")
                    json.field("expected_seconds", crossing.expected?.seconds ?? .nan)
                    json.field("earliest_seconds", crossing.earliest?.seconds ?? .nan)
                    json.field("latest_seconds", crossing.latest?.seconds ?? .nan)
                }
            }
            json.key("points")
            json.array { json in
                for point in forecast.points {
                    json.object { json in
                        json.field("time", point.time)
                        json.field("expected", point.value)
                        json.field("low", point.lower)
                        json.field("high", point.upper)
                    }
                }
            }
        }
    }

    private static func length(_ span: Span64) -> String { ThresholdCrossing.text(of: span) }

    /// Four digits.
    private static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15, value != 0 else { return "\(value)" }
        var scale = 1.0
        while abs(value) * scale < 1000, scale < 1e6 { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return Int64(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
    }
}
