internal import TocsinCore
internal import TocsinDecode

/// Writes a time in the form in which another one stood.
struct TimeStamping: Sendable {
    let format: InputMapping.TimeFormat

    /// - Parameter old: the former time, without quotes: text of ISO 8601, or a number.
    func append(_ time: Timestamp, like old: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        switch format {
        case .iso8601: time.appendISO8601(to: &bytes)
        case .seconds: append(time, power: 9, to: &bytes)
        case .milliseconds: append(time, power: 6, to: &bytes)
        case .microseconds: append(time, power: 3, to: &bytes)
        case .nanoseconds: append(time, power: 0, to: &bytes)
        case .auto:
            guard let digits = Self.integerDigits(old) else { return time.appendISO8601(to: &bytes) }
            // As `EpochUnit` guesses the unit.
            append(time, power: digits <= 11 ? 9 : digits <= 14 ? 6 : digits <= 17 ? 3 : 0, to: &bytes)
        }
    }

    /// Before the point of a number; nil for text.
    static func integerDigits(_ text: ArraySlice<UInt8>) -> Int? {
        var digits = 0
        for byte in text {
            if (0x30...0x39).contains(byte) {
                digits += 1
            } else {
                guard [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte), digits > 0 else {
                    return nil
                }
                return digits
            }
        }
        return digits > 0 ? digits : nil
    }

    /// With a fraction down to a microsecond, so that messages of one second stay apart.
    private func append(_ time: Timestamp, power: Int, to bytes: inout [UInt8]) {
        var scale: Int64 = 1
        for _ in 0..<power { scale *= 10 }
        let nanoseconds = max(0, time.nanoseconds)
        bytes += String(nanoseconds / scale).utf8
        guard power > 3 else { return }
        let micros = String(nanoseconds % scale / 1000)
        bytes.append(UInt8(ascii: "."))
        for _ in micros.utf8.count..<power - 3 { bytes.append(UInt8(ascii: "0")) }
        bytes += micros.utf8
    }
}
