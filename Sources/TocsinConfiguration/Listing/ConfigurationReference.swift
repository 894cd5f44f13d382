internal import TocsinCore

/// The reference of all keys, made from the registry.
public enum ConfigurationReference {
    /// The whole text of docs/configuration.md, without the last line end.
    public static var markdown: String {
        var text = introduction
        for section in KeyRegistry.sections {
            text += "\n## \(section.title)\n\n\(section.summary)\n\n"
            text += "| key | environment variable | type | allowed | default | meaning |\n"
            text += "|---|---|---|---|---|---|\n"
            for entry in section.entries { text += row(entry) }
        }
        return text.trimmed
    }

    private static func row(_ entry: KeyEntry) -> String {
        let fallback = entry.isDefaultLiteral ? "`\(entry.defaultText)`" : entry.defaultText
        let cells = [
            "`\(entry.name)`",
            ([entry.environmentName] + entry.aliases).map { "`\($0)`" }.joined(separator: ", or "),
            entry.unit.map { "\(entry.type), \($0)" } ?? entry.type,
            entry.bounds ?? "",
            entry.isRequired ? "required" : fallback,
            entry.summary,
        ]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }

    private static let introduction = """
        # Configuration

        <!-- Made by `tocsin check --reference`; a test compares this file with the program. -->

        An empty configuration runs. What is set is read from four places, each stronger than the one before:

        1. the defaults below,
        2. a YAML file: `tocsin run --config tocsin.yaml`,
        3. environment variables,
        4. command-line flags.

        `tocsin check --config tocsin.yaml` reports everything that is wrong at once, with file and line, and for an
        unknown key the one that was perhaps meant. `tocsin check --show` prints the effective configuration with the
        origin of every value; secrets are masked.

        - **Names.** Dots are levels of the YAML file. The environment variable of a key is its name in capitals, words
          separated by `_`: `server.maxBodyBytes` is `SERVER_MAX_BODY_BYTES`. An empty variable counts as unset; other
          variables are not looked at. Kubernetes injects variables such as `SERVER_PORT` for a service that is called
          `server`: set `enableServiceLinks: false` there.
        - **Lists of groups** (`windows`, `sources`, `alerts.webhooks`) are numbered from 0 in the environment and in
          flags: `SOURCES_0_KIND`, `sources.0.kind`. The places are merged key by key.
        - **Lists** are YAML lists, or one text separated by commas. A stronger place replaces the whole list.
        - **Maps** are YAML maps, or `name=value` separated by commas:
          `INPUT_VALID_RANGES=temperature=-50..120,pressure=off`. Places and defaults are merged name by name.
        - **Durations** have a unit: `ns`, `us`, `ms`, `s`, `m` (or `min`), `h`, `d`, `w`; fractions are allowed: `1.5h`.
        - **Sizes** are bytes, or have a unit: `KiB`, `MiB`, `GiB`, `TiB` (1024), `KB`, `MB`, `GB`, `TB` (1000).
        - **Secrets** can come from a file: where the variable of a secret has the suffix `_FILE`, it names a file whose
          content, without the line end, is the secret: `ALERTS_WEBHOOKS_0_SECRET_FILE=/run/secrets/hook`. The type in
          the tables is `secret`, or `address`, since addresses of chat webhooks are credentials too. The variables of
          `store.postgres` can all come from files, under each of their names: `PG_USER_FILE=/run/secrets/user`. A map of
          secrets has an entry in each line of its file: `KAFKA_PROPERTIES_FILE=/run/secrets/client.properties`.

        [`tocsin.example.yaml`](../tocsin.example.yaml) is a commented example, [`.env.example`](../.env.example) one for
        the environment.

        """
}
