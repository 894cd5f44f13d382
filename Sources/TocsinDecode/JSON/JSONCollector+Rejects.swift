internal import CSimdJSON
internal import TocsinCore

extension JSONCollector {
    func range(_ event: tsj_event) -> ByteRange {
        ByteRange(offset: start + Int(event.begin), length: Int(event.end) - Int(event.begin))
    }

    private mutating func add(_ reject: Reject) {
        batch.add(reject, most: limits.singleRejects)
        rejected += 1
    }

    /// Rejects a message, or one reading of it, with a sentence that starts with the place of the message.
    mutating func reject(_ event: tsj_event, _ reason: DeadLetterReason, _ fault: String) {
        let place = place(event)
        add(Reject(reason: reason, detail: "\(place) \(fault).", payload: range(event)))
    }

    private func place(_ event: tsj_event) -> String {
        if let message = book?.message { return "Message \(batch.origin.position &+ Int64(message))" }
        let begin = Int64(start) + Int64(event.begin)
        let (position, overflow) = batch.origin.position.addingReportingOverflow(begin)
        return "The message at byte \(overflow ? begin : position)"
    }

    mutating func rejectField(_ reading: tsj_reading, of event: tsj_event, _ keys: JSONKeys) {
        let text = unsafe parsed.text(reading.text)
        let shown = unsafe Text.excerpt(text.span)
        let key = Int(reading.key)
        let isKnown = reading.key != TSJ_NONE
        let name = isKnown ? Text.excerpt(keys.keys[key].name.name.utf8.span) : shown
        switch Int(reading.code) {
        case TSJ_NOT_A_NUMBER:
            let value =
                switch shown {
                case "{": "an object"
                case "[": "an array"
                default: "\"\(shown)\""
                }
            reject(event, .notANumber, "has the field `\(name)` that is not a number but \(value)")
        case TSJ_NOT_FINITE:
            reject(event, .notANumber, "has the field `\(name)` that is not a finite number but \(shown)")
        case TSJ_KEY_TOO_LONG:
            reject(event, .tooLong, "has a field name of more than \(TSJ_MAX_KEY) bytes: `\(name)`")
        case TSJ_TOO_MANY_KEYS:
            reject(event, .cardinality, "has the field `\(name)`, one more than the \(TSJ_MAX_KEYS) names kept")
        default: break
        }
    }

    mutating func rejectBroken(_ event: tsj_event) {
        let place = place(event)
        if Int(event.status) == TSJ_TOO_LONG {
            let range = range(event)
            let length = min(Int(range.length), limits.clippedBytes)
            add(
                Reject(
                    reason: .tooLong, detail: "\(place) is longer than \(limits.maximumMessageBytes) bytes.",
                    payload: ByteRange(offset: Int(range.offset), length: length)))
            return
        }
        let text = unsafe parsed.text(tsj_text(offset: event.begin, length: event.end - event.begin))
        let excerpt = unsafe Text.excerpt(text.span)
        let fault = Self.fault(event)
        add(
            Reject(
                reason: .malformed, detail: "\(place) is not valid JSON: \(fault): \(excerpt)",
                payload: book?.currentPayload ?? range(event)))
    }

    private static func fault(_ event: tsj_event) -> String {
        let offset = Int(event.error_at) - Int(event.begin)
        return switch Int(event.status) {
        case TSJ_NOT_AN_OBJECT: "it does not start with a brace"
        case TSJ_BAD_KEY: "a field name is missing at its byte \(offset)"
        case TSJ_BAD_COLON: "a colon is missing at its byte \(offset)"
        case TSJ_BAD_COMMA: "a comma or a closing bracket is missing at its byte \(offset)"
        case TSJ_BAD_STRING: "a string is broken at its byte \(offset)"
        case TSJ_BAD_NUMBER: "a number is broken at its byte \(offset)"
        case TSJ_BAD_VALUE: "a value is missing or unknown at its byte \(offset)"
        case TSJ_TRUNCATED: "it breaks off"
        case TSJ_TOO_DEEP: "it is nested deeper than \(TSJ_MAX_DEPTH) levels"
        case TSJ_BAD_UTF8: "it is not UTF-8"
        case TSJ_CONTROL_CHARACTER: "a string holds a control character"
        case TSJ_UNCLOSED_STRING: "a quote is missing"
        default: "it cannot be read"
        }
    }
}

extension Batch {
    mutating func reserve(events: Int, readings: Int) {
        sensors.reserveCapacity(events)
        times.reserveCapacity(events)
        eventKeys.reserveCapacity(events)
        payloads.reserveCapacity(events)
        labels.reserveCapacity(events)
        firstReading.reserveCapacity(events + 1)
        series.reserveCapacity(readings)
        values.reserveCapacity(readings)
    }
}
