internal import TocsinCore

/// Why a message, or a part of one, is no reading: the rest of a sentence that starts with its place.
struct DecodeFault: Error {
    var reason: DeadLetterReason
    var detail: String

    init(_ reason: DeadLetterReason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    static func malformed(_ detail: String) -> DecodeFault { DecodeFault(.malformed, detail) }
}
