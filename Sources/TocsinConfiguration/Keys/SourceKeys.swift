internal import TocsinCore

enum SourceKeys {
    static let list = "sources"
    static let maximum = 1000
    static let kind = Key(
        "sources[].kind", .choice(note: " (`POST /ingest` needs no source)"),
        default: TocsinConfiguration.Source.Kind.stdin, shownAs: "none", isRequired: true,
        "Where readings come from.")
    static let name = Key(
        "sources[].name", .optionalText, default: nil, shownAs: "kind and position",
        "Name in metrics, dead letters and logs; unique.")
    static let path = Key(
        "sources[].path", .optionalPath, default: nil, shownAs: "none",
        "File (plain or gzip) or folder; a relative path starts where the program was started.")
    static let follow = Key(
        "sources[].follow", .flag, default: false, "Whether to wait for more at the end, as `tail -f` does.")
    static let format = Key(
        "sources[].format", .choice, default: TocsinConfiguration.Source.Format.auto,
        "Form of the input; `auto` looks at its first bytes.")
    static let defaultSensor = Key(
        "sources[].defaultSensor", .optionalText, default: nil, shownAs: "as in `input`",
        "Sensor of messages that name none.")
    static let mapping = MappingKeys("sources[].mapping", inherited: true)

    static let profile = Key(
        "sources[].profile", .choice, default: TocsinConfiguration.Source.Profile.plant, "What is simulated.")
    static let sensors = Key(
        "sources[].sensors", .integer(0...10_000_000, unit: "sensors"), default: 0,
        "Number of sensors; 0 is the profile's own.")
    static let rate = Key(
        "sources[].rate", .number(0...1e9, unit: "events/s"), default: 0,
        "Events a second over all sensors; 0 is the profile's own.")
    static let speed = Key(
        "sources[].speed", .number(0...1e9, unit: "times real time"), default: 1,
        "How much faster than real time; 0 is as fast as possible.")
    static let seed = Key("sources[].seed", .seed, default: 1, "Seed of the simulation: same seed, same bytes.")
    static let anomalyRate = Key(
        "sources[].anomalyRate", ValueForm(.number(0...0.95, unit: "share of time"), orNone: "auto"), default: nil,
        "Share of each sensor's time under an anomaly; `auto` is the profile's own.")
    static let maxEvents = Key(
        "sources[].maxEvents", .integer(0...Int.max, unit: "events"), default: 0,
        "Ends after so many events; 0 is never.")

    /// Keys that only input with bytes of its own has, and keys that only the simulator has.
    static let fileOnly = [path.entry, follow.entry]
    static let bytesOnly = [format.entry, defaultSensor.entry] + mapping.all
    static let simulatorOnly = [
        profile.entry, sensors.entry, rate.entry, speed.entry, seed.entry, anomalyRate.entry, maxEvents.entry,
    ]

    static let all = [kind.entry, name.entry] + fileOnly + bytesOnly + simulatorOnly
}
