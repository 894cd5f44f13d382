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
        // DuckDB's own hints name settings of its shell for some errors: ours come first.
        let hints = lines.dropFirst().prefix { !$0.hasPrefix("LINE ") && !$0.hasPrefix("Stack Trace") }
        return TocsinError(
            .lake, first, place: place,
            remedy: remedy(first) ?? (hints.isEmpty ? nil : hints.joined(separator: " ")),
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
        // libcurl's words about a broken connection: "Failure when receiving data from the peer error for HTTP GET to …".
        if isTransfer || message.contains(" error for HTTP ") { return true }
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
            return "Raise lake.memory, or lower lake.threads, and see that the disk of data.directory has room."
        }
        if message.contains("HTTP 403") { return "Check the S3 key, its secret and its rights." }
        return nil
    }
}
