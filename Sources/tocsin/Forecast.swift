public import ArgumentParser
internal import TocsinApp
internal import TocsinCore
public import TocsinJobs

struct Forecast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Forecasts a column of a CSV file, and says when it reaches a limit.",
        discussion: """
            The model (last value, season before, Holt-Winters) and the season (hour, day, week) are chosen by forecasting \
            the last third of the history from what was before; the interval is as wide as those forecasts missed.

            Examples:
              tocsin forecast bearing.csv --time timestamp --value temperature --horizon 6h --limit 80 --unit °C
              tocsin forecast tank.csv --time ts --value level --horizon 2d --limit 10 --side below
              tocsin forecast plant.csv --time ts --value power --group-by device --sensor press-4 --csv
            """)

    @Argument(help: "CSV file with a header, plain or gzip; - for standard input.", completion: .file())
    var file: String

    @Option(name: .long, help: "Column with the time.")
    var time: String

    @Option(name: .long, help: "Column to forecast.")
    var value: String

    @Option(name: .long, help: "How far to look ahead, at most a third of the history: 30m, 6h, 2d.")
    var horizon: DurationArgument

    @Option(name: .long, help: "Limit whose reaching is to be foreseen.")
    var limit: Double?

    @Option(name: .long, help: "Where it is dangerous: above or below the limit; default: where the last value is not.")
    var side: ForecastSide?

    @Option(name: .long, help: "Unit of the values, for the sentence.")
    var unit = ""

    @Option(name: .long, help: "Share of the values inside the interval, in percent.")
    var coverage = 95.0

    @Option(name: .long, help: "Length of the season; default: looked for.")
    var season: DurationArgument?

    @Option(name: .long, help: "Column that names the sensor.")
    var groupBy: String?

    @Option(name: .long, help: "The sensor to forecast, where the file has several.")
    var sensor: String?

    @Flag(name: .long, help: "Every step as time,expected,low,high instead of a summary.")
    var csv = false

    @OptionGroup var output: BenchOutput

    func validate() throws {
        guard (50...99.9).contains(coverage) else { throw ValidationError("--coverage must be 50 to 99.9") }
        guard horizon.span.nanoseconds > 0 else { throw ValidationError("--horizon must be above 0") }
        guard limit?.isFinite ?? true else { throw ValidationError("--limit must be a number") }
        if sensor != nil, groupBy == nil { throw ValidationError("--sensor needs --group-by") }
    }

    func run() async throws {
        try await Terminal.run {
            let report = try ForecastFileRun(
                .init(
                    path: file, timeColumn: time, valueColumn: value, groupColumn: groupBy, group: sensor,
                    forecast: .init(
                        name: sensor.map { "\($0) \(value)" } ?? value, horizon: horizon.span, limit: limit,
                        side: side, unit: unit, coverage: coverage / 100,
                        season: season?.span))
            ).run()
            var json = JSONWriter()
            report.write(to: &json)
            try Bench.show(csv ? report.csv() : report.text(), json: json.bytes, to: output.json)
        }
    }
}

extension ForecastSide: ExpressibleByArgument {}
