internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks the configuration and whether everything it names can be reached.",
        discussion: """
            Ends with 0 when all is well, 1 when something cannot be reached, 78 when the configuration is wrong.

            Examples:
              tocsin check --config tocsin.yaml
              tocsin check --show             the effective configuration, secrets masked
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(name: .long, help: "Prints every key with its value and where it came from, and checks nothing else.")
    var show = false

    @Flag(name: .long, help: "Prints the reference of all keys as Markdown.")
    var reference = false

    func run() async throws {
        try await Terminal.run {
            if reference {
                print(ConfigurationReference.markdown)
                return
            }
            let loaded = try options.load()
            if show {
                print(loaded.effective)
                return
            }
            let findings = await ConfigurationCheck(configuration: loaded.configuration).run()
            for finding in findings {
                print(
                    "\(finding.problem == nil ? "ok  " : "FAIL")  \(finding.subject): \(finding.problem ?? finding.note)"
                )
            }
            if findings.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
        }
    }
}
