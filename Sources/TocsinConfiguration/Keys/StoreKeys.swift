internal import TocsinCore

enum StoreKeys {
    static let kind = Key(
        "store.kind", .choice, default: TocsinConfiguration.Store.Kind.auto,
        "Which database; `auto` is PostgreSQL where `store.postgres` names a server, and SQLite elsewhere.")
    static let path = Key(
        "store.path", .path, default: "tocsin.sqlite", "Database file; a relative path starts in `data.directory`.")
    static let storeEvents = Key(
        "store.storeEvents", .flag, default: true,
        "Whether every event is kept; windows, anomalies and alarms always are.")
    static let retentionEvents = age("events", "Events older than this are deleted.")
    static let retentionWindows = age("windows", "Windows older than this are deleted.")
    static let retentionAnomalies = age("anomalies", "Anomalies and cleared alarms older than this are deleted.")
    static let retentionDeadLetters = age("deadLetters", "Dead letters older than this are deleted.")
    static let retentionThinnedWindows = age(
        "thinnedWindows",
        "Of windows older than this only those of the longest definition that follow one another without a gap stay.")
    static let retentionJobs = age(
        "jobs", "Records of jobs that have ended, and quality reports, older than this are deleted.")
    static let retentionMaxBytes = Key(
        "store.retention.maxBytes", ValueForm(.bytes((1 << 20)...(1 << 50)), orNone: "unlimited"), default: nil,
        "Above this size of the database the oldest events, then the oldest windows, are deleted.")

    private static func age(_ name: String, _ summary: String) -> Key<Span64?> {
        Key(
            "store.retention.\(name)", ValueForm(.duration(.minutes(1) ... .days(36_500)), orNone: "never"),
            default: nil, summary)
    }

    static let all =
        [
            kind.entry, path.entry, storeEvents.entry, retentionEvents.entry, retentionWindows.entry,
            retentionAnomalies.entry, retentionDeadLetters.entry, retentionThinnedWindows.entry, retentionJobs.entry,
            retentionMaxBytes.entry,
        ] + PostgresKeys.all
}

enum SpoolKeys {
    static let enabled = Key(
        "spool.enabled", .flag, default: true,
        "Whether input is made durable in a spool, and the state in checkpoints; without, it is acknowledged when the "
            + "store has it, and every start begins to learn anew.")
    static let flushInterval = Key(
        "spool.flushInterval", .duration(.milliseconds(0) ... .seconds(10)), default: .milliseconds(10),
        "The disk is forced at most this often, and what comes in meanwhile waits for its acknowledgement; 0 is at once."
    )
    static let flushBytes = Key(
        "spool.flushBytes", .bytes((64 << 10)...(1 << 30)), default: 4 << 20,
        "The disk is forced earlier when so much waits.")
    static let segmentBytes = Key(
        "spool.segmentBytes", .bytes((1 << 20)...(4 << 30)), default: 64 << 20, "Size of one file of the spool.")
    static let maxBytes = Key(
        "spool.maxBytes", .bytes((16 << 20)...(1 << 50)), default: 4 << 30,
        "What the spool may hold while the store is away; beyond it, input is refused until there is room.")
    static let checkpointInterval = Key(
        "checkpoint.interval", .duration(.seconds(1) ... .hours(24)), default: .seconds(30),
        "Time between two checkpoints, at least.")
    static let checkpointKept = Key(
        "checkpoint.keptOlder", .integer(0...100, unit: "checkpoints"), default: 1,
        "Older checkpoints that are kept beside the newest, with the spool from there on.")

    static let all = [
        enabled.entry, flushInterval.entry, flushBytes.entry, segmentBytes.entry, maxBytes.entry,
        checkpointInterval.entry, checkpointKept.entry,
    ]
}

enum AlertKeys {
    static let console = Key(
        "alerts.console.enabled", .flag, default: true, "Whether each alarm is a line on standard output.")
    static let file = Key("alerts.file.enabled", .flag, default: true, "Whether each alarm is a JSON line in a file.")
    static let filePath = Key(
        "alerts.file.path", .path, default: "alerts.log", "That file; a relative path starts in `data.directory`.")

    static let webhooks = "alerts.webhooks"
    static let maximumWebhooks = 64
    static let url = Key(
        "alerts.webhooks[].url", .webAddress, default: nil, shownAs: "none", isRequired: true,
        "Address that gets each alarm by `POST` as JSON.")
    static let headers = MapKey(
        "alerts.webhooks[].headers", .secret, default: [:], "Further request headers, such as `Authorization`.")
    static let secret = Key(
        "alerts.webhooks[].secret", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        "Key with which requests are signed (HMAC-SHA256).")
    static let timeout = Key(
        "alerts.webhooks[].timeout", .duration(.milliseconds(100) ... .minutes(5)), default: .seconds(10),
        "How long one attempt may take.")
    static let cooldown = Key(
        "alerts.webhooks[].cooldown", .duration(.seconds(0) ... .days(7)), default: .minutes(1),
        "Least time between two messages on the same sensor and kind.")
    static let retries = Key(
        "alerts.webhooks[].retries", ValueForm(.integer(0...100, unit: "attempts"), orNone: "none"), default: nil,
        "Further attempts after a failed one, each after a longer wait; `none` is as many as a day allows.")

    static let all = [
        console.entry, file.entry, filePath.entry, url.entry, headers.entry, secret.entry, timeout.entry,
        cooldown.entry, retries.entry,
    ]
}
