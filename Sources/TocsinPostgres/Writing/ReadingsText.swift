internal import TocsinCore

/// The readings of one event as one JSON object in a reused buffer: `{"temperature":21.4,"humidity":40}`.
///
/// `JSONWriter` would quote every key and build a string for every number: at hundreds of thousands of events a second
/// that is a tenth of the store's time.
struct ReadingsText {
    private(set) var bytes: [UInt8] = []

    mutating func open() {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(UInt8(ascii: "{"))
    }

    mutating func close() { bytes.append(UInt8(ascii: "}")) }

    /// - Parameter key: the metric's name, quoted and escaped, with its colon.
    mutating func append(key: [UInt8], _ value: Double) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: key)
        append(value)
    }

    /// The shortest decimal that reads back as the same number; `null` for what JSON has no word for.
    private mutating func append(_ value: Double) {
        guard value.isFinite else {
            bytes.append(contentsOf: "null".utf8)
            return
        }
        // Sensors send few digits: most values are a whole number of some negative power of ten. A quotient of two
        // exactly represented whole numbers is correctly rounded, so equality proves that the digits read back.
        let magnitude = value.magnitude
        var power = 1.0
        for fractionDigits in 0...4 {
            let scaled = (magnitude * power).rounded()
            guard scaled < 1e15 else { break }
            if scaled / power == magnitude {
                append(digits: Int64(scaled), fractionDigits: fractionDigits, isNegative: value < 0)
                return
            }
            power *= 10
        }
        bytes.append(contentsOf: value.description.utf8)
    }

    private mutating func append(digits: Int64, fractionDigits: Int, isNegative: Bool) {
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = digits
        var written = 0
        repeat {
            if written == fractionDigits, fractionDigits > 0 { bytes.append(UInt8(ascii: ".")) }
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
            written += 1
        } while rest > 0 || written <= fractionDigits
        bytes[start...].reverse()
    }
}
