internal import TocsinCore

enum DataKeys {
    static let directory = Key(
        "data.directory", .path, default: "./tocsin-data",
        "Folder of the database, spool, checkpoints, models and alert log.")
    static let all = [directory.entry]
}

enum ServerKeys {
    static let host = Key(
        "server.host", .text, default: "127.0.0.1",
        "Address to listen on; `0.0.0.0` or `::` for every interface.")
    static let port = Key(
        "server.port", .integer(0...65535), default: 8080, aliases: ["PORT"],
        "TCP port to listen on; 0 takes a free one and logs it.")
    static let maxBodyBytes = Key(
        "server.maxBodyBytes", .bytes(1024...(1 << 30)), default: 16 << 20,
        "Largest body of one request; above it the answer is 413.")
    static let ingest = Key(
        "server.ingest.enabled", .flag, default: true, "Whether `POST /ingest` takes readings.")
    static let ingestKeys = "server.ingest.keys"
    static let maximumKeys = 10_000
    static let keyName = Key(
        "server.ingest.keys[].name", .text, default: "", shownAs: "none", isRequired: true,
        "Whose key it is, for answers and logs.")
    static let key = Key(
        "server.ingest.keys[].key", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none", isRequired: true,
        "The key, sent as `Authorization: Bearer …` or `X-API-Key: …`; with any set, readings are taken with a key only."
    )
    static let keyRate = Key(
        "server.ingest.keys[].readingsPerSecond", .number(0...1e9, unit: "readings/s"), default: 0,
        "Readings a second that it may send on average, in bursts of ten seconds' worth, before the answer is 429; 0 is no limit."
    )
    static let forms = MessageFormKeys("server.ingest")
    static let liveInterval = Key(
        "server.live.interval", .duration(.milliseconds(5) ... .minutes(1)), default: .milliseconds(50),
        "Time between two deliveries of readings to open dashboards, at least; a lone reading is sent at once.")
    static let liveHeartbeat = Key(
        "server.live.heartbeat", .duration(.seconds(1) ... .minutes(10)), default: .seconds(15),
        "How often an idle live stream sends a sign of life.")
    static let liveHistory = Key(
        "server.live.history", .integer(0...1_000_000, unit: "messages"), default: 2000,
        "Live messages kept for browsers that reconnect.")

    static let all =
        [host.entry, port.entry, maxBodyBytes.entry, ingest.entry, keyName.entry, key.entry, keyRate.entry]
        + forms.all + [liveInterval.entry, liveHeartbeat.entry, liveHistory.entry]
}

enum LogKeys {
    static let level = Key(
        "log.level", .choice, default: TocsinConfiguration.Log.Level.info, "Least severe level that is written.")
    static let format = Key(
        "log.format", .choice, default: TocsinConfiguration.Log.Format.auto,
        "JSON lines or plain text; `auto` is plain on a terminal and JSON elsewhere.")
    static let all = [level.entry, format.entry]
}
