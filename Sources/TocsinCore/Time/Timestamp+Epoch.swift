/// The unit of a number that stands for a time since 1970-01-01T00:00:00Z.
public enum EpochUnit: Sendable {
    case seconds, milliseconds, microseconds, nanoseconds

    /// By magnitude: below 1e11 seconds (to 2262 and beyond), below 1e14 milliseconds (from March 1973), below 1e17
    /// microseconds, else nanoseconds. A number too large for its unit is no time; it is never tried as the next unit.
    ///
    /// - Parameter integerDigits: digits before the decimal point, leading zeros not counted.
    static func guess(integerDigits: Int) -> EpochUnit {
        switch integerDigits {
        case ...11: .seconds
        case ...14: .milliseconds
        case ...17: .microseconds
        default: .nanoseconds
        }
    }

    /// Nanoseconds are 10 to this power of the unit.
    var power: Int {
        switch self {
        case .seconds: 9
        case .milliseconds: 6
        case .microseconds: 3
        case .nanoseconds: 0
        }
    }
}

extension Timestamp {
    /// The time that a decimal number stands for, digit by digit without rounding through binary; fractions of a
    /// nanosecond are cut. Nil for anything but a number, and outside 1970…2262. About 35 ns.
    ///
    /// - Parameter unit: nil guesses by magnitude, see `EpochUnit`.
    public init?(epoch text: Span<UInt8>, unit: EpochUnit? = nil) {
        guard let number = DecimalNumber(text) else { return nil }
        let unit = unit ?? EpochUnit.guess(integerDigits: number.digits + number.exponent)
        guard let nanoseconds = number.scaled(by: unit.power) else { return nil }
        self.init(nanoseconds: nanoseconds)
    }

    /// As `init(epoch:unit:)` for an integer.
    public init?(epoch number: Int64, unit: EpochUnit? = nil) {
        guard number >= 0 else { return nil }
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        let decimal = DecimalNumber(significand: UInt64(number), digits: digits, exponent: 0)
        let unit = unit ?? EpochUnit.guess(integerDigits: digits)
        guard let nanoseconds = decimal.scaled(by: unit.power) else { return nil }
        self.init(nanoseconds: nanoseconds)
    }

    /// As `init(epoch:unit:)` for a binary fraction: a time of this century in seconds is exact to about 0.2 µs.
    public init?(epoch number: Double, unit: EpochUnit? = nil) {
        guard number >= 0, number < 1e19 else { return nil }
        let whole = number.rounded(.down)
        let guessed =
            number < 1e11
            ? EpochUnit.seconds
            : number < 1e14
                ? .milliseconds
                : number < 1e17 ? .microseconds : .nanoseconds
        let unit = unit ?? guessed
        let scale: Double =
            switch unit {
            case .seconds: 1e9
            case .milliseconds: 1e6
            case .microseconds: 1e3
            case .nanoseconds: 1
            }
        guard whole * scale < 9.2233720368547e18, let units = Int64(exactly: whole),
            let factor = Int64(exactly: scale), let part = Int64(exactly: ((number - whole) * scale).rounded())
        else { return nil }
        let (scaled, tooLarge) = units.multipliedReportingOverflow(by: factor)
        let (sum, overflow) = scaled.addingReportingOverflow(part)
        guard !tooLarge, !overflow else { return nil }
        self.init(nanoseconds: sum)
    }
}

/// `significand × 10^exponent`, not negative.
private struct DecimalNumber {
    var significand: UInt64
    /// Decimal digits of the significand, without leading zeros.
    var digits: Int
    var exponent: Int

    init(significand: UInt64, digits: Int, exponent: Int) {
        self.significand = significand
        self.digits = digits
        self.exponent = exponent
    }

    /// `digits [. digits] [e ±digits]`; fraction digits behind the 19th significant one are cut.
    init?(_ text: Span<UInt8>) {
        self.init(significand: 0, digits: 0, exponent: 0)
        var position = 0
        var seen = 0
        var isFraction = false
        while position < text.count {
            let byte = text[position]
            let digit = byte &- UInt8(ascii: "0")
            if digit <= 9 {
                seen += 1
                guard append(digit, isFraction: isFraction) else { return nil }
            } else if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else {
                break
            }
            position += 1
        }
        guard seen > 0 else { return nil }
        if position < text.count {
            guard let power = Self.exponent(text, at: position) else { return nil }
            exponent += power
        }
    }

    /// False where an integer is longer than any time.
    private mutating func append(_ digit: UInt8, isFraction: Bool) -> Bool {
        guard digits < 19 else { return isFraction }
        significand = significand * 10 + UInt64(digit)
        if significand > 0 { digits += 1 }
        if isFraction { exponent -= 1 }
        return true
    }

    /// The power of ten that must end the text.
    private static func exponent(_ text: Span<UInt8>, at start: Int) -> Int? {
        guard text[start] | 0x20 == UInt8(ascii: "e"), start + 1 < text.count else { return nil }
        let sign = text[start + 1]
        let isSigned = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        var position = start + (isSigned ? 2 : 1)
        guard position < text.count, text.count - position <= 4 else { return nil }
        var power = 0
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            power = power * 10 + Int(digit)
            position += 1
        }
        return sign == UInt8(ascii: "-") ? -power : power
    }

    /// `self × 10^power`, cut to an integer; nil where it exceeds 64 bits.
    func scaled(by power: Int) -> Int64? {
        let shift = exponent + power
        if significand == 0 { return 0 }
        if shift < -19 { return 0 }
        var result = significand
        if shift < 0 {
            for _ in shift..<0 { result /= 10 }
        } else {
            guard shift <= 19 else { return nil }
            for _ in 0..<shift {
                let (product, overflow) = result.multipliedReportingOverflow(by: 10)
                guard !overflow else { return nil }
                result = product
            }
        }
        return Int64(exactly: result)
    }
}
