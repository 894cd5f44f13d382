import CDuckDB
public import TocsinCore

extension TocsinError.Code {
    /// The lake: its library, its files, its SQL.
    public static let lake = Self("lake")
    /// A query that was stopped on request.
    public static let interrupted = Self("interrupted")
}

/// DuckDB's errors as the program's own.
enum DuckDBError {
    /// - Parameters:
    ///   - kind: DuckDB's number of the error; nil where only the text is known.
    ///   - place: what was done.
    static func error(_ message: String, kind: Int32? = nil, place: String? = nil, cause: (any Error)? = nil)
        -> TocsinError
    {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        let first = lines.first ?? "DuckDB gave no reason"
        if kind == Int32(TDK_ERROR_INTERRUPT) || first.hasPrefix("INTERRUPT") {
            return TocsinError(.interrupted, "The query was stopped.", place: place)
        }
        let hints = lines.dropFirst().prefix { !$0.hasPrefix("LINE ") && !$0.hasPrefix("Stack Trace") }
        return TocsinError(
            .lake, first, place: place, remedy: hints.isEmpty ? remedy(first) : hints.joined(separator: " "),
            isRetriable: isRetriable(message, kind: kind), cause: cause)
    }

    /// Servers that do not answer, answers 408, 429 and 5xx, and full disks: waiting can help.
    private static func isRetriable(_ message: String, kind: Int32?) -> Bool {
        if message.contains("No space left on device") { return true }
        let isTransfer =
            kind == Int32(TDK_ERROR_HTTP) || kind == Int32(TDK_ERROR_NETWORK)
            || message.hasPrefix("HTTP Error") || message.hasPrefix("Network Error")
        let isInput = kind == Int32(TDK_ERROR_IO) || message.hasPrefix("IO Error")
        guard isTransfer || isInput else { return false }
        if let status = httpStatus(message) { return status == 408 || status == 429 || status >= 500 }
        if isTransfer { return true }
        return ["Could not establish connection", "Connection error", "Could not connect", "timed out", "Timeout"]
            .contains { message.contains($0) }
    }

    /// The number after "HTTP 404", "(HTTP 404" or "HTTP code 404", "HTTP GET error ... 404" as httpfs words it.
    private static func httpStatus(_ message: String) -> Int? {
        for marker in ["(HTTP ", "HTTP code ", "HTTP status ", "status code ", "HTTP "] {
            var rest = Substring(message)
            while let range = rest.firstRange(of: marker) {
                rest = rest[range.upperBound...]
                if let status = Int(rest.prefix { $0.isNumber }), (300...599).contains(status) { return status }
            }
        }
        return nil
    }

    private static func remedy(_ message: String) -> String? {
        if message.hasPrefix("Out of Memory Error") {
            return "Give the lake more memory, or a temporary folder with room on its disk."
        }
        if message.contains("HTTP 403") { return "Check the S3 key, its secret and its rights." }
        return nil
    }
}
