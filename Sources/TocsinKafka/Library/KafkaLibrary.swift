internal import CKafka
internal import Synchronization
public import TocsinCore

/// Kafka's client library, opened once per process.
public enum KafkaLibrary {
    /// Of the library that is open.
    static func isOlder(than version: (major: Int, minor: Int)) -> Bool {
        let numbers = tkf_version().map { String(cString: $0) }?.split(separator: ".").compactMap { Int($0) } ?? []
        guard numbers.count >= 2 else { return false }
        return (numbers[0], numbers[1]) < (version.major, version.minor)
    }

    /// The file that was opened; empty for the system's own.
    private static let loaded = Mutex<String?>(nil)

    /// Opens the library, unless it is open already. Returns its version ("2.0.2").
    /// - Parameter path: the file; nil = the system's own.
    /// - Throws: `TocsinError` when the library is not installed, or too old.
    @discardableResult
    public static func load(_ path: String?) throws -> String {
        try loaded.withLock { loaded in
            let wanted = path ?? ""
            if loaded != wanted {
                let reason =
                    loaded == nil ? tkf_load(path).map { String(cString: $0) } : "another one is in use already"
                if let reason {
                    throw TocsinError(
                        .kafka, "Kafka's client library cannot be used: \(reason)", place: path ?? "librdkafka",
                        remedy: "Install it: `apt-get install librdkafka1` (Debian, Ubuntu), `dnf install librdkafka` "
                            + "(Fedora).")
                }
                loaded = wanted
            }
            return tkf_version().map { String(cString: $0) } ?? ""
        }
    }
}

extension TocsinError.Code {
    /// Kafka: its library, its brokers, its topics.
    public static let kafka = TocsinError.Code("kafka")
}
