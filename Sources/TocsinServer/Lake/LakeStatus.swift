public import TocsinCore

/// The lake as screens and monitors show it.
public struct LakeStatus: Sendable {
    public enum Condition: Sendable, Equatable {
        case working
        /// Files wait on disk, and messages in the spool once there are too many of them.
        case waiting(String)
        case failing(String)

        var word: String {
            switch self {
            case .working: "ok"
            case .waiting: "waiting"
            case .failing: "failing"
            }
        }

        var reason: String? {
            switch self {
            case .working: nil
            case .waiting(let reason), .failing(let reason): reason
            }
        }
    }

    public struct Layer: Sendable {
        public var name: String
        public var files: Int
        public var bytes: Int64

        public init(name: String, files: Int, bytes: Int64) {
            self.name = name
            self.files = files
            self.bytes = bytes
        }
    }

    public var location: String
    public var condition: Condition
    public var layers: [Layer]
    /// Since the start.
    public var eventsWritten: Int
    public var filesWritten: Int
    public var problems: Int
    /// Records of the spool that are not in bronze yet, and the age of the oldest in seconds.
    public var lagRecords: UInt64
    public var lagSeconds: Double
    /// Made, and not at their place yet.
    public var waitingFiles: Int
    public var waitingBytes: Int64
    /// The newest ETL.
    public var lastETL: JobRecord?

    public init(
        location: String, condition: Condition, layers: [Layer], eventsWritten: Int, filesWritten: Int, problems: Int,
        lagRecords: UInt64, lagSeconds: Double, waitingFiles: Int, waitingBytes: Int64, lastETL: JobRecord?
    ) {
        self.location = location
        self.condition = condition
        self.layers = layers
        self.eventsWritten = eventsWritten
        self.filesWritten = filesWritten
        self.problems = problems
        self.lagRecords = lagRecords
        self.lagSeconds = lagSeconds
        self.waitingFiles = waitingFiles
        self.waitingBytes = waitingBytes
        self.lastETL = lastETL
    }
}

extension JSONWriter {
    mutating func value(_ lake: LakeStatus) {
        object {
            $0.field("location", lake.location)
            $0.field("state", lake.condition.word)
            if let reason = lake.condition.reason { $0.field("reason", reason) }
            $0.key("layers")
            $0.array { list in
                for layer in lake.layers {
                    list.object {
                        $0.field("name", layer.name)
                        $0.field("files", layer.files)
                        $0.field("bytes", layer.bytes)
                    }
                }
            }
            $0.field("lag_seconds", (lake.lagSeconds * 10).rounded() / 10)
            $0.field("waiting_files", lake.waitingFiles)
            $0.field("waiting_bytes", lake.waitingBytes)
            if let etl = lake.lastETL {
                $0.key("last_etl")
                $0.object {
                    $0.field("state", etl.state.rawValue)
                    $0.field("started", etl.started)
                    $0.field("finished", etl.finished)
                    $0.field("progress", etl.progress)
                    if let error = etl.error { $0.field("error", error) }
                }
            }
        }
    }
}
