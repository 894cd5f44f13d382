internal import ArgumentParser
internal import TocsinBench
internal import TocsinCore
internal import TocsinMeasure

struct BenchStore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "How fast events are stored, and how long listings take when millions of them are.",
        discussion: """
            Writing: events of 10,000 sensors, in writes as the engine makes them, into a new store in each run. With \
            --psql the same rows go by psql's \\copy into an identical table, in turn with ours.
            Listings, with --stored: a store is filled with events and one anomaly for 100 of them, and everything that \
            GET /events/latest and GET /anomalies can ask for is asked: by sensor, metric, time, page, and together. With \
            SQLite also cold, with the file put out of the system's memory before each query; with --ingest again while \
            events are written.
            PostgreSQL: tables in a schema of their own (tocsin_bench_…), which is dropped at the end. Without \
            --postgres-url the server is found as psql finds it (PGHOST, PGUSER, PGPASSWORD, …). 50 million events take \
            about 12 GB in SQLite, 16 GB in PostgreSQL.

            Examples:
              tocsin bench store
              tocsin bench store --rows 0 --stored 50000000 --ingest 200000
              tocsin bench store --engine postgres --postgres-url postgresql://tocsin@127.0.0.1/postgres --psql
            """)

    @OptionGroup var output: BenchOutput

    @Option(
        name: .long,
        help: ArgumentHelp(
            "sqlite or postgres.", valueName: StoreBenchSettings.Engine.allCases.map(\.rawValue).joined(separator: "|"))
    )
    var engine = StoreBenchSettings.Engine.sqlite.rawValue

    @Option(
        name: .long,
        help: "Events written in each run; 0 leaves writing out. Default: 3000000 for SQLite, 1000000 for PostgreSQL.")
    var rows: Int?

    @Option(name: .long, help: "Events in the store that is asked; 0 leaves asking out.")
    var stored = 0

    @Option(name: .long, help: "Listings of each kind.")
    var queries = 300

    @Option(
        name: .long, help: ArgumentHelp("Asks again while so many events a second are written.", valueName: "events/s"))
    var ingest: Int?

    @Option(name: .customLong("repeat"), help: "Runs of writing; the median counts.")
    var repeats = 3

    @Option(name: .long, help: ArgumentHelp("postgresql://user@host:port/database", valueName: "url"))
    var postgresUrl: String?

    @Flag(name: .long, help: "PostgreSQL only: beside psql's \\copy of the same rows.")
    var psql = false

    @Option(name: .long, help: "Where the temporary folder is made. Default: TMPDIR.", completion: .directory)
    var folder: String?

    func run() async throws {
        try await Terminal.run {
            guard let chosen = StoreBenchSettings.Engine(rawValue: engine) else {
                throw ValidationError("--engine takes sqlite or postgres, not '\(engine)'")
            }
            var settings = StoreBenchSettings()
            settings.engine = chosen
            settings.rows = rows
            settings.stored = stored
            settings.queries = queries
            settings.ingest = ingest
            settings.repeats = repeats
            settings.postgresURL = postgresUrl
            settings.comparesPsql = psql
            settings.folder = folder
            let report = try await StoreBench(settings: settings, progress: Bench.progress).run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
