internal import TocsinCore

/// The W3C trace context of a message (https://www.w3.org/TR/trace-context/), derived from its id: a message that is sent
/// twice has the same, and all that came of one event share a trace.
public struct TraceContext: Sendable, Equatable {
    var high: UInt64
    var low: UInt64
    var span: UInt64

    /// - Parameters:
    ///   - event: what all messages of the trace have in common.
    ///   - message: what this one is.
    public init(event: String, message: String) {
        high = Self.hash(event, 1)
        low = Self.hash(event, 2)
        span = Self.hash(message, 3)
    }

    init(high: UInt64, low: UInt64, span: UInt64) {
        self.high = high
        self.low = low
        self.span = span
    }

    /// "00-<trace>-<span>-01", 55 bytes; one allocation.
    public var parent: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 55) { buffer, count in
            buffer[0] = UInt8(ascii: "0")
            buffer[1] = UInt8(ascii: "0")
            buffer[2] = UInt8(ascii: "-")
            Self.writeHex(high, to: buffer, at: 3)
            Self.writeHex(low, to: buffer, at: 19)
            buffer[35] = UInt8(ascii: "-")
            Self.writeHex(span, to: buffer, at: 36)
            buffer[52] = UInt8(ascii: "-")
            buffer[53] = UInt8(ascii: "0")
            buffer[54] = UInt8(ascii: "1")
            count = 55
        }
    }

    /// 16 lower-case hex digits.
    static func hex(_ value: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { buffer in
            writeHex(value, to: buffer, at: 0)
            return 16
        }
    }

    private static func writeHex(_ value: UInt64, to buffer: UnsafeMutableBufferPointer<UInt8>, at place: Int) {
        for digit in 0..<16 {
            let nibble = UInt8(truncatingIfNeeded: value >> (60 - 4 * UInt64(digit))) & 15
            buffer[place + digit] = nibble < 10 ? 48 + nibble : 87 + nibble
        }
    }

    private static func hash(_ text: String, _ salt: UInt64) -> UInt64 {
        var hash = StableHash()
        hash.combine(salt)
        hash.combine(text)
        // All zeros would be invalid.
        return max(1, hash.value)
    }
}
