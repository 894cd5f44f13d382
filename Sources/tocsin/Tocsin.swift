internal import ArgumentParser
internal import TocsinCore

@main
struct Tocsin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tocsin",
        abstract:
            "Watches streams of sensor readings and says in milliseconds what is wrong, with which sensor, and why.",
        discussion: """
            First steps:
              tocsin demo                                   a live plant with a dashboard, nothing to set up
              tocsin run --config tocsin.yaml               your own sources
              tocsin replay readings.csv                    what would have been found in a recording
              curl --data-binary @readings.json http://127.0.0.1:8080/ingest

            Exit codes: 0 done; 1 something failed, the message says what; 64 wrong arguments; 78 wrong configuration; \
            130 ended by a second signal.
            Shell completions: tocsin --generate-completion-script bash|zsh|fish
            """,
        version: tocsinVersion,
        subcommands: [
            Demo.self, Run.self, Simulate.self, Send.self, Replay.self, Score.self, Train.self, Tune.self,
            Evaluate.self,
            Explain.self, Forecast.self, Check.self, Alert.self,
            DeadLetters.self, ETL.self, Query.self, Export.self, Import.self, Migrate.self, Bench.self,
        ])
}
