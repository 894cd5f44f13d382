internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the store's schema up to date, or shows what that would do.",
        discussion: """
            Every start does it by itself; this is for those who want to look first, or to do it at a time of their own. \
            Each step is one transaction: a crash leaves a whole version.

            Examples:
              tocsin migrate --status
              tocsin migrate --dry-run --config tocsin.yaml
              PG_HOST=db PG_PASSWORD_FILE=/run/secrets/pg tocsin migrate
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(name: .long, help: "Says which schema the store has; changes nothing.")
    var status = false
    @Flag(name: .long, help: "Prints the SQL of the steps to come; changes nothing.")
    var dryRun = false

    func validate() throws {
        if status, dryRun { throw ValidationError("give --status or --dry-run") }
    }

    func run() async throws {
        try await Terminal.run {
            let run = MigrationRun(configuration: try options.load().configuration)
            let found = try await run.status()
            if found.isNewer {
                throw TocsinError(
                    .store,
                    "a newer version of the program made it: its schema is number \(found.version), this program knows \(found.knownVersion)",
                    place: found.place, remedy: "install the newer version, or name another store")
            }
            if status { return Self.show(found) }
            if dryRun { return Self.showSteps(found) }
            guard !found.stepsToCome.isEmpty else {
                print("\(found.place): schema \(found.version), nothing to do")
                return
            }
            try await run.migrate()
            print("\(found.place): schema \(found.version) became \(found.knownVersion)")
        }
    }

    private static func show(_ status: SchemaStatus) {
        print("\(status.place): schema \(status.version) of \(status.knownVersion)")
        for step in status.steps {
            print("  \(step.isApplied ? "applied" : "to come")  \(step.number)  \(step.title)")
        }
    }

    private static func showSteps(_ status: SchemaStatus) {
        if status.stepsToCome.isEmpty { print("-- \(status.place): schema \(status.version), nothing to do") }
        for step in status.stepsToCome {
            print("-- step \(step.number): \(step.title)\n\(step.sql)\n")
        }
    }
}
