internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explains one finding: how sure, what contributed, what else happened then, with a picture.",
        discussion: """
            Reads the store of a data folder, also while tocsin run works on it. A finding is named by its id, that of \
            its alarm, or the first digits of either. The picture shows the readings around it where the store keeps \
            them (run, or replay --store-events), else the windows.

            Examples:
              tocsin explain --last
              tocsin explain --list --limit 50
              tocsin explain 3f2a91 --data-dir ./results --out finding.svg
            """)

    @Argument(help: "Id of an anomaly or alarm, or at least its first four digits.")
    var id: String?

    @OptionGroup var options: ConfigurationOptions

    @Flag(name: .long, help: "The newest anomaly.")
    var last = false

    @Flag(name: .long, help: "Lists the newest anomalies, one line each.")
    var list = false

    @Option(name: .long, help: "--list: at most so many.")
    var limit = 20

    @Option(
        name: .long, help: "Picture: a name that ends in .svg, or in .png where rsvg-convert is installed.",
        completion: .file(extensions: ["svg", "png"]))
    var out: String?

    @Flag(name: .long, help: "Prints one JSON object (--list: one a line).")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be positive") }
        guard [id != nil, last, list].count(where: { $0 }) == 1 else {
            throw ValidationError("give an id, --last or --list")
        }
        if list, out != nil { throw ValidationError("--out needs an id or --last") }
    }

    func run() async throws {
        try await Terminal.run {
            if let out { try PictureFile.check(out) }
            let run = ExplainRun(configuration: try options.load().configuration)
            if list { return try await listNewest(run) }
            let explanation = try await run.explain(id: id)
            if let out { try PictureFile.write(explanation.chart(), to: out) }
            // With the picture on standard output nothing else belongs there.
            guard out != "-" else { return }
            print(json ? String(decoding: explanation.json, as: UTF8.self) : explanation.text)
            if let out, !json { print("\npicture  \(out.printable)") }
        }
    }

    private func listNewest(_ run: ExplainRun) async throws {
        for anomaly in try await run.list(limit: limit) {
            guard json else {
                print(Explanation.line(anomaly))
                continue
            }
            var writer = JSONWriter()
            writer.value(anomaly)
            print(String(decoding: writer.bytes, as: UTF8.self))
        }
    }
}
