/// Packs columns one after the other into reused memory.
struct ColumnPacker {
    private(set) var bytes: [UInt8] = []
    private var whole: [Int64] = []
    private var tried: [Int64] = []
    private var steps: [Int64] = []

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Room for a checksum; returns where it goes.
    mutating func open() -> Int {
        bytes.append(contentsOf: repeatElement(0, count: PackedChecksum.bytes))
        return bytes.count - PackedChecksum.bytes
    }

    /// Writes the checksum of everything behind it; returns the whole hash.
    mutating func close(_ start: Int, seed: UInt64) -> UInt64 {
        let hash = bytes.withUnsafeBytes { PackedChecksum.hash($0, from: start + PackedChecksum.bytes, seed: seed) }
        for byte in 0..<PackedChecksum.bytes {
            bytes[start + byte] = UInt8(truncatingIfNeeded: hash >> (24 - 8 * byte))
        }
        return hash
    }

    mutating func append(integers: UnsafeBufferPointer<Int64>) { pack(.integer, 0, integers) }

    /// - Parameter steps: what each row's formula lacks, in smallest steps of a 64-bit float; nil where none lacks any.
    mutating func appendDerived(steps: UnsafeBufferPointer<Int64>?) {
        header(steps == nil ? .derived : .nearlyDerived, 0, 0, 0)
        if let steps { pack(.integer, 0, steps) }
    }

    /// - Parameter isCorrected: allows `Kind.corrected`, which SQL cannot unpack.
    mutating func append(_ values: UnsafeBufferPointer<Double>, isCorrected: Bool = false) {
        whole.removeAll(keepingCapacity: true)
        for value in values { whole.append(Int64(bitPattern: value.bitPattern)) }
        guard let exponent = decimals(values, isCorrected ? Self.mostSteps : 0) else {
            whole.withUnsafeBufferPointer { pack(.bits, 0, $0) }
            return
        }
        // -0 is the one value that a whole number cannot say; it differs from 0 by more than any allowed step.
        let isExact = steps.allSatisfy { $0 == 0 }
        tried.withUnsafeBufferPointer { pack(isExact ? .decimal : .corrected, UInt8(exponent), $0) }
        if !isExact { steps.withUnsafeBufferPointer { pack(.integer, 0, $0) } }
    }

    /// Values that are whole multiples of 1 / (count - 1), as rates of steps are; false where one is not.
    mutating func append(steps values: UnsafeBufferPointer<Double>, counts: UnsafeBufferPointer<Double>) -> Bool {
        tried.removeAll(keepingCapacity: true)
        for row in values.indices {
            let steps = (values[row] * (counts[row] - 1)).rounded()
            guard steps.magnitude < Self.exact,
                (Double(Int64(steps)) / (counts[row] - 1)).bitPattern == values[row].bitPattern
            else { return false }
            tried.append(Int64(steps))
        }
        tried.withUnsafeBufferPointer { pack(.steps, 0, $0) }
        return true
    }

    // Whole numbers below this are exact in a double, with room for the half that rounding looks at.
    private static let exact = 1_125_899_906_842_624.0
    // Added and taken away again, this rounds to a whole number: faster than a call of the mathematical library.
    private static let rounding = 6_755_399_441_055_744.0
    static let mostSteps: Int64 = 127
    // A value that is no decimal comes near one of nine digits by chance; of six it does not.
    private static let mostDigits = 6

    /// Fills `tried` with multiples of 10^-exponent and `steps` with what each lacks; nil where no exponent fits all.
    private mutating func decimals(_ values: UnsafeBufferPointer<Double>, _ allowed: Int64) -> Int? {
        guard values.count > 1, whole.contains(where: { $0 != whole[0] }) else { return nil }
        let samples = [values[0], values[values.count / 2], values[values.count - 1]]
        let exponents = 0..<(allowed == 0 ? PackedColumn.powers.count : Self.mostDigits + 1)
        guard
            let first = exponents.first(where: { exponent in
                samples.allSatisfy { Self.multiple($0, exponent, allowed) != nil }
            })
        else { return nil }
        // One or two further digits are usual; more mean that these are no decimals.
        return exponents[first...].prefix(3).first { fill(values, $0, allowed) }
    }

    private mutating func fill(_ values: UnsafeBufferPointer<Double>, _ exponent: Int, _ allowed: Int64) -> Bool {
        tried.removeAll(keepingCapacity: true)
        steps.removeAll(keepingCapacity: true)
        for value in values {
            guard let (multiple, lack) = Self.multiple(value, exponent, allowed) else { return false }
            tried.append(multiple)
            steps.append(lack)
        }
        return true
    }

    @inline(__always)
    private static func multiple(_ value: Double, _ exponent: Int, _ allowed: Int64) -> (Int64, Int64)? {
        let power = PackedColumn.powers[exponent]
        let scaled = value * power
        guard scaled.magnitude < exact else { return nil }
        let rounded = (scaled + rounding) - rounding
        let lack = Int64(bitPattern: value.bitPattern) &- Int64(bitPattern: (rounded / power).bitPattern)
        // An unsigned comparison, because the difference may be the lowest number, which has no magnitude.
        return UInt64(bitPattern: lack &+ allowed) <= UInt64(2 * allowed) ? (Int64(rounded), lack) : nil
    }

    private mutating func pack(_ kind: PackedColumn.Kind, _ exponent: UInt8, _ values: UnsafeBufferPointer<Int64>) {
        var lowest = values.first ?? 0
        var highest = lowest
        for value in values {
            lowest = min(lowest, value)
            highest = max(highest, value)
        }
        let span = UInt64(bitPattern: highest &- lowest)
        let width = (64 - span.leadingZeroBitCount + 7) / 8
        // With eight bytes the numbers stand as they are: a sum could leave the range of SQL's integers.
        let base = width == 8 ? 0 : lowest
        header(kind, exponent, UInt8(width), base)
        guard width > 0 else { return }
        let start = bytes.count
        let shift = UInt64(64 - 8 * width)
        // Eight bytes are stored for every row and the next row goes over what is too much.
        bytes.append(contentsOf: repeatElement(0, count: values.count * width + 8))
        bytes.withUnsafeMutableBytes { target in
            var position = start
            for value in values {
                let distance = UInt64(bitPattern: value &- base) << shift
                target.storeBytes(of: distance.bigEndian, toByteOffset: position, as: UInt64.self)
                position += width
            }
        }
        bytes.removeLast(8)
    }

    private mutating func header(_ kind: PackedColumn.Kind, _ exponent: UInt8, _ width: UInt8, _ base: Int64) {
        bytes.append(kind.rawValue)
        bytes.append(exponent)
        bytes.append(width)
        bytes.append(0)
        withUnsafeBytes(of: base.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
