internal import TocsinCore

enum LakeKeys {
    static let enabled = Key(
        "lake.enabled", .flag, default: false, "Whether everything that comes in is also kept as Parquet files.")
    static let location = Key(
        "lake.location", .path, default: "lake",
        "Folder (a relative path starts in `data.directory`), or `s3://bucket/prefix`.")
    static let rollBytes = Key(
        "lake.rollBytes", .bytes((1 << 20)...(4 << 30)), default: 64 << 20,
        "New files are written when so many bytes of messages wait.")
    static let rollAge = Key(
        "lake.rollAge", .duration(.seconds(1) ... .hours(24)), default: .minutes(1),
        "New files are written when the oldest message waits so long.")
    static let keepPayload = Key(
        "lake.keepPayload", .flag, default: true, "Whether bronze holds each message as received, beside its readings.")
    static let waitingBytes = Key(
        "lake.waitingBytes", .bytes((16 << 20)...(1 << 50)), default: 8 << 30,
        "Files that may wait on disk while S3 is away; beyond it messages wait in the spool.")
    static let compactAbove = Key(
        "lake.compactAbove", .integer(2...10_000, unit: "files"), default: 8,
        "An hour of more files is put together into one, once it is past.")
    static let retentionBronze = age("bronze", "Bronze older than this is deleted, by whole days of event time.")
    static let retentionSilver = age("silver", "The same for silver.")
    static let retentionGold = age("gold", "The same for gold.")
    static let etlInterval = Key(
        "lake.etlInterval", ValueForm(.duration(.seconds(10) ... .days(7)), orNone: "never"), default: .minutes(10),
        "How often silver and gold are brought up to date while the program runs.")
    static let transforms = Key(
        "lake.transforms", .optionalPath, default: nil, shownAs: "none",
        "Folder of SQL files that replace or add to the built-in transformations (`tocsin etl --export-sql`).")
    static let library = Key(
        "lake.library", .optionalPath, default: nil, shownAs: "found by itself", aliases: ["TOCSIN_DUCKDB"],
        "DuckDB's shared library, or the folder of a Python environment that holds it.")
    static let memory = Key(
        "lake.memory", .bytes((64 << 20)...(1 << 40)), default: 1 << 30, "Memory that DuckDB may use.")
    static let threads = Key(
        "lake.threads", .integer(0...256, unit: "threads"), default: 0, "Threads of DuckDB; 0 is one per core.")

    private static func age(_ name: String, _ summary: String) -> Key<Span64?> {
        Key(
            "lake.retention.\(name)", ValueForm(.duration(.days(1) ... .days(36_500)), orNone: "never"), default: nil,
            summary)
    }

    static let endpoint = Key(
        "lake.s3.endpoint", .optionalText, default: nil, shownAs: "of AWS",
        aliases: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT", "MINIO_ENDPOINT"],
        "Address of the service, such as `https://minio.plant:9000`.")
    static let region = Key(
        "lake.s3.region", .text, default: "us-east-1", aliases: ["AWS_REGION", "AWS_DEFAULT_REGION"], "Its region.")
    static let accessKey = Key(
        "lake.s3.accessKey", ValueForm(.secret, orNone: ""), default: nil, shownAs: "of the credentials file",
        aliases: ["AWS_ACCESS_KEY_ID", "MINIO_ACCESS_KEY"], "Access key.")
    static let secretKey = Key(
        "lake.s3.secretKey", ValueForm(.secret, orNone: ""), default: nil, shownAs: "of the credentials file",
        aliases: ["AWS_SECRET_ACCESS_KEY", "MINIO_SECRET_KEY"], "Secret key.")
    static let sessionToken = Key(
        "lake.s3.sessionToken", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        aliases: ["AWS_SESSION_TOKEN"], "Token of temporary keys.")
    static let credentialsFile = Key(
        "lake.s3.credentialsFile", .optionalPath, default: nil, shownAs: "`~/.aws/credentials`",
        aliases: ["AWS_SHARED_CREDENTIALS_FILE"], "Where keys are read that stand nowhere else.")
    static let profile = Key(
        "lake.s3.profile", .text, default: "default", aliases: ["AWS_PROFILE"], "Its section.")
    static let pathStyle = Key(
        "lake.s3.pathStyle", .choice, default: TocsinConfiguration.Lake.S3.PathStyle.auto,
        "Whether the bucket stands in the path or in the host's name; `auto` is the path for any service but AWS.")
    static let certificate = Key(
        "lake.s3.certificate", .optionalPath, default: nil, shownAs: "the system's",
        "Certificates of authorities that are trusted (PEM).")

    static let goldWindows = Key(
        "lake.gold.windows", .flag, default: true, "Whether gold/windows is taken over from the store.")

    static let all = [
        enabled.entry, location.entry, rollBytes.entry, rollAge.entry, keepPayload.entry, waitingBytes.entry,
        compactAbove.entry, retentionBronze.entry, retentionSilver.entry, retentionGold.entry, etlInterval.entry,
        transforms.entry, library.entry, memory.entry, threads.entry, endpoint.entry, region.entry, accessKey.entry,
        secretKey.entry, sessionToken.entry, credentialsFile.entry, profile.entry, pathStyle.entry, certificate.entry,
        goldWindows.entry,
    ]
}
